//! Steps with a name and a time, and the summary of them.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Skipped,
}

/// Runs steps one after the other and remembers how they went. A failed step does not stop the later
/// ones: one run should tell everything that is wrong.
#[derive(Debug, Default)]
pub struct Steps {
    done: Vec<(&'static str, Outcome, Duration)>,
}

impl Steps {
    /// Runs a step; says whether it passed.
    pub fn run(&mut self, name: &'static str, work: impl FnOnce() -> anyhow::Result<()>) -> bool {
        println!("\n── {name}");
        let began = Instant::now();
        let outcome = match work() {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                println!("{error:#}");
                Outcome::Failed
            }
        };
        let time = began.elapsed();
        println!(
            "── {name}: {} in {:.1} s",
            word(outcome),
            time.as_secs_f64()
        );
        self.done.push((name, outcome, time));
        outcome == Outcome::Passed
    }

    /// Notes a step that was left out.
    pub fn skip(&mut self, name: &'static str, why: &str) {
        println!("\n── {name}: skipped, {why}");
        self.done.push((name, Outcome::Skipped, Duration::ZERO));
    }

    /// Prints the table. An error if any step failed.
    pub fn summary(self) -> anyhow::Result<()> {
        println!("\nsummary");
        for (name, outcome, time) in &self.done {
            println!(
                "  {:<8} {name:<24} {:>7.1} s",
                word(*outcome),
                time.as_secs_f64()
            );
        }
        let all: Duration = self.done.iter().map(|(.., time)| *time).sum();
        let failed = self
            .done
            .iter()
            .filter(|(_, outcome, _)| *outcome == Outcome::Failed);
        match failed.count() {
            0 => {
                println!("  all good in {:.0} s", all.as_secs_f64());
                Ok(())
            }
            count => bail!("{count} of {} steps failed", self.done.len()),
        }
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "ok",
        Outcome::Failed => "FAILED",
        Outcome::Skipped => "skipped",
    }
}

/// Runs a command with its output shown; an error unless it exits with 0.
pub fn execute(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("cannot start {program}"))?;
    match status.success() {
        true => Ok(()),
        false => bail!("{program} ended with {status}"),
    }
}
