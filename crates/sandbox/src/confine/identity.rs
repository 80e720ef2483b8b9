//! User and group numbers inside a user namespace.

use std::fs;
use std::io;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

use super::error::{At, ConfineError};

/// Inside numbers while the box is being built: root of the new namespace.
pub(super) const ROOT: Ids = Ids { uid: 0, gid: 0 };
/// Inside numbers of the confined command: an ordinary user, so that tools don't behave as root.
pub(super) const ORDINARY: Ids = Ids {
    uid: 1000,
    gid: 1000,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ids {
    pub uid: u32,
    pub gid: u32,
}

impl Ids {
    pub fn current() -> Self {
        Self {
            uid: geteuid().as_raw(),
            gid: getegid().as_raw(),
        }
    }

    /// Maps these numbers of the parent namespace to `inside` ones; the only map an unprivileged process may write.
    pub fn map_to(self, inside: Ids) -> io::Result<()> {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write(
            "/proc/self/gid_map",
            format!("{} {} 1", inside.gid, self.gid),
        )?;
        fs::write(
            "/proc/self/uid_map",
            format!("{} {} 1", inside.uid, self.uid),
        )
    }
}

/// Becomes an ordinary user in a namespace within ours: the mounts belong to the outer one and can't be undone.
pub(super) fn become_ordinary() -> Result<(), ConfineError> {
    let outside = Ids::current();
    unshare(CloneFlags::CLONE_NEWUSER).at("enter the inner user namespace")?;
    outside.map_to(ORDINARY).at("map the inner user")
}
