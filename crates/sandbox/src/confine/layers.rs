//! Which layers of a confinement really hold.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// One layer; the module documentation of [`crate::confine`] says what each gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Own session, no new privileges, per-process limits.
    Limits,
    /// The number of processes is bounded as well.
    ProcessLimit,
    UserNamespace,
    ProcessNamespace,
    PrivateRoot,
    PrivateProc,
    NoCapabilities,
    Landlock,
}

impl Layer {
    /// All layers, outermost first.
    pub const ALL: [Self; 8] = [
        Self::Limits,
        Self::ProcessLimit,
        Self::UserNamespace,
        Self::ProcessNamespace,
        Self::PrivateRoot,
        Self::PrivateProc,
        Self::NoCapabilities,
        Self::Landlock,
    ];

    /// Stable name, as in the text form of [`Confinement`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Limits => "limits",
            Self::ProcessLimit => "process-limit",
            Self::UserNamespace => "user-namespace",
            Self::ProcessNamespace => "process-namespace",
            Self::PrivateRoot => "private-root",
            Self::PrivateProc => "private-proc",
            Self::NoCapabilities => "no-capabilities",
            Self::Landlock => "landlock",
        }
    }
}

/// The set of layers that hold; its text form is their names, joined by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement(BTreeSet<Layer>);

impl Confinement {
    pub fn holds(&self, layer: Layer) -> bool {
        self.0.contains(&layer)
    }

    /// One sentence for logs and people: what holds, what is missing.
    pub fn report(&self) -> String {
        let names = |hold: bool| {
            let names: Vec<_> = Layer::ALL
                .into_iter()
                .filter(|l| self.holds(*l) == hold)
                .map(Layer::as_str)
                .collect();
            if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            }
        };
        format!(
            "layers that hold: {}; missing: {}",
            names(true),
            names(false)
        )
    }

    pub(super) fn add(&mut self, layer: Layer) {
        self.0.insert(layer);
    }
}

impl fmt::Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|layer| layer.as_str()).collect();
        f.write_str(&names.join(","))
    }
}

impl FromStr for Confinement {
    type Err = std::convert::Infallible;

    /// Names this version doesn't know are left out: they promise nothing.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = |name: &str| Layer::ALL.into_iter().find(|layer| layer.as_str() == name);
        Ok(Self(text.split(',').filter_map(known).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_ignores_unknown_names() {
        let text = "limits,process-namespace,landlock";
        let read: Confinement = format!("{text},magic").parse().unwrap();
        assert_eq!(read.to_string(), text);
        assert!(read.holds(Layer::Landlock) && !read.holds(Layer::PrivateRoot));
        assert!(
            read.report()
                .contains("missing: process-limit, user-namespace")
        );
    }
}
