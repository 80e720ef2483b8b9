//! `cargo xtask test`

use anyhow::{Context, bail, ensure};

use crate::step::{Steps, execute};
use crate::workspace::cargo;
use crate::{e2e, tidy};

/// Tells the crash tests how often to kill the server.
const CRASH_CYCLES: &str = "ML_INTERN_CRASH_CYCLES";

/// The steps, by the names that `--only` takes.
const STEPS: [&str; 5] = ["format", "tidiness", "clippy", "tests", "e2e"];

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    crash_cycles: Option<u32>,
    skip_e2e: bool,
    only: Option<String>,
}

impl Options {
    pub fn parse(flags: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self::default();
        let mut flags = flags.iter();
        while let Some(flag) = flags.next() {
            match *flag {
                "--skip-e2e" => options.skip_e2e = true,
                "--crash-cycles" => {
                    let count = flags.next().context("--crash-cycles needs a number")?;
                    options.crash_cycles = Some(count.parse().context("--crash-cycles")?);
                }
                "--only" => {
                    let step = flags.next().context("--only needs a step")?;
                    ensure!(
                        STEPS.contains(step),
                        "no step {step}; there are {}",
                        STEPS.join(", ")
                    );
                    options.only = Some((*step).to_owned());
                }
                other => bail!("unknown flag {other}; see cargo xtask help"),
            }
        }
        Ok(options)
    }

    fn wants(&self, step: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == step)
    }
}

/// The steps, then the summary.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut steps = Steps::default();
    if options.wants("format") {
        steps.run("format", || {
            execute(&mut cargo(&["fmt", "--all", "--check"]))
        });
    }
    if options.wants("tidiness") {
        steps.run("tidiness", tidy::check);
    }
    if options.wants("clippy") {
        steps.run("clippy", || {
            let all = [
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ];
            execute(&mut cargo(&all))
        });
    }
    if options.wants("tests") {
        steps.run("unit and integration", || {
            let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
            if let Some(count) = options.crash_cycles {
                tests.env(CRASH_CYCLES, count.to_string());
            }
            execute(&mut tests)
        });
    }
    if options.wants("e2e") {
        end_to_end(options, &mut steps);
    }
    steps.summary()
}

fn end_to_end(options: &Options, steps: &mut Steps) {
    if options.skip_e2e {
        return steps.skip("end to end", "as asked");
    }
    steps.run("end to end", || e2e::run(&[]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags() {
        let parsed = Options::parse(&["--crash-cycles", "100", "--skip-e2e"]).unwrap();
        assert_eq!((parsed.crash_cycles, parsed.skip_e2e), (Some(100), true));
        assert_eq!(Options::parse(&[]).unwrap(), Options::default());
        for wrong in [
            &["--crash-cycles"][..],
            &["--crash-cycles", "x"],
            &["--fast"],
        ] {
            assert!(Options::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
