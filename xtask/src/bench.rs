//! `cargo xtask bench`

use std::process::Command;

use crate::step::execute;
use crate::workspace::{cargo, target};

/// The package whose executable measures and prints the table.
const PACKAGE: &str = "bench";

/// Builds it and the server optimised, and hands it the rest of the command line.
pub fn run(rest: &[&str]) -> anyhow::Result<()> {
    let build = [
        "build",
        "--release",
        "--package",
        "ml-intern",
        "--package",
        PACKAGE,
    ];
    execute(&mut cargo(&build))?;
    let folder = target().join("release");
    let mut bench = Command::new(folder.join(PACKAGE));
    execute(bench.arg("--exe").arg(folder.join("ml-intern")).args(rest))
}
