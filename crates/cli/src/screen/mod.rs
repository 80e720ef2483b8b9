//! What a person sees of a run.
//!
//! In: events of the log ([`crate::client`]). Out: lines on standard output. [`View`] folds events
//! into what is going on (pure); a [`Screen`] shows it in one of three ways: live on a terminal, as
//! plain lines elsewhere, or as the raw events for programs. Nothing from outside reaches the
//! terminal uncleaned ([`crate::clean`]): the fold cleans at its entrance.

pub mod describe;
pub mod format;
pub mod ink;
pub mod lines;
pub mod live;
pub mod plain;
pub mod story;
pub mod view;

use std::io::{self, IsTerminal, Stdout, Write, stdout};
use std::time::Instant;

use console::Term;

use crate::client::Event;
use ink::Ink;
use live::Painter;
use view::{Change, View};

/// How to show a run.
#[derive(Debug)]
pub enum Screen {
    Live(Live),
    Plain(Stdout),
    Json(Stdout),
}

/// A terminal with a frame at its bottom.
#[derive(Debug)]
pub struct Live {
    painter: Painter<Stdout>,
    term: Term,
    ink: Ink,
    since: Instant,
    waiting: Vec<String>,
}

impl Live {
    /// Columns that may be used.
    fn width(&self) -> usize {
        usize::from(self.term.size().1).saturating_sub(1).max(20)
    }
}

impl Screen {
    /// Raw events if `json`, else by what standard output is.
    pub fn open(json: bool) -> Self {
        let out = stdout();
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        match (json, out.is_terminal() && !dumb) {
            (true, _) => Self::Json(out),
            (false, false) => Self::Plain(out),
            (false, true) => Self::Live(Live {
                painter: Painter::new(out),
                term: Term::stdout(),
                ink: Ink::for_terminal(true),
                since: Instant::now(),
                waiting: Vec::new(),
            }),
        }
    }

    /// How lines for this screen are styled.
    pub fn ink(&self) -> Ink {
        match self {
            Self::Live(live) => live.ink,
            Self::Plain(_) | Self::Json(_) => Ink::NONE,
        }
    }

    pub fn is_json(&self) -> bool {
        matches!(self, Self::Json(_))
    }

    /// Takes an event and what it changed. A live screen shows it at the next [`Screen::refresh`].
    pub fn show(&mut self, event: &Event, changes: &[Change], view: &View) -> io::Result<()> {
        match self {
            Self::Json(out) => writeln!(out, "{}", event.raw),
            Self::Plain(out) => changes
                .iter()
                .flat_map(|change| plain::lines(change, view))
                .try_for_each(|line| writeln!(out, "{line}")),
            Self::Live(live) => {
                let (ink, width) = (live.ink, live.width());
                let lines = changes
                    .iter()
                    .flat_map(|change| live::lines(change, ink, width));
                live.waiting.extend(lines);
                Ok(())
            }
        }
    }

    /// Draws the frame anew; nothing on other screens.
    pub fn refresh(&mut self, view: &View) -> io::Result<()> {
        let Self::Live(live) = self else {
            return Ok(());
        };
        let height = usize::from(live.term.size().0)
            .saturating_sub(1)
            .clamp(1, 40);
        let room = (height, live.width());
        let frame = live::frame(view, live.ink, Instant::now(), live.since, room);
        live.painter
            .paint(&std::mem::take(&mut live.waiting), &frame)
    }

    /// Removes the frame and prints `lines` where it was. With raw events they go to standard error.
    pub fn say(&mut self, lines: &[String]) -> io::Result<()> {
        match self {
            Self::Json(_) => lines
                .iter()
                .try_for_each(|line| writeln!(io::stderr(), "{line}")),
            Self::Plain(out) => lines.iter().try_for_each(|line| writeln!(out, "{line}")),
            Self::Live(live) => {
                live.waiting.extend_from_slice(lines);
                live.painter.paint(&std::mem::take(&mut live.waiting), &[])
            }
        }
    }
}
