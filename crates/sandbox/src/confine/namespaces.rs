//! Entering fresh namespaces, as many as the kernel grants.

use std::fmt;
use std::str::FromStr;

use nix::sched::{CloneFlags, unshare};

use super::error::ConfineError;
use super::identity;

/// Which namespaces are our own. Process, IPC and host name come together or not at all; the init adds its mounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namespaces {
    /// A user namespace and all the others in it; the usual case.
    User,
    /// Root's way where user namespaces are switched off.
    Privileged,
    /// The kernel, or a container around us, allows nothing.
    Shared,
}

impl Namespaces {
    /// Leaves the caller's namespaces. The process namespace starts with the next child.
    ///
    /// One call for all: it changes everything or nothing, so a refusal leaves no half-entered state.
    pub fn enter() -> Self {
        let inner = CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS;
        let outside = identity::Ids::current();
        if unshare(inner | CloneFlags::CLONE_NEWUSER).is_ok() {
            // Without a map we'd be nobody inside and the mounts below fail; then Landlock has to do.
            let _ = outside.map_to(identity::ROOT);
            return Self::User;
        }
        if unshare(inner).is_ok() {
            Self::Privileged
        } else {
            Self::Shared
        }
    }

    pub fn own_processes(self) -> bool {
        self != Self::Shared
    }
}

impl fmt::Display for Namespaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Privileged => "privileged",
            Self::Shared => "shared",
        })
    }
}

impl FromStr for Namespaces {
    type Err = ConfineError;

    fn from_str(text: &str) -> Result<Self, ConfineError> {
        match text {
            "user" => Ok(Self::User),
            "privileged" => Ok(Self::Privileged),
            "shared" => Ok(Self::Shared),
            _ => Err(ConfineError::Usage(format!("unknown namespaces {text:?}"))),
        }
    }
}
