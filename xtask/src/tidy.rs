//! Checks that no tool does for us: files stay short enough to be read in one go.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::workspace::root;

/// A file longer than this is worth a look.
const LONG: usize = 400;
/// A file longer than this has to be split.
const TOO_LONG: usize = 600;

/// Looks at every Rust file of the workspace.
pub fn check() -> anyhow::Result<()> {
    let mut files = Vec::new();
    for folder in ["crates", "xtask"] {
        rust_files(&root().join(folder), &mut files)?;
    }
    let mut too_long = 0;
    for path in &files {
        let lines = fs::read_to_string(path)?.lines().count();
        let shown = path.strip_prefix(root()).unwrap_or(path).display();
        if lines > TOO_LONG {
            println!("too long: {shown} has {lines} lines (at most {TOO_LONG})");
            too_long += 1;
        } else if lines > LONG {
            println!("long: {shown} has {lines} lines (aim: {LONG} at most)");
        }
    }
    match too_long {
        0 => {
            println!("{} Rust files", files.len());
            Ok(())
        }
        count => bail!("{count} files must be split"),
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if entry.file_name() != "target" {
                rust_files(&path, found)?;
            }
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
    Ok(())
}
