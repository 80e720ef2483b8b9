//! Clients in JavaScript: openai-node, the Vercel AI SDK, Codex, EventSource.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use super::BIN;
use super::side_by_side::Suite;
use crate::step::execute;
use crate::workspace::{executable, root, target};

/// The oldest Node.js that has all that the tests use of its test runner.
const OLDEST: u32 = 20;

/// Files whose tests take longest.
const SLOW: [&str; 1] = ["llmprobe.test.mjs"];

/// What decides which packages are installed.
const LOCKED: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// The packages of the tests, and the tests beside them.
pub struct Node {
    pub folder: PathBuf,
    tests: Vec<String>,
}

pub fn set_up() -> anyhow::Result<Node> {
    check_tools()?;
    let source = root().join("tests/e2e/node");
    let folder = target().join("e2e/node");
    install(&source, &folder)?;
    let tests = copy_modules(&source, &folder)?;
    Ok(Node { folder, tests })
}

impl Node {
    /// The test files.
    pub fn suites(&self) -> Vec<Suite> {
        let suite = |test: &String| {
            let mut command = Command::new("node");
            command
                .args(["--test", "--test-reporter=spec"])
                .arg(test)
                .current_dir(&self.folder)
                .env(BIN, executable());
            Suite {
                name: format!("node {}", test.trim_end_matches(".test.mjs")),
                command,
                slow: SLOW.contains(&test.as_str()),
            }
        };
        self.tests.iter().map(suite).collect()
    }
}

fn check_tools() -> anyhow::Result<()> {
    let version = version_of("node")?;
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    ensure!(
        major.is_some_and(|major| major >= OLDEST),
        "node is {version}; {}",
        needed()
    );
    version_of("npm").map(drop)
}

/// What the program says its version is.
fn version_of(program: &str) -> anyhow::Result<String> {
    let output = Command::new(program)
        .arg("--version")
        .stderr(Stdio::inherit())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        Ok(output) => bail!("{program} --version ended with {}", output.status),
        Err(_) => bail!("{program} is not installed; {}", needed()),
    }
}

fn needed() -> String {
    format!(
        "the end-to-end tests need Node.js {OLDEST} or newer with npm. \
         On Debian and Ubuntu: apt-get install nodejs npm; or see https://nodejs.org"
    )
}

/// Exactly the locked packages, in `folder`; made once per lock file.
fn install(source: &Path, folder: &Path) -> anyhow::Result<()> {
    let stamp = folder.join("made-from");
    let mut wanted = String::new();
    for name in LOCKED {
        let path = source.join(name);
        wanted +=
            &fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    }
    if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == wanted) {
        return Ok(());
    }
    println!("making {}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    for name in LOCKED {
        fs::copy(source.join(name), folder.join(name))?;
    }
    // Errors only: openai asks for a newer Node.js than it needs, and npm warns of that each time.
    let flags = ["ci", "--ignore-scripts", "--loglevel=error"];
    execute(Command::new("npm").args(flags).current_dir(folder))
        .context("the Node.js packages of the end-to-end tests cannot be installed")?;
    fs::write(&stamp, wanted)?;
    Ok(())
}

/// Puts the modules beside their packages, since Node.js looks for packages from where a module lies.
/// Returns the names of those that are tests.
fn copy_modules(source: &Path, folder: &Path) -> anyhow::Result<Vec<String>> {
    for old in modules(folder)? {
        fs::remove_file(old)?;
    }
    let mut tests = Vec::new();
    for module in modules(source)? {
        let name = module.file_name().unwrap_or_default().to_string_lossy();
        fs::copy(&module, folder.join(&*name))?;
        if name.ends_with(".test.mjs") {
            tests.push(name.into_owned());
        }
    }
    // Given no file, node would look for some by itself.
    ensure!(!tests.is_empty(), "no tests in {}", source.display());
    tests.sort();
    Ok(tests)
}

fn modules(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "mjs") {
            found.push(path);
        }
    }
    Ok(found)
}
