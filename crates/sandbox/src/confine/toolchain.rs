//! Language installations that the caller's `PATH` leads to but that lie outside the system's folders, such as a
//! Python built by pyenv under a home folder. Only the installation itself is shown in a box.

use std::env;
use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use super::system_paths;

/// Longest a Python may take to say where it lives.
const PATIENCE: Duration = Duration::from_secs(5);
const QUESTION: &str = "import sys\nfor p in (sys.prefix, sys.base_prefix): print(p)";

#[derive(Debug)]
pub(super) struct Toolchains {
    /// `PATH` for boxes.
    pub path: String,
    /// Files and folders to make readable.
    pub read: Vec<PathBuf>,
}

/// Looks for language installations now, so that the first box doesn't have to wait for it. Blocks for some tens
/// of milliseconds, at worst some seconds.
pub fn warm_up() {
    found();
}

/// Found once for the life of the process.
pub(super) fn found() -> &'static Toolchains {
    static FOUND: OnceLock<Toolchains> = OnceLock::new();
    FOUND.get_or_init(|| {
        discover(
            &env::var_os("PATH").unwrap_or_default(),
            env::var_os("HOME").map(PathBuf::from),
        )
    })
}

fn discover(search: &OsStr, home: Option<PathBuf>) -> Toolchains {
    let (mut bins, mut read) = (Vec::new(), Vec::new());
    for name in ["python3", "node", "uv"] {
        let Some(program) = locate(name, search).filter(|program| !is_system(program)) else {
            continue;
        };
        let prefixes = if name == "python3" {
            ask_python(&program)
        } else {
            prefix_of(&program)
        };
        let prefixes: Vec<_> = prefixes
            .into_iter()
            .filter(|prefix| is_installation(prefix, home.as_deref()))
            .collect();
        if let Some(first) = prefixes.first() {
            bins.push(first.join("bin"));
        } else if name != "python3"
            && let (Ok(file), Some(bin)) = (program.canonicalize(), program.parent())
        {
            bins.push(bin.to_owned());
            read.extend([file, program.clone()]);
        }
        read.extend(prefixes);
    }
    bins.dedup();
    let mut path: Vec<String> = bins
        .iter()
        .filter_map(|bin| bin.to_str())
        .filter(|bin| !bin.contains(':'))
        .map(str::to_owned)
        .collect();
    path.push(system_paths::PATH.to_owned());
    Toolchains {
        path: path.join(":"),
        read,
    }
}

fn locate(name: &str, search: &OsStr) -> Option<PathBuf> {
    env::split_paths(search)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|program| {
            program
                .metadata()
                .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
        })
}

fn is_system(program: &Path) -> bool {
    let real = program.canonicalize();
    real.is_ok_and(|real| {
        system_paths::PROGRAMS
            .iter()
            .any(|folder| real.starts_with(folder))
    })
}

/// A program at `X/bin/name` belongs to the installation `X`.
fn prefix_of(program: &Path) -> Vec<PathBuf> {
    let real = program.canonicalize().ok();
    let prefix = real
        .as_deref()
        .and_then(Path::parent)
        .filter(|bin| bin.ends_with("bin"))
        .and_then(Path::parent);
    prefix.map(Path::to_owned).into_iter().collect()
}

/// The whole folder becomes readable, so it must look like an installation and must not be somebody's home.
fn is_installation(prefix: &Path, home: Option<&Path>) -> bool {
    let shape = prefix.is_absolute() && prefix.join("bin").is_dir() && prefix.join("lib").is_dir();
    let holds_home =
        home.is_some_and(|home| home.starts_with(prefix) || prefix == home.join(".local"));
    let system = system_paths::PROGRAMS
        .iter()
        .any(|folder| prefix.starts_with(folder));
    shape && !holds_home && !system && prefix != Path::new("/")
}

/// A Python in `PATH` may be a script that picks one, so only Python itself knows where it lives.
fn ask_python(program: &Path) -> Vec<PathBuf> {
    let mut command = Command::new(program);
    command
        .args(["-I", "-c", QUESTION])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    for name in ["PATH", "HOME", "PYENV_ROOT", "PYENV_VERSION"] {
        command.envs(env::var_os(name).map(|value| (name, value)));
    }
    let Ok(mut child) = command.spawn() else {
        return Vec::new();
    };
    let deadline = Instant::now() + PATIENCE;
    while !matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return Vec::new();
        }
        thread::sleep(Duration::from_millis(2));
    }
    let mut answer = String::new();
    if let Some(out) = child.stdout.take() {
        let _ = out.take(8192).read_to_string(&mut answer);
    }
    let mut prefixes: Vec<PathBuf> = answer.lines().map(PathBuf::from).collect();
    prefixes.dedup();
    prefixes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_no_installation() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["bin", "lib", ".local/bin", ".local/lib", "py/bin", "py/lib"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let home = Some(folder.path());
        assert!(is_installation(&folder.path().join("py"), home));
        for bad in [
            folder.path().to_owned(),
            folder.path().join(".local"),
            folder.path().join("empty"),
            "/".into(),
            "/usr".into(),
        ] {
            assert!(!is_installation(&bad, home), "{}", bad.display());
        }
    }

    #[test]
    fn finds_the_installation_of_a_program() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["node/bin", "node/lib"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        let program = root.join("node/bin/node");
        std::fs::write(&program, "").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let tools = discover(root.join("node/bin").as_os_str(), None);
        assert_eq!(tools.read, [root.join("node")]);
        assert!(
            tools
                .path
                .starts_with(root.join("node/bin").to_str().unwrap())
                && tools.path.ends_with(system_paths::PATH)
        );
    }
}
