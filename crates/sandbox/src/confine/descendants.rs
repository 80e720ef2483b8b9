//! Ending a tree of processes where no process namespace does it for us.

use std::collections::HashMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid};

const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(5);

/// Kills everything that descends from the calling process, again and again until nothing is left (or for two
/// seconds). Complete only for a subreaper: else orphans have left the tree.
pub(super) fn kill_all() {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let living = of(getpid().as_raw(), &parents());
        living.iter().for_each(|pid| {
            let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
        });
        reap();
        if living.is_empty() || Instant::now() > deadline {
            return;
        }
        thread::sleep(PAUSE);
    }
}

fn reap() {
    while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        if status == WaitStatus::StillAlive {
            return;
        }
    }
}

/// Waits without blocking; says how `wanted` ended, if it did. Other children are reaped on the way.
pub(super) fn ended(wanted: Pid) -> Option<u8> {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) if pid == wanted => {
                return Some(u8::try_from(code).unwrap_or(u8::MAX));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == wanted => {
                return Some(by_signal(signal));
            }
            // Nobody left to wait for: its end was missed.
            Err(Errno::ECHILD) => return Some(super::SETUP_FAILED),
            Ok(WaitStatus::StillAlive) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// The shell's convention for a command ended by a signal.
pub(super) fn by_signal(signal: Signal) -> u8 {
    u8::try_from(128 + signal as i32).unwrap_or(u8::MAX)
}

fn parents() -> HashMap<i32, i32> {
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    numbers
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parent(pid)?)))
        .collect()
}

/// Field four of proc_pid_stat(5); the name before it may hold anything, so count from its last bracket.
fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut rest = stat.rsplit_once(") ")?.1.split(' ');
    let state = rest.next()?;
    // A zombie is dead already; only its parent can do more about it.
    if state == "Z" {
        None
    } else {
        rest.next()?.parse().ok()
    }
}

fn of(ancestor: i32, parents: &HashMap<i32, i32>) -> Vec<i32> {
    let descends = |mut pid: i32| {
        // Bounded, as the table may be inconsistent while processes come and go.
        for _ in 0..parents.len() {
            match parents.get(&pid) {
                Some(parent) if *parent == ancestor => return true,
                Some(parent) => pid = *parent,
                None => return false,
            }
        }
        false
    };
    parents
        .keys()
        .copied()
        .filter(|pid| descends(*pid))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_descendants_at_any_depth() {
        let table = HashMap::from([(1, 0), (5, 1), (6, 5), (7, 6), (8, 1), (9, 9)]);
        let mut found = of(5, &table);
        found.sort_unstable();
        assert_eq!(found, [6, 7]);
    }

    #[test]
    fn knows_our_own_parent() {
        assert_eq!(
            parent(getpid().as_raw()),
            Some(nix::unistd::getppid().as_raw())
        );
    }
}
