//! The end-to-end tests: clients that others wrote against the real executable. Each language's tests set up
//! what they need under the target folder, from a lock file, and again only when that has changed.
//!
//! A test file is a process with a server of its own, so files run side by side: most of their time they wait.

mod node;
mod python;
mod schemathesis;
mod side_by_side;

use std::thread::{self, ScopedJoinHandle};

use anyhow::{Context, ensure};

use crate::step::execute;
use crate::workspace::cargo;

/// Tells the tests where the executable is.
const BIN: &str = "ML_INTERN_BIN";

/// Builds the executable, sets up both languages' packages, and runs the test files whose names have one of
/// the `words` in them (no word: all).
pub fn run(words: &[&str]) -> anyhow::Result<()> {
    let (built, python, node) = thread::scope(|scope| {
        let python = scope.spawn(|| (python::set_up(), schemathesis::set_up()));
        let node = scope.spawn(node::set_up);
        // As the other tests build it: with fewer packages chosen, features differ and much is built a second time.
        let built = execute(&mut cargo(&["test", "--workspace", "--no-run"]));
        (built, joined(python), joined(node))
    });
    built.context("nothing was built")?;
    let (python, schemathesis, node) = (python.0?, python.1?, node?);
    let mut suites = python.suites(&node.folder)?;
    suites.extend(node.suites());
    suites.push(schemathesis);
    suites.retain(|suite| words.is_empty() || words.iter().any(|word| suite.name.contains(word)));
    ensure!(!suites.is_empty(), "no test file has such a name");
    side_by_side::run(suites)
}

/// What a thread came to; its panic is ours.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
