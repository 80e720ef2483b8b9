//! The files that the demo brings along: the scripted model and the data set.

use std::io;
use std::path::Path;

/// Path below the scenario folder, and content.
const FILES: [(&str, &[u8]); 4] = [
    (
        "imdb-cpu.toml",
        include_bytes!("../../../demo/scenarios/imdb-cpu.toml"),
    ),
    (
        "seed/datasets/stanfordnlp/imdb-tiny/README.md",
        include_bytes!("../../../demo/scenarios/seed/datasets/stanfordnlp/imdb-tiny/README.md"),
    ),
    (
        "seed/datasets/stanfordnlp/imdb-tiny/train.csv",
        include_bytes!("../../../demo/scenarios/seed/datasets/stanfordnlp/imdb-tiny/train.csv"),
    ),
    (
        "seed/datasets/stanfordnlp/imdb-tiny/test.csv",
        include_bytes!("../../../demo/scenarios/seed/datasets/stanfordnlp/imdb-tiny/test.csv"),
    ),
];

/// Writes the scenario folder of the simulated platform.
pub fn unpack(folder: &Path) -> io::Result<()> {
    for (path, content) in FILES {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, content)?;
    }
    Ok(())
}
