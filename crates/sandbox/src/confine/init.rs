//! The inner stage, process 1 of the box: builds the walls from inside, starts the target, reaps.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, geteuid, setsid};

use super::args::Invocation;
use super::error::{At, ConfineError};
use super::layers::{Confinement, Layer};
use super::namespaces::Namespaces;
use super::plan::{self, Entry};
use super::watch::{Event, Watch};
use super::{Policy, SETUP_FAILED, capabilities, descendants, identity, root, ruleset};

/// Entry point of the stage the keeper starts; `args` are the arguments after the stage's name.
pub fn main(args: &[OsString]) -> ExitCode {
    match Invocation::parse(args).and_then(|invocation| run(&invocation)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // The reader may be gone already.
            let _ = writeln!(io::stderr(), "confine: {error}");
            ExitCode::from(SETUP_FAILED)
        }
    }
}

fn run(invocation: &Invocation) -> Result<u8, ConfineError> {
    let namespaces = invocation
        .namespaces
        .ok_or_else(|| ConfineError::Usage("only the keeper starts this stage".into()))?;
    let lifeline = io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .at("hold the lifeline")?;
    let _ = setsid();
    prctl::set_child_subreaper(true).at("become a subreaper")?;
    let start = start_folder(&invocation.policy);
    let holds = build_walls(&invocation.policy, namespaces, &start)?;
    let target = start_target(invocation, &start, &holds)?;
    reap(&target, namespaces, lifeline)
}

fn start_folder(policy: &Policy) -> PathBuf {
    policy
        .chdir
        .as_ref()
        .or(policy.write.first())
        .cloned()
        .unwrap_or_else(|| "/".into())
}

/// Order matters: mounts before the inner user namespace (which can't change them), capabilities after it (it
/// grants a full set), Landlock last (it forbids mounting).
fn build_walls(
    policy: &Policy,
    namespaces: Namespaces,
    start: &Path,
) -> Result<Confinement, ConfineError> {
    let mut holds = Confinement::default();
    let plan = plan::entries(policy)?;
    let counted = !real_root();
    if namespaces == Namespaces::User {
        holds.add(Layer::UserNamespace);
    }
    if namespaces.own_processes() {
        holds.add(Layer::ProcessNamespace);
        enter_root(&plan, policy, start, &mut holds);
        // Refused where user namespaces are switched off; the capabilities go in any case.
        let _ = identity::become_ordinary();
    }
    prctl::set_dumpable(false).at("hide the environment")?;
    policy.limits.apply()?;
    holds.add(Layer::Limits);
    if policy.limits.processes.is_some() && counted {
        holds.add(Layer::ProcessLimit);
    }
    if capabilities::drop_all().is_ok() {
        holds.add(Layer::NoCapabilities);
    }
    if ruleset::restrict(&plan, holds.holds(Layer::PrivateRoot)).unwrap_or(false) {
        holds.add(Layer::Landlock);
    }
    Ok(holds)
}

/// A root that can't be built leaves the shared one, behind Landlock.
fn enter_root(plan: &[Entry], policy: &Policy, start: &Path, holds: &mut Confinement) {
    let Ok(built) = root::enter(plan, policy, start) else {
        return;
    };
    holds.add(Layer::PrivateRoot);
    if built.private_proc {
        holds.add(Layer::PrivateProc);
    }
    if built.process_limit {
        holds.add(Layer::ProcessLimit);
    }
}

/// Whether the machine's root started this box: the kernel doesn't count root's processes.
fn real_root() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let outside = map
        .split_whitespace()
        .nth(1)
        .and_then(|number| number.parse::<u32>().ok());
    geteuid().is_root() && outside.is_none_or(|uid| uid == 0)
}

fn start_target(
    invocation: &Invocation,
    start: &Path,
    holds: &Confinement,
) -> Result<Child, ConfineError> {
    let Some((program, args)) = invocation.argv.split_first() else {
        return Err(ConfineError::Usage("no command".into()));
    };
    let mut command = Command::new(program);
    command.args(args).current_dir(start).stdin(Stdio::null());
    if let Some(name) = &invocation.policy.layers_env {
        command.env(name, holds.to_string());
    }
    let shared_tmp = !holds.holds(Layer::PrivateRoot) && std::env::var_os("TMPDIR").is_none();
    if let Some(tmp) = invocation
        .policy
        .tmp
        .as_ref()
        .or(invocation.policy.write.first())
        .filter(|_| shared_tmp)
    {
        command.env("TMPDIR", tmp);
    }
    command
        .spawn()
        .at(format_args!("start {}", program.to_string_lossy()))
}

fn reap(target: &Child, namespaces: Namespaces, lifeline: OwnedFd) -> Result<u8, ConfineError> {
    let watch = Watch::new(Some(lifeline))?;
    // Belt and braces: the lifeline's end says the same, and also if the keeper died before this line.
    let at_once = if namespaces.own_processes() {
        Signal::SIGKILL
    } else {
        Signal::SIGTERM
    };
    prctl::set_pdeathsig(at_once).at("follow the keeper into death")?;
    let pid = Pid::from_raw(i32::try_from(target.id()).unwrap_or(i32::MAX));
    let code = loop {
        if let Some(code) = descendants::ended(pid) {
            break code;
        }
        if matches!(watch.next(None)?, Event::End | Event::Gone) {
            break descendants::by_signal(Signal::SIGTERM);
        }
    };
    if !namespaces.own_processes() {
        descendants::kill_all();
    }
    Ok(code)
}
