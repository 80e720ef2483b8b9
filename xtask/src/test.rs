//! `cargo xtask test`

use anyhow::{Context, bail};

use crate::step::{Steps, execute};
use crate::workspace::cargo;
use crate::{e2e, tidy};

/// Tells the crash tests how often to kill the server.
const CRASH_CYCLES: &str = "ML_INTERN_CRASH_CYCLES";

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    crash_cycles: Option<u32>,
    skip_e2e: bool,
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
                other => bail!("unknown flag {other}; see cargo xtask help"),
            }
        }
        Ok(options)
    }
}

/// All steps, then the summary.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut steps = Steps::default();
    steps.run("format", || {
        execute(&mut cargo(&["fmt", "--all", "--check"]))
    });
    steps.run("tidiness", tidy::check);
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
    // Tests of every crate may start the executable.
    let built = steps.run("build", || {
        execute(&mut cargo(&["build", "--package", "ml-intern"]))
    });
    steps.run("unit and integration", || {
        let mut tests = cargo(&["test", "--workspace"]);
        if let Some(count) = options.crash_cycles {
            tests.env(CRASH_CYCLES, count.to_string());
        }
        execute(&mut tests)
    });
    match (options.skip_e2e, built) {
        (true, _) => steps.skip("end to end", "as asked"),
        (false, false) => steps.skip("end to end", "nothing was built"),
        (false, true) => {
            steps.run("end to end", e2e::run);
        }
    }
    steps.summary()
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
