//! The server's settings, and getting the token out of the process's visible environment.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::sys::prctl;
use nix::unistd::pipe2;
use secrecy::SecretString;

const DEFAULT_PORT: &str = "49983";
const DEFAULT_BIND: &str = "0.0.0.0";
/// A pipe takes this much at once without a reader.
const LONGEST_TOKEN: usize = 4096;
/// Set by the confinement for a server on this machine.
pub(crate) const LAYERS_ENV: &str = "SBX_LAYERS";
pub(crate) const TOKEN_ENV: &str = "SBX_TOKEN";
const TOKEN_FROM_STDIN: &str = "--token-stdin";

#[derive(Debug)]
pub(super) enum Listen {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

#[derive(Debug)]
pub(super) struct Settings {
    pub listen: Listen,
    pub announce: bool,
    pub token: SecretString,
    pub idle_timeout: Option<Duration>,
    pub layers: Option<String>,
}

impl Settings {
    /// Reads arguments and environment. The token is moved out of the environment by starting this program again in
    /// this very process: else every command could read it from `/proc`.
    pub fn take(args: &[OsString]) -> io::Result<Self> {
        let (rest, hidden): (Vec<_>, Vec<_>) = args
            .iter()
            .cloned()
            .partition(|arg| arg != TOKEN_FROM_STDIN);
        if hidden.is_empty() {
            return Err(start_again_without_token(&rest));
        }
        let mut token = String::new();
        io::stdin()
            .take(LONGEST_TOKEN as u64)
            .read_to_string(&mut token)?;
        // Nobody with our user number may look into this process from now on.
        prctl::set_dumpable(false)?;
        let (listen, announce) = listen(&rest)?;
        let idle_timeout = env::var("SBX_IDLE_TIMEOUT")
            .ok()
            .filter(|text| !text.is_empty());
        let idle_timeout = idle_timeout.map(|text| seconds(&text)).transpose()?;
        Ok(Self {
            listen,
            announce,
            token: token.into(),
            idle_timeout,
            layers: env::var(LAYERS_ENV).ok(),
        })
    }
}

/// Returns only if it fails.
fn start_again_without_token(args: &[OsString]) -> io::Error {
    let start = || -> io::Result<io::Error> {
        let token = env::var_os(TOKEN_ENV).filter(|token| !token.is_empty());
        let token = token
            .ok_or_else(|| invalid("SBX_TOKEN is not set"))?
            .into_encoded_bytes();
        if token.len() > LONGEST_TOKEN {
            return Err(invalid("SBX_TOKEN is too long"));
        }
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
        io::PipeWriter::from(writer).write_all(&token)?;
        let mut command = Command::new("/proc/self/exe");
        command
            .arg0("ml-intern")
            .arg(super::SERVER)
            .arg(TOKEN_FROM_STDIN)
            .args(args);
        Ok(command
            .env_remove(TOKEN_ENV)
            .stdin(Stdio::from(reader))
            .exec())
    };
    start().unwrap_or_else(|error| error)
}

fn listen(args: &[OsString]) -> io::Result<(Listen, bool)> {
    let (mut listen, mut announce) = (None, false);
    let mut args = args.iter().map(OsString::as_os_str);
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--announce-stdout") => announce = true,
            Some("--listen") => listen = Some(place(args.next().unwrap_or_default())?),
            _ => {
                return Err(invalid(&format!(
                    "unknown argument {}",
                    arg.to_string_lossy()
                )));
            }
        }
    }
    Ok((listen.map_or_else(from_environment, Ok)?, announce))
}

fn place(text: &OsStr) -> io::Result<Listen> {
    let text = text.to_string_lossy();
    match text.split_once(':') {
        Some(("tcp", address)) => address
            .parse()
            .map(Listen::Tcp)
            .map_err(|_| invalid("--listen tcp: needs ADDRESS:PORT")),
        Some(("unix", path)) if !path.is_empty() => Ok(Listen::Unix(path.into())),
        _ => Err(invalid("--listen needs tcp:ADDRESS:PORT or unix:PATH")),
    }
}

fn from_environment() -> io::Result<Listen> {
    let or = |name, default: &str| {
        env::var(name)
            .ok()
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| default.to_owned())
    };
    let bind = or("SBX_BIND", DEFAULT_BIND)
        .parse()
        .map_err(|_| invalid("SBX_BIND is no address"))?;
    let port = or("SBX_PORT", DEFAULT_PORT)
        .parse()
        .map_err(|_| invalid("SBX_PORT is no port"))?;
    Ok(Listen::Tcp(SocketAddr::new(bind, port)))
}

fn seconds(text: &str) -> io::Result<Duration> {
    let value = text.parse().ok().filter(|value: &f64| *value > 0.0);
    value
        .and_then(|value| Duration::try_from_secs_f64(value).ok())
        .ok_or_else(|| invalid("SBX_IDLE_TIMEOUT is no number of seconds"))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what.to_owned())
}
