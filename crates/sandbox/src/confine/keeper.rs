//! The outer stage: enters namespaces, starts the init, and ends the box when its time has come.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getppid, pipe2, setsid};
use rustix::process::{PidfdFlags, pidfd_open};

use super::args::Invocation;
use super::error::{At, ConfineError};
use super::namespaces::Namespaces;
use super::watch::{Event, Watch};
use super::{INIT, SETUP_FAILED, descendants};

/// How often to look for the parent where the kernel can't tell us of its end (before Linux 5.3).
const PARENT_CHECK: Duration = Duration::from_millis(200);
/// How long an init without its own process namespace may take to end its tree by itself.
const INIT_PATIENCE: Duration = Duration::from_millis(500);

/// Entry point of `ml-intern confine`; `args` are the arguments after the stage's name.
pub fn main(args: &[OsString]) -> ExitCode {
    let invocation = match Invocation::parse(args) {
        Ok(invocation) => invocation,
        Err(error) => return failed(&error),
    };
    let remove = invocation.policy.remove.clone();
    let outcome = keep(invocation);
    if let Some(folder) = remove {
        // What can't be removed was made so by nobody but the machine; there is no one left to tell.
        let _ = std::fs::remove_dir_all(folder);
    }
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => failed(&error),
    }
}

fn failed(error: &ConfineError) -> ExitCode {
    // The reader may be gone already.
    let _ = writeln!(io::stderr(), "confine: {error}");
    ExitCode::from(SETUP_FAILED)
}

fn keep(mut invocation: Invocation) -> Result<u8, ConfineError> {
    // Not the kernel's parent-death signal: it is bound to the parent's *thread*, and threads of a pool come and go.
    let parent = invocation.parent.map_or_else(getppid, Pid::from_raw);
    let parent_end = rustix::process::Pid::from_raw(parent.as_raw())
        .and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    if getppid() != parent {
        return Err(ConfineError::Usage(
            "the process that wanted this box is gone".into(),
        ));
    }
    prctl::set_no_new_privs().at("give up new privileges")?;
    prctl::set_child_subreaper(true).at("become a subreaper")?;
    // Refused only to the leader of a process group, who then has the group to itself already.
    let _ = setsid();

    // Told `shared`, it tries nothing: how the fallback is put to the test on a machine that allows everything.
    let namespaces = invocation
        .namespaces
        .filter(|told| *told == Namespaces::Shared)
        .unwrap_or_else(Namespaces::enter);
    invocation.namespaces = Some(namespaces);
    let (lifeline, _held_until_our_end) = pipe2(OFlag::O_CLOEXEC).at("make a pipe")?;
    let init = start_init(&invocation, lifeline)?;
    // Our environment is the box's; nobody has to look into it through /proc.
    prctl::set_dumpable(false).at("hide the environment")?;
    let tick = parent_end.is_none().then_some(PARENT_CHECK);
    watch(&init, namespaces, parent, Watch::new(parent_end)?, tick)
}

fn start_init(invocation: &Invocation, lifeline: OwnedFd) -> Result<Child, ConfineError> {
    // This very file, even if it has been replaced on disk meanwhile.
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0("ml-intern")
        .arg(INIT)
        .args(invocation.to_args())
        .stdin(Stdio::from(lifeline));
    command.spawn().at("start the init")
}

fn watch(
    init: &Child,
    namespaces: Namespaces,
    parent: Pid,
    watch: Watch,
    tick: Option<Duration>,
) -> Result<u8, ConfineError> {
    let pid = Pid::from_raw(i32::try_from(init.id()).unwrap_or(i32::MAX));
    loop {
        if let Some(code) = descendants::ended(pid) {
            descendants::kill_all();
            return Ok(code);
        }
        let orphaned = match watch.next(tick)? {
            Event::Child => false,
            Event::End | Event::Gone => true,
            Event::Tick => getppid() != parent,
        };
        if orphaned {
            end(pid, namespaces, &watch);
            return Ok(descendants::by_signal(Signal::SIGTERM));
        }
    }
}

fn end(init: Pid, namespaces: Namespaces, watch: &Watch) {
    if namespaces.own_processes() {
        // The kernel takes everything in the namespace along.
        let _ = kill(init, Signal::SIGKILL);
    } else {
        let _ = kill(init, Signal::SIGTERM);
        let _ = watch.next(Some(INIT_PATIENCE));
    }
    descendants::kill_all();
}
