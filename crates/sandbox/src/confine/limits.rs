//! Resource limits of a confined command.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::error::{At, ConfineError};

/// Upper bounds; `None` leaves the machine's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of private writable memory of each process.
    pub memory_bytes: Option<u64>,
    /// Seconds of processor time of each process.
    pub cpu_seconds: Option<u64>,
    /// Processes and threads in the box at one time (up to 300 more in a young box whose maker is root).
    pub processes: Option<u64>,
    /// Bytes of any one file written.
    pub file_size_bytes: Option<u64>,
}

impl Default for Limits {
    /// Generous for real work, tight enough that a runaway doesn't take the machine along.
    fn default() -> Self {
        Self {
            memory_bytes: None,
            cpu_seconds: None,
            processes: Some(4096),
            file_size_bytes: Some(64 << 30),
        }
    }
}

impl Limits {
    /// The machine's own limits.
    pub const NONE: Self = Self {
        memory_bytes: None,
        cpu_seconds: None,
        processes: None,
        file_size_bytes: None,
    };

    /// Sets them on the calling process, for it and its children. Core dumps are off.
    pub(super) fn apply(&self) -> Result<(), ConfineError> {
        lower(Resource::RLIMIT_CORE, 0)?;
        // RLIMIT_DATA, not RLIMIT_AS: language runtimes reserve far more address space than they use.
        let bounds = [
            (Resource::RLIMIT_DATA, self.memory_bytes),
            (Resource::RLIMIT_CPU, self.cpu_seconds),
            (Resource::RLIMIT_NPROC, self.processes),
            (Resource::RLIMIT_FSIZE, self.file_size_bytes),
        ];
        bounds
            .into_iter()
            .filter_map(|(what, bound)| Some((what, bound?)))
            .try_for_each(|(what, bound)| lower(what, bound))
    }
}

fn lower(what: Resource, bound: u64) -> Result<(), ConfineError> {
    let (_, hard) = getrlimit(what).at("read a resource limit")?;
    let bound = bound.min(hard);
    setrlimit(what, bound, bound).at(format_args!("set {what:?} to {bound}"))
}
