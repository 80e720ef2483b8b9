//! What a container image offers beside the machine's own programs: `python`, `pip` and `uv` (and `curl`, where the
//! machine has none), as small scripts that use the machine's `python3` and install nothing.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const PROGRAMS: [(&str, &str); 4] = [
    ("python", include_str!("shims/python.sh")),
    ("pip", include_str!("shims/pip.sh")),
    ("pip3", include_str!("shims/pip.sh")),
    ("uv", include_str!("shims/uv.sh")),
];

const CURL: (&str, &str) = ("curl", include_str!("shims/curl.sh"));

/// Whether the system's own folders, which every job sees, have it.
fn has_curl() -> bool {
    ["/usr/bin/curl", "/bin/curl", "/usr/local/bin/curl"]
        .iter()
        .any(|path| Path::new(path).exists())
}

/// The folder of the scripts.
#[derive(Debug)]
pub struct Shims {
    pub folder: PathBuf,
}

/// Writes the scripts.
pub fn install(folder: &Path) -> io::Result<Shims> {
    std::fs::create_dir_all(folder)?;
    let missing = (!has_curl()).then_some(CURL);
    for (name, text) in PROGRAMS.into_iter().chain(missing) {
        let path = folder.join(name);
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(Shims {
        folder: folder.to_owned(),
    })
}

impl Shims {
    /// A `PATH` that finds the scripts first.
    pub fn search_path(&self, usual: &str) -> String {
        format!("{}:{usual}", self.folder.display())
    }

    /// A login shell (`sh -l`) starts with the system's own `PATH`; `.profile` gives it this one again.
    pub fn write_profile(&self, home: &Path, path: &str) -> io::Result<()> {
        let quoted = path.replace('\'', r"'\''");
        std::fs::write(
            home.join(".profile"),
            format!("PATH='{quoted}'\nexport PATH\n"),
        )
    }
}
