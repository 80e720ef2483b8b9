//! Schemathesis: requests made up from our own OpenAPI document, and all its checks on the answers.

use std::process::Command;

use super::BIN;
use super::python::python_with;
use super::side_by_side::Suite;
use crate::workspace::{executable, root};

/// Sets up schemathesis, apart from the other Python packages: its own are many.
pub fn set_up() -> anyhow::Result<Suite> {
    let folder = root().join("tests/e2e/schemathesis");
    let python = python_with("schemathesis", &folder.join("requirements.txt"))?;
    let mut command = Command::new(python);
    command
        .arg("run.py")
        .current_dir(&folder)
        .env(BIN, executable())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(Suite {
        name: "schemathesis".into(),
        command,
        slow: true,
    })
}
