//! `cargo xtask bench`

use crate::step::execute;
use crate::workspace::cargo;

/// The package whose executable measures and prints the table.
const PACKAGE: &str = "bench";

/// Builds it optimised and hands it the rest of the command line.
pub fn run(rest: &[&str]) -> anyhow::Result<()> {
    let mut args = vec!["run", "--release", "--package", PACKAGE, "--"];
    args.extend(rest);
    execute(&mut cargo(&args))
}
