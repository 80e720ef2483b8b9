//! Confinement of a command by re-executing our own binary: `ml-intern confine … -- CMD ARG…`.
//!
//! Three processes take part. The *keeper* (what the caller spawned) starts an own session, gives up the chance of
//! new privileges, enters fresh namespaces where the kernel allows, and starts the *init*. The init (process 1 of
//! the new process namespace) builds a private root folder, sets limits, drops capabilities, restricts itself with
//! Landlock and starts the *target*. The keeper then watches three things: the target's end (whose exit code it
//! passes on), its own SIGTERM, and the death of the process that called [`command`].
//!
//! | layer | what it gives | without it |
//! |---|---|---|
//! | session, no new privileges | no terminal of ours; setuid programs gain nothing | (always there) |
//! | limits | memory, CPU time, file size of each process; number of processes | (always there; see below) |
//! | process namespace | others' processes invisible; one kill ends the whole tree, surely | descendants are found by parentage (as subreaper) and killed; a target that kills its init first may leave some behind if the keeper is killed too |
//! | private root | only listed folders exist; all but the writable ones are read-only; own `/tmp`, `/etc/passwd`, `/dev` | Landlock alone: other paths can't be opened, but `stat`, `chmod` and Unix sockets stay reachable |
//! | own `/proc` | no other process's data | Landlock still refuses foreign `/proc/PID/environ`, `mem` |
//! | no capabilities | root inside is nobody special | (only kept if the kernel refuses to drop them) |
//! | Landlock | the same list of folders, enforced a second time; no signals or abstract sockets outwards (kernel ≥ 6.12) | the private root alone |
//!
//! Not confined: the network (commands need it, so this machine's loopback services are reachable), the number of
//! processes when the caller is root on a kernel before 6.14, the memory of the tree as a whole, the space used in
//! the writable folders.

mod args;
mod capabilities;
mod descendants;
mod error;
mod identity;
mod init;
mod keeper;
mod layers;
mod limits;
mod lock;
mod mounts;
mod namespaces;
mod plan;
mod root;
mod ruleset;
mod system_paths;
mod toolchain;
mod watch;

use std::path::{Path, PathBuf};
use std::process::Stdio;

pub use error::ConfineError;
pub use init::main as init_main;
pub use keeper::main as keeper_main;
pub use layers::{Confinement, Layer};
pub use limits::Limits;
pub use toolchain::warm_up;

/// First argument of the outer stage.
pub const KEEPER: &str = "confine";
/// First argument of the inner stage; started by the keeper only.
pub const INIT: &str = "confine-init";
/// Exit code of a stage that could not set up the box; the reason is on stderr.
pub const SETUP_FAILED: u8 = 125;

/// What a confined command may touch. Paths are absolute.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Existing folders that may be read and written.
    pub write: Vec<PathBuf>,
    /// Files and folders that may be read and executed, beside the system's and the language installations.
    pub read: Vec<PathBuf>,
    /// Where the command starts; the first writable folder if `None`.
    pub chdir: Option<PathBuf>,
    /// An existing folder to show as `/tmp`; an empty one in memory (at most 512 MiB) if `None`.
    pub tmp: Option<PathBuf>,
    /// A folder that the keeper removes when all is over.
    pub remove: Option<PathBuf>,
    /// Name of an environment variable that tells the command which layers hold (see [`Confinement`]).
    pub layers_env: Option<String>,
    pub limits: Limits,
}

/// A command that runs `argv` confined; `exe` is a binary whose `main` calls [`crate::entry::dispatch`].
///
/// The environment holds nothing but `PATH` and `LANG`; what the caller adds reaches the confined command. Standard
/// input is empty. Standard output and error may be redirected by the caller. The tree dies when the child is
/// killed, gets SIGTERM, is dropped, or when the calling process dies. The exit code is the command's, 128 + N if
/// signal N ended it, or [`SETUP_FAILED`].
///
/// The first call looks for language installations, which may take some tens of milliseconds: see [`warm_up`].
pub fn command(exe: &Path, policy: &Policy, argv: &[String]) -> tokio::process::Command {
    let tools = toolchain::found();
    let mut full = policy.clone();
    full.read.push(exe.to_owned());
    full.read.extend(tools.read.iter().cloned());
    let invocation = args::Invocation {
        parent: i32::try_from(std::process::id()).ok(),
        namespaces: None,
        policy: full,
        argv: argv.iter().map(Into::into).collect(),
    };
    let mut command = tokio::process::Command::new(exe);
    command
        .arg(KEEPER)
        .args(invocation.to_args())
        .env_clear()
        .env("PATH", &tools.path)
        .env("LANG", "C.UTF-8")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}
