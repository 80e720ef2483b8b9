//! The few mount operations a private root is made of.

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

use super::error::{At, ConfineError};

const NOTHING: Option<&str> = None;

/// Holds on to a file or folder, so that it can be bound after something was mounted over its path.
pub(super) fn hold(path: &Path) -> Result<File, ConfineError> {
    OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_PATH.bits())
        .open(path)
        .at(format_args!("open {}", path.display()))
}

/// Keeps everything mounted from here on to ourselves. Not even the keeper may share it: a new root would become the
/// keeper's too, and process numbers in its `/proc` would mean something else than to `kill`.
pub(super) fn separate() -> Result<(), ConfineError> {
    unshare(CloneFlags::CLONE_NEWNS).at("enter an own mount namespace")?;
    mount(
        NOTHING,
        "/",
        NOTHING,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        NOTHING,
    )
    .at("make mounts private")
}

/// Shows a held file or folder, with what is mounted in it, at `at` (created if missing).
pub(super) fn bind(source: &File, at: &Path) -> Result<(), ConfineError> {
    make_place(at, source.metadata().at("look at a source")?.is_dir())?;
    let path = format!("/proc/self/fd/{}", source.as_raw_fd());
    mount(
        Some(path.as_str()),
        at,
        NOTHING,
        MsFlags::MS_BIND | MsFlags::MS_REC,
        NOTHING,
    )
    .at(format_args!("bind {}", at.display()))
}

/// An empty folder in memory. `options` bounds its size.
pub(super) fn memory_folder(at: &Path, options: &str) -> Result<(), ConfineError> {
    special(
        "tmpfs",
        at,
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        Some(options),
    )
}

pub(super) fn process_folder(at: &Path) -> Result<(), ConfineError> {
    special(
        "proc",
        at,
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC,
        None,
    )
}

pub(super) fn terminals(at: &Path) -> Result<(), ConfineError> {
    special(
        "devpts",
        at,
        MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC,
        Some("newinstance,ptmxmode=0666,mode=620"),
    )
}

fn special(
    kind: &str,
    at: &Path,
    flags: MsFlags,
    options: Option<&str>,
) -> Result<(), ConfineError> {
    make_place(at, true)?;
    mount(Some(kind), at, Some(kind), flags, options)
        .at(format_args!("mount {kind} on {}", at.display()))
}

fn make_place(at: &Path, folder: bool) -> Result<(), ConfineError> {
    if fs::symlink_metadata(at).is_ok() {
        return Ok(());
    }
    let step = format_args!("create {}", at.display()).to_string();
    if folder {
        return fs::create_dir_all(at).at(step);
    }
    at.parent().map_or(Ok(()), fs::create_dir_all).at(&step)?;
    File::create(at).map(drop).at(step)
}

/// Narrows what a mount point allows, keeping the restrictions it already has (the kernel insists).
pub(super) fn narrow(mounted: &Mounted, more: MsFlags) -> Result<(), ConfineError> {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | mounted.flags | more;
    mount(NOTHING, &mounted.at, NOTHING, flags, NOTHING)
        .at(format_args!("restrict {}", mounted.at.display()))
}

/// Makes `base`, a mount point, the root folder and lets go of the old one.
pub(super) fn become_root(base: &Path) -> Result<(), ConfineError> {
    chdir(base).at("enter the new root")?;
    pivot_root(".", ".").at("switch roots")?;
    umount2(".", MntFlags::MNT_DETACH).at("let go of the old root")?;
    chdir("/").at("enter the root")
}

pub(super) fn undo(base: &Path) -> Result<(), ConfineError> {
    umount2(base, MntFlags::MNT_DETACH).at("undo the new root")
}

/// A mount point, with the restrictions in force there.
#[derive(Debug, PartialEq)]
pub(super) struct Mounted {
    pub at: PathBuf,
    pub flags: MsFlags,
}

/// All mount points at or below `base`.
pub(super) fn below(base: &Path) -> Result<Vec<Mounted>, ConfineError> {
    let table = fs::read_to_string("/proc/self/mountinfo").at("read the mount table")?;
    Ok(table
        .lines()
        .filter_map(parse_line)
        .filter(|mounted| mounted.at.starts_with(base))
        .collect())
}

/// Format: proc_pid_mountinfo(5); the fifth field is the mount point, the sixth its options.
fn parse_line(line: &str) -> Option<Mounted> {
    let mut fields = line.split(' ').skip(4);
    let at = unescape(fields.next()?);
    let flags = fields
        .next()?
        .split(',')
        .fold(MsFlags::empty(), |flags, option| {
            flags
                | match option {
                    "ro" => MsFlags::MS_RDONLY,
                    "nosuid" => MsFlags::MS_NOSUID,
                    "nodev" => MsFlags::MS_NODEV,
                    "noexec" => MsFlags::MS_NOEXEC,
                    _ => MsFlags::empty(),
                }
        });
    Some(Mounted {
        at: at.into(),
        flags,
    })
}

/// The table writes blanks and backslashes as three octal digits.
fn unescape(field: &str) -> String {
    [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ]
    .iter()
    .fold(field.to_owned(), |text, (code, plain)| {
        text.replace(code, plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_line_of_the_mount_table() {
        let line = "36 35 98:0 /mnt1 /a\\040b rw,nosuid,relatime master:1 - ext3 /dev/root rw,errors=continue";
        assert_eq!(
            parse_line(line),
            Some(Mounted {
                at: "/a b".into(),
                flags: MsFlags::MS_NOSUID
            })
        );
        assert_eq!(parse_line("garbage"), None);
    }
}
