//! Clients in Python: openai-python, agent frameworks; and the executable as a person uses it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::BIN;
use super::side_by_side::Suite;
use crate::step::execute;
use crate::workspace::{executable, root, target};

/// The folder of the Node.js packages, for those tests that run programs in both languages.
const NODE: &str = "ML_INTERN_E2E_NODE";

/// Files whose tests wait for something that takes a minute.
const SLOW: [&str; 2] = ["test_nginx", "test_errors"];

/// A Python with the packages of the tests.
pub struct Python {
    program: PathBuf,
}

pub fn set_up() -> anyhow::Result<Python> {
    let program = python_with("venv", &root().join("tests/e2e/requirements.txt"))?;
    Ok(Python { program })
}

impl Python {
    /// The test files.
    pub fn suites(&self, node: &Path) -> anyhow::Result<Vec<Suite>> {
        let tests = root().join("tests/e2e");
        let mut suites = Vec::new();
        for entry in fs::read_dir(&tests).context("reading tests/e2e")? {
            let file = entry?.file_name().to_string_lossy().into_owned();
            let Some(name) = file.strip_suffix(".py") else {
                continue;
            };
            if name.starts_with("test_") {
                suites.push(self.suite(name, &tests, node));
            }
        }
        Ok(suites)
    }

    fn suite(&self, name: &str, tests: &Path, node: &Path) -> Suite {
        let mut command = Command::new(&self.program);
        command
            .args(["-m", "unittest", "--verbose", name])
            .current_dir(tests)
            .env(BIN, executable())
            .env(NODE, node)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        Suite {
            name: format!("python {name}"),
            command,
            slow: SLOW.contains(&name),
        }
    }
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
            bail!("python3 is not installed; the end-to-end tests need 3.11 or newer with venv")
        }
    }
}
