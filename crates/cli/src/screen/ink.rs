//! Colour, where it is wanted: on a terminal that has it, unless NO_COLOR says otherwise.

use console::Style;

/// Applies styles, or leaves text as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ink {
    on: bool,
}

impl Ink {
    /// Never a style.
    pub const NONE: Self = Self { on: false };

    /// By the terminal and the environment (<https://no-color.org>: any non-empty value).
    pub fn for_terminal(is_terminal: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            on: is_terminal && !dumb && !set("NO_COLOR"),
        }
    }

    pub fn bold(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    pub fn dim(self, text: &str) -> String {
        self.paint(Style::new().dim(), text)
    }

    pub fn good(self, text: &str) -> String {
        self.paint(Style::new().green(), text)
    }

    pub fn bad(self, text: &str) -> String {
        self.paint(Style::new().red(), text)
    }

    pub fn warn(self, text: &str) -> String {
        self.paint(Style::new().yellow(), text)
    }

    pub fn link(self, text: &str) -> String {
        self.paint(Style::new().cyan(), text)
    }

    fn paint(self, style: Style, text: &str) -> String {
        style.force_styling(self.on).apply_to(text).to_string()
    }
}
