//! Showing one run until it ends, pauses or is left alone.

use std::io;
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use crate::client::{Client, ClientError, Follower, Status, Until, Update};
use crate::exit::Exit;
use crate::screen::view::View;
use crate::screen::{Screen, story};
use crate::{clean, interrupt::Interrupts};

/// Between two frames of a live screen.
const FRAME: Duration = Duration::from_millis(100);
/// Events taken in one go before a frame is drawn.
const BATCH: usize = 512;

/// Where the run lives, which decides what Ctrl-C means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home<'a> {
    /// On a server that goes on without us. The address, if it must be named to find it again.
    Server(Option<&'a str>),
    /// In this process.
    Here,
    /// In this process, for show.
    Demo,
}

/// What there was to see.
#[derive(Debug)]
pub struct Attended {
    pub exit: Exit,
    pub view: View,
}

/// Shows the run `id` on `screen`. Ctrl-C detaches from a server at once; of a run in this process it
/// warns first.
pub async fn attend(
    client: &Client,
    id: &str,
    until: Until,
    home: Home<'_>,
    screen: &mut Screen,
) -> Result<Attended, AttendError> {
    let mut session = Session {
        id,
        home,
        screen,
        view: View::default(),
        warned: false,
        told: false,
    };
    let mut follower = client.events(id, None, until)?;
    let mut interrupts = Interrupts::listen();
    let mut frames = tokio::time::interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let exit = loop {
        tokio::select! {
            update = follower.next() => match update {
                Some(update) => session.take(update?, &mut follower)?,
                None => break session.over()?,
            },
            _ = frames.tick() => session.screen.refresh(&session.view)?,
            () = interrupts.next() => if let Some(exit) = session.interrupted()? {
                break exit;
            },
        }
    };
    let view = session.view;
    Ok(Attended { exit, view })
}

/// Why showing a run failed.
#[derive(Debug, thiserror::Error)]
pub enum AttendError {
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Standard output is gone: for a pipe that nobody reads any more, the normal end.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
}

struct Session<'a> {
    id: &'a str,
    home: Home<'a>,
    screen: &'a mut Screen,
    view: View,
    /// The first Ctrl-C came.
    warned: bool,
    /// The loss of the connection was told, and no event came since.
    told: bool,
}

impl Session<'_> {
    /// One update, and those that already wait behind it.
    fn take(&mut self, first: Update, follower: &mut Follower) -> Result<(), AttendError> {
        self.one(first)?;
        for _ in 0..BATCH {
            match follower.try_next() {
                Some(update) => self.one(update?)?,
                None => break,
            }
        }
        Ok(())
    }

    fn one(&mut self, update: Update) -> Result<(), AttendError> {
        match update {
            Update::Event(event) => {
                self.told = false;
                let changes = self.view.apply(&event, Instant::now());
                self.screen.show(&event, &changes, &self.view)?;
            }
            Update::Lost { reason, retry_in } => {
                // The first tries are silent: most connections are back before anybody could read it.
                if retry_in > Duration::from_secs(1) && !self.told {
                    self.told = true;
                    let line = format!(
                        "connection lost ({}), trying again",
                        clean::short(&reason, 200)
                    );
                    self.screen.say(&[self.screen.ink().warn(&line)])?;
                }
            }
        }
        Ok(())
    }

    /// The stream ended by itself: at the end of the run, or at a pause.
    fn over(&mut self) -> Result<Exit, AttendError> {
        let ink = self.screen.ink();
        let (lines, exit) = match self.view.status {
            Status::Completed => (story::ending(&self.view.snapshot, ink), Exit::Done),
            Status::Failed | Status::Cancelled => {
                (story::ending(&self.view.snapshot, ink), Exit::Failed)
            }
            _ => {
                let mut lines = story::pause(&self.view, self.id, self.server(), ink);
                if self.home == Home::Here {
                    lines.push(
                        "The run is kept; for these commands, start: ml-intern serve".to_owned(),
                    );
                }
                (lines, Exit::Paused)
            }
        };
        self.screen.say(&lines)?;
        Ok(exit)
    }

    fn server(&self) -> Option<&str> {
        match self.home {
            Home::Server(named) => named,
            Home::Here | Home::Demo => None,
        }
    }

    /// Ctrl-C. `None`: go on.
    fn interrupted(&mut self) -> Result<Option<Exit>, AttendError> {
        let watch = story::command(&format!("watch {}", self.id), self.server());
        let lines = match self.home {
            Home::Server(_) => vec![
                "Detached; the run goes on. To see it again:".to_owned(),
                format!("  {watch}"),
            ],
            Home::Here if !self.warned => {
                self.warned = true;
                self.screen.say(&[
                    "This run lives in this process. Ctrl-C again stops it; what it launched on Hugging Face goes on.".to_owned(),
                    "For runs that outlive the terminal: `ml-intern serve`, then `run --server`, and `watch`.".to_owned(),
                ])?;
                return Ok(None);
            }
            Home::Demo => vec!["Stopped.".to_owned()],
            Home::Here => vec![
                "Stopped. The run is kept, paused as by a restart. To see it again:".to_owned(),
                "  ml-intern serve".to_owned(),
                format!("  {watch}"),
            ],
        };
        self.screen.say(&lines)?;
        Ok(Some(Exit::Detached))
    }
}
