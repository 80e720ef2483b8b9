//! openai-python, and the executable as a person uses it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::BIN;
use crate::step::execute;
use crate::workspace::{executable, root, target};

/// Sets up what the tests need, then runs them.
pub fn run() -> anyhow::Result<()> {
    let tests = root().join("tests/e2e");
    let python = python_with("venv", &tests.join("requirements.txt"))?;
    let mut suite = Command::new(python);
    suite
        .args([
            "-m",
            "unittest",
            "discover",
            "--verbose",
            "--pattern",
            "test_*.py",
        ])
        .current_dir(&tests)
        .env(BIN, executable())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    execute(&mut suite)
}

/// A Python that has exactly the locked packages; made once per lock file.
pub(super) fn python_with(name: &str, lock: &Path) -> anyhow::Result<PathBuf> {
    let venv = target().join("e2e").join(name);
    let python = venv.join("bin/python");
    let stamp = venv.join("made-from");
    let wanted = fs::read_to_string(lock).with_context(|| format!("reading {}", lock.display()))?;
    if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == wanted) {
        return Ok(python);
    }
    println!("making {}", venv.display());
    if venv.exists() {
        fs::remove_dir_all(&venv)?;
    }
    create(&venv)?;
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "-r",
    ];
    execute(Command::new(&python).args(install).arg(lock))
        .context("the Python packages of the end-to-end tests cannot be installed")?;
    fs::write(&stamp, wanted)?;
    Ok(python)
}

fn create(venv: &Path) -> anyhow::Result<()> {
    let made = Command::new("python3")
        .args(["-m", "venv"])
        .arg(venv)
        .status();
    match made {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => bail!(
            "python3 cannot make a virtual environment. \
             On Debian and Ubuntu: apt-get install python3-venv"
        ),
        Err(_) => {
            bail!("python3 is not installed; the end-to-end tests need 3.9 or newer with venv")
        }
    }
}
