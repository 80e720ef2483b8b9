//! What `/proc` shows of other processes.

use std::collections::{BTreeMap, BTreeSet};

/// The processes of this machine at one moment.
pub struct Processes {
    parents: BTreeMap<u32, u32>,
}

impl Processes {
    pub fn now() -> Self {
        let pids = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            Some((pid, parent_of(pid)?))
        });
        Self {
            parents: pids.collect(),
        }
    }

    /// A process and everything below it.
    pub fn tree(&self, root: u32) -> BTreeSet<u32> {
        let mut tree = BTreeSet::from([root]);
        loop {
            let size = tree.len();
            let below = self.parents.iter().filter(|(_, at)| tree.contains(at));
            let below: Vec<u32> = below.map(|(pid, _)| *pid).collect();
            tree.extend(below);
            if tree.len() == size {
                return tree;
            }
        }
    }

    /// Command lines (arguments joined by spaces) that contain a text.
    pub fn commands_with(&self, text: &str) -> Vec<String> {
        let lines = self.parents.keys().map(|pid| command_line(*pid));
        lines.filter(|line| line.contains(text)).collect()
    }
}

/// The arguments of a process, joined by spaces; empty once it has gone.
pub fn command_line(pid: u32) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may contain anything.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}
