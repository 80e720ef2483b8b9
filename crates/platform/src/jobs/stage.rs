//! The stage of a job.

/// Where a job is in its life. There is no "failed": that is [`Stage::Error`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Stage {
    Scheduling,
    Running,
    Updating,
    Completed,
    Canceled,
    Error,
    Deleted,
    /// A stage this version does not know; taken as not terminal.
    Other(String),
}

impl Stage {
    /// Whether the job will never run again.
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Canceled | Self::Error | Self::Deleted
        )
    }

    /// The platform's word for it, upper case.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Scheduling => "SCHEDULING",
            Self::Running => "RUNNING",
            Self::Updating => "UPDATING",
            Self::Completed => "COMPLETED",
            Self::Canceled => "CANCELED",
            Self::Error => "ERROR",
            Self::Deleted => "DELETED",
            Self::Other(word) => word,
        }
    }

    pub(crate) fn parse(word: &str) -> Self {
        let known = [
            Self::Scheduling,
            Self::Running,
            Self::Updating,
            Self::Completed,
            Self::Canceled,
            Self::Error,
            Self::Deleted,
        ];
        known
            .into_iter()
            .find(|stage| stage.as_str().eq_ignore_ascii_case(word))
            .unwrap_or_else(|| Self::Other(word.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::Stage;

    #[test]
    fn stages_are_read_and_written_in_the_platforms_words() {
        for word in [
            "SCHEDULING",
            "RUNNING",
            "UPDATING",
            "COMPLETED",
            "CANCELED",
            "ERROR",
            "DELETED",
            "PAUSED",
        ] {
            assert_eq!(Stage::parse(word).as_str(), word);
        }
        assert_eq!(Stage::parse("running"), Stage::Running);
        assert!(!Stage::parse("PAUSED").is_terminal());
        assert!(Stage::Error.is_terminal());
    }
}
