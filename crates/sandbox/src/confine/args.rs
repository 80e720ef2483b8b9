//! The command line of the two stages, read and written in one place.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Policy;
use super::error::ConfineError;
use super::namespaces::Namespaces;

/// Everything a stage is told.
#[derive(Debug)]
pub(super) struct Invocation {
    /// The process whose death ends the box; the actual parent if `None`.
    pub parent: Option<i32>,
    /// What the keeper has entered, for the init; `shared`, for the keeper, means: don't try.
    pub namespaces: Option<Namespaces>,
    pub policy: Policy,
    pub argv: Vec<OsString>,
}

impl Invocation {
    pub fn parse(args: &[OsString]) -> Result<Self, ConfineError> {
        let mut policy = Policy {
            limits: super::Limits::NONE,
            ..Policy::default()
        };
        let (mut parent, mut namespaces) = (None, None);
        let mut rest = args.iter();
        while let Some(flag) = rest.next() {
            if flag == "--" {
                break;
            }
            let flag = flag.to_string_lossy();
            let value = rest
                .next()
                .ok_or_else(|| ConfineError::Usage(format!("{flag} needs a value")))?;
            match flag.as_ref() {
                "--parent" => parent = Some(number(&flag, value)?),
                "--namespaces" => namespaces = Some(value.to_string_lossy().parse()?),
                "--write" => policy.write.push(absolute(&flag, value)?),
                "--read" => policy.read.push(absolute(&flag, value)?),
                "--chdir" => policy.chdir = Some(absolute(&flag, value)?),
                "--tmp" => policy.tmp = Some(absolute(&flag, value)?),
                "--remove" => policy.remove = Some(absolute(&flag, value)?),
                "--layers-env" => policy.layers_env = Some(value.to_string_lossy().into_owned()),
                "--memory" => policy.limits.memory_bytes = Some(number(&flag, value)?),
                "--cpu-seconds" => policy.limits.cpu_seconds = Some(number(&flag, value)?),
                "--processes" => policy.limits.processes = Some(number(&flag, value)?),
                "--file-size" => policy.limits.file_size_bytes = Some(number(&flag, value)?),
                _ => return Err(ConfineError::Usage(format!("unknown option {flag}"))),
            }
        }
        let argv: Vec<OsString> = rest.cloned().collect();
        if argv.is_empty() {
            return Err(ConfineError::Usage("no command after --".into()));
        }
        if policy.write.iter().any(|path| path == Path::new("/")) {
            return Err(ConfineError::Usage(
                "--write / would confine nothing".into(),
            ));
        }
        Ok(Self {
            parent,
            namespaces,
            policy,
            argv,
        })
    }

    pub fn to_args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = Vec::new();
        let mut put = |flag: &str, value: OsString| args.extend([OsString::from(flag), value]);
        let policy = &self.policy;
        if let Some(parent) = self.parent {
            put("--parent", parent.to_string().into());
        }
        if let Some(namespaces) = self.namespaces {
            put("--namespaces", namespaces.to_string().into());
        }
        policy
            .write
            .iter()
            .for_each(|path| put("--write", path.into()));
        policy
            .read
            .iter()
            .for_each(|path| put("--read", path.into()));
        policy
            .chdir
            .iter()
            .for_each(|path| put("--chdir", path.into()));
        policy.tmp.iter().for_each(|path| put("--tmp", path.into()));
        policy
            .remove
            .iter()
            .for_each(|path| put("--remove", path.into()));
        policy
            .layers_env
            .iter()
            .for_each(|name| put("--layers-env", name.into()));
        let limits = policy.limits;
        let bounds = [
            ("--memory", limits.memory_bytes),
            ("--cpu-seconds", limits.cpu_seconds),
            ("--processes", limits.processes),
            ("--file-size", limits.file_size_bytes),
        ];
        bounds
            .into_iter()
            .filter_map(|(flag, bound)| Some((flag, bound?)))
            .for_each(|(flag, bound)| put(flag, bound.to_string().into()));
        args.push("--".into());
        args.extend(self.argv.iter().cloned());
        args
    }
}

fn number<T: std::str::FromStr>(flag: &str, value: &OsString) -> Result<T, ConfineError> {
    let text = value.to_string_lossy();
    text.parse()
        .map_err(|_| ConfineError::Usage(format!("{flag} needs a number, not {text:?}")))
}

fn absolute(flag: &str, value: &OsString) -> Result<PathBuf, ConfineError> {
    let path = Path::new(value);
    let plain = path.is_absolute()
        && !path
            .components()
            .any(|part| part == std::path::Component::ParentDir);
    plain
        .then(|| path.to_owned())
        .ok_or_else(|| ConfineError::Usage(format!("{flag} needs an absolute path without `..`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Invocation, ConfineError> {
        Invocation::parse(&args.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_written_is_read_back() {
        let line = [
            "--parent", "7", "--write", "/a", "--write", "/b", "--read", "/c", "--chdir", "/a",
            "--memory", "99", "--", "sh", "-c", "--",
        ];
        let once = parse(&line).unwrap();
        assert_eq!(
            (
                once.parent,
                once.policy.limits.memory_bytes,
                once.argv.len()
            ),
            (Some(7), Some(99), 3)
        );
        let twice = Invocation::parse(&once.to_args()).unwrap();
        assert_eq!(format!("{once:?}"), format!("{twice:?}"));
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for line in [
            &["--write", "/", "--", "sh"][..],
            &["--write", "a", "--", "sh"],
            &["--write", "/a/../..", "--", "sh"],
            &["--what", "1", "--", "sh"],
            &["--memory", "lots", "--", "sh"],
            &["--write", "/a"],
            &["--read"],
            &["--"],
        ] {
            assert!(
                matches!(parse(line), Err(ConfineError::Usage(_))),
                "{line:?}"
            );
        }
    }
}
