//! Ctrl-C and SIGTERM.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Interrupts from the keyboard, one at a time. Where signals cannot be had, never any: the default
/// action (to end the process) then stands.
#[derive(Debug)]
pub struct Interrupts(Option<Signal>);

impl Interrupts {
    /// From now on Ctrl-C no longer ends the process by itself.
    pub fn listen() -> Self {
        Self(signal(SignalKind::interrupt()).ok())
    }

    /// The next Ctrl-C. Safe to drop and call again.
    pub async fn next(&mut self) {
        match &mut self.0 {
            Some(signal) => {
                signal.recv().await;
            }
            None => std::future::pending().await,
        }
    }
}

/// Completes when the process is asked to end, by Ctrl-C or SIGTERM.
pub async fn asked_to_end() {
    let mut interrupts = Interrupts::listen();
    let mut terminate = Interrupts(signal(SignalKind::terminate()).ok());
    tokio::select! {
        () = interrupts.next() => {}
        () = terminate.next() => {}
    }
}
