//! Waiting for signals and for somebody's disappearance at the same time, in a process with one thread.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::error::{At, ConfineError};

/// A child changed; we are asked to end.
const SIGNALS: [Signal; 4] = [
    Signal::SIGCHLD,
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGHUP,
];

pub(super) enum Event {
    Child,
    /// A signal asks us to end.
    End,
    /// The watched descriptor says that its other side is gone.
    Gone,
    /// Time is up.
    Tick,
}

pub(super) struct Watch {
    signals: SignalFd,
    other: Option<OwnedFd>,
}

impl Watch {
    /// From here on signals are collected, not delivered. Call it after the last child was started: children
    /// inherit which signals are held back. What came before isn't told, so look at children once first.
    pub fn new(other: Option<OwnedFd>) -> Result<Self, ConfineError> {
        let set = SIGNALS.into_iter().collect::<SigSet>();
        set.thread_block().at("hold signals back")?;
        let signals = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .at("collect signals")?;
        Ok(Self { signals, other })
    }

    pub fn next(&self, patience: Option<Duration>) -> Result<Event, ConfineError> {
        let patience = patience.and_then(|patience| Timespec::try_from(patience).ok());
        let mut sources = vec![PollFd::new(&self.signals, PollFlags::IN)];
        sources.extend(
            self.other
                .as_ref()
                .map(|fd| PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN)),
        );
        match poll(&mut sources, patience.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).at("wait"),
        }
        if sources
            .get(1)
            .is_some_and(|other| !other.revents().is_empty())
        {
            return Ok(Event::Gone);
        }
        Ok(match self.signals.read_signal().at("read a signal")? {
            Some(signal) if signal.ssi_signo == Signal::SIGCHLD as u32 => Event::Child,
            Some(_) => Event::End,
            None => Event::Tick,
        })
    }
}
