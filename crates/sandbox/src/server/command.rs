//! Starting and ending a command with everything it started.

use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::failure::Failure;
use crate::wire::{CommandLine, ExecRequest};

/// How long a command may take to end by itself after SIGTERM.
const GRACE: Duration = Duration::from_secs(1);

/// A command running as the leader of its own process group.
pub(super) struct Running {
    pub child: Child,
    group: Pid,
}

/// Starts what is asked for. `output` is where its standard output and error go.
pub(super) fn start(
    environment: &[(OsString, OsString)],
    request: &ExecRequest,
    output: fn() -> Stdio,
) -> Result<Running, Failure> {
    let mut command = match (&request.cmd, request.shell) {
        (CommandLine::Shell(line), None | Some(true)) => {
            let mut command = Command::new("/bin/sh");
            command.arg("-c").arg(line);
            command
        }
        (CommandLine::Program(argv), None | Some(false)) => {
            let (program, args) = argv
                .split_first()
                .ok_or_else(|| Failure::bad("cmd is empty"))?;
            let mut command = Command::new(program);
            command.args(args);
            command
        }
        (_, Some(_)) => {
            return Err(Failure::bad(
                "shell contradicts cmd: a shell takes a string, a program a list",
            ));
        }
    };
    if let Some(cwd) = &request.cwd {
        command.current_dir(cwd);
    }
    let stdin = if request.stdin.is_some() {
        Stdio::piped()
    } else {
        Stdio::null()
    };
    command
        .env_clear()
        .envs(environment.iter().cloned())
        .envs(request.env.iter().flatten());
    command
        .stdin(stdin)
        .stdout(output())
        .stderr(output())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command
        .spawn()
        .map_err(|error| Failure::bad(format!("can't start the command: {error}")))?;
    let group = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .map(Pid::from_raw);
    let group = group.ok_or_else(|| Failure::bad("the command ended before it began"))?;
    if let (Some(pipe), Some(text)) = (child.stdin.take(), &request.stdin) {
        tokio::spawn(feed(pipe, text.clone()));
    }
    Ok(Running { child, group })
}

/// A command need not read what it is given.
async fn feed(mut pipe: ChildStdin, text: String) {
    let _ = pipe.write_all(text.as_bytes()).await;
}

impl Running {
    pub fn pid(&self) -> i32 {
        self.group.as_raw()
    }

    /// Asks the whole group to end, then makes it.
    pub async fn end(&mut self) -> std::io::Result<ExitStatus> {
        let _ = killpg(self.group, Signal::SIGTERM);
        let polite = timeout(GRACE, self.child.wait()).await;
        // Others of the group may have stayed.
        let _ = killpg(self.group, Signal::SIGKILL);
        match polite {
            Ok(status) => status,
            Err(_) => self.child.wait().await,
        }
    }
}
