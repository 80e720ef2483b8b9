//! Counts how often a scripted fault has struck.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Forgotten all at once when it grows beyond this.
const KEPT: usize = 100_000;

/// Strikes by key (a conversation and its turn).
#[derive(Debug, Default)]
pub struct Tally(Mutex<HashMap<String, u64>>);

impl Tally {
    /// Counts one more strike unless there were `limit` already; says whether it counts.
    pub fn strike(&self, key: &str, limit: Option<u64>) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= KEPT {
            counts.clear();
        }
        let count = counts.entry(key.to_owned()).or_default();
        if limit.is_some_and(|limit| *count >= limit) {
            return false;
        }
        *count += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strikes_up_to_the_limit() {
        let tally = Tally::default();
        assert!(tally.strike("a", Some(1)));
        assert!(!tally.strike("a", Some(1)));
        assert!(tally.strike("b", Some(1)));
        assert!(tally.strike("a", None));
    }
}
