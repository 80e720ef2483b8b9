//! The list of files and folders a box sees, made from a policy. Both file layers enforce this one list.

use std::fs;
use std::path::{Path, PathBuf};

use super::Policy;
use super::error::{At, ConfineError};
use super::system_paths::{DEVICES, HARDWARE, PROGRAMS, SETTINGS};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Read and execute.
    Read,
    /// Read, write, execute, but no devices.
    Write,
    /// A device node.
    Device,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its path inside the box.
    pub at: PathBuf,
    /// The real file or folder.
    pub from: PathBuf,
    pub access: Access,
}

/// Parents come before what lies in them.
pub(super) fn entries(policy: &Policy) -> Result<Vec<Entry>, ConfineError> {
    let mut entries = Vec::new();
    let settings = SETTINGS.iter().map(|name| Path::new("/etc").join(name));
    let system = PROGRAMS
        .iter()
        .chain(&HARDWARE)
        .map(PathBuf::from)
        .chain(settings);
    entries.extend(system.filter_map(|at| existing(at, Access::Read)));
    entries.extend(
        DEVICES
            .iter()
            .filter_map(|at| existing(PathBuf::from(at), Access::Device)),
    );
    for path in &policy.write {
        let from = fs::canonicalize(path).at(path.display())?;
        entries.push(Entry {
            at: path.clone(),
            from,
            access: Access::Write,
        });
    }
    if let Some(tmp) = &policy.tmp {
        let from = fs::canonicalize(tmp).at(tmp.display())?;
        entries.push(Entry {
            at: "/tmp".into(),
            from,
            access: Access::Write,
        });
    }
    for path in &policy.read {
        let covered = entries
            .iter()
            .any(|entry| path.starts_with(&entry.at) && entry.at != Path::new("/tmp"));
        if !covered {
            entries.extend(existing(path.clone(), Access::Read));
        }
    }
    entries.sort_by_key(|entry| entry.at.components().count());
    Ok(entries)
}

fn existing(at: PathBuf, access: Access) -> Option<Entry> {
    let from = fs::canonicalize(&at).ok()?;
    Some(Entry { at, from, access })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_first_and_covered_paths_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let policy = Policy {
            write: vec![inner.clone()],
            read: vec![
                "/usr/bin/env".into(),
                folder.path().into(),
                inner.join("x"),
                "/nowhere".into(),
            ],
            ..Policy::default()
        };
        let plan = entries(&policy).unwrap();
        let place = |path: &Path| plan.iter().position(|entry| entry.at == path);
        assert!(place(folder.path()) < place(&inner) && place(folder.path()).is_some());
        assert_eq!(
            (
                place(Path::new("/usr/bin/env")),
                place(Path::new("/nowhere")),
                place(&inner.join("x"))
            ),
            (None, None, None)
        );
        assert!(
            plan.iter()
                .all(|entry| entry.at != Path::new("/etc/shadow") && entry.at != Path::new("/etc"))
        );
    }

    #[test]
    fn a_missing_writable_folder_is_an_error() {
        let policy = Policy {
            write: vec!["/nowhere/at/all".into()],
            ..Policy::default()
        };
        assert!(entries(&policy).is_err());
    }
}
