//! Test files as processes, several at a time. What one prints is shown in one piece, when it has ended.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// How many at a time. More than the processors of a small machine, since the tests wait more than they work.
const AT_ONCE: usize = 4;

/// A test file.
#[derive(Debug)]
pub struct Suite {
    pub name: String,
    pub command: Command,
    /// Of those that wait longest; they begin first, or all would wait for them at the end.
    pub slow: bool,
}

struct Ended {
    name: String,
    passed: bool,
    took: Duration,
}

/// Runs them all; an error names those that failed.
pub fn run(mut suites: Vec<Suite>) -> anyhow::Result<()> {
    suites.sort_by_key(|suite| !suite.slow);
    let waiting = Mutex::new(VecDeque::from(suites));
    let ended = Mutex::new(Vec::new());
    let next = || {
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(suite) = next() {
                    let end = one(suite);
                    ended
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(end);
                }
            });
        }
    });
    summary(&ended.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn one(mut suite: Suite) -> Ended {
    let began = Instant::now();
    let outcome = suite
        .command
        .output()
        .with_context(|| format!("cannot start {}", suite.name));
    let took = began.elapsed();
    let (passed, printed) = match outcome {
        Ok(output) => {
            let mut printed = String::from_utf8_lossy(&output.stdout).into_owned();
            printed += &String::from_utf8_lossy(&output.stderr);
            (output.status.success(), printed)
        }
        Err(error) => (false, format!("{error:#}\n")),
    };
    println!("── {} ({:.1} s)\n{printed}", suite.name, took.as_secs_f64());
    Ended {
        name: suite.name,
        passed,
        took,
    }
}

fn summary(ended: &[Ended]) -> anyhow::Result<()> {
    let mut table = String::new();
    for Ended { name, passed, took } in ended {
        let word = if *passed { "ok" } else { "FAILED" };
        let _ = writeln!(
            table,
            "  {word:<6} {name:<28} {:>6.1} s",
            took.as_secs_f64()
        );
    }
    print!("{table}");
    let failed: Vec<&str> = ended
        .iter()
        .filter(|end| !end.passed)
        .map(|end| end.name.as_str())
        .collect();
    match failed.is_empty() {
        true => Ok(()),
        false => bail!("failed: {}", failed.join(", ")),
    }
}
