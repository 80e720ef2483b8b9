//! Schemathesis: requests made up from our own OpenAPI document, and all its checks on the answers.

use std::process::Command;

use super::BIN;
use super::python::python_with;
use crate::step::execute;
use crate::workspace::{executable, root};

/// Sets up schemathesis, then runs it.
pub fn run() -> anyhow::Result<()> {
    let folder = root().join("tests/e2e/schemathesis");
    let python = python_with("schemathesis", &folder.join("requirements.txt"))?;
    let mut script = Command::new(python);
    script
        .arg("run.py")
        .current_dir(&folder)
        .env(BIN, executable())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    execute(&mut script)
}
