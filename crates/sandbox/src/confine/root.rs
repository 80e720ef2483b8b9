//! A private root folder: only what the plan lists exists, and only its writable entries can be changed.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::unistd::sethostname;

use super::Policy;
use super::error::{At, ConfineError};
use super::lock;
use super::mounts;
use super::plan::Entry;
use super::system_paths::{KERNEL_SETTINGS, PROGRAMS};

/// Folders the new root may be put together on; any existing one will do, nothing in it changes.
const BASES: [&str; 4] = ["/tmp", "/run", "/mnt", "/var"];
const MEMORY_TMP: &str = "size=512m,nr_inodes=65536,mode=1777";
const SHARED_MEMORY: &str = "size=256m,nr_inodes=4096,mode=1777";
/// The kernel hands these lowest numbers out only once, so they can't count against a bound that has to last.
const RESERVED_PROCESS_NUMBERS: u64 = 300;

/// What came of it beside the root itself.
#[derive(Debug, Default)]
pub(super) struct Built {
    pub private_proc: bool,
    pub process_limit: bool,
}

/// Builds the root and enters it. On an error the process is where it was before.
pub(super) fn enter(plan: &[Entry], policy: &Policy, home: &Path) -> Result<Built, ConfineError> {
    mounts::separate()?;
    let base = BASES.iter().map(Path::new).find(|path| path.is_dir());
    let base = base.ok_or_else(|| ConfineError::Usage("no folder to build a root on".into()))?;
    // Held before the base is covered: sources may lie below it.
    let sources: Vec<File> = plan
        .iter()
        .map(|entry| mounts::hold(&entry.from))
        .collect::<Result<_, _>>()?;
    mounts::memory_folder(base, "size=16m,nr_inodes=8192,mode=755")?;
    let finished = build(base, plan, &sources, policy, home)
        .and_then(|built| mounts::become_root(base).map(|()| built));
    if finished.is_err() {
        mounts::undo(base)?;
    }
    finished
}

fn build(
    base: &Path,
    plan: &[Entry],
    sources: &[File],
    policy: &Policy,
    home: &Path,
) -> Result<Built, ConfineError> {
    let inside = |path: &str| base.join(path.trim_start_matches('/'));
    copy_links(base)?;
    if policy.tmp.is_none() {
        mounts::memory_folder(&inside("/tmp"), MEMORY_TMP)?;
    }
    for (entry, source) in plan.iter().zip(sources) {
        let at = below(base, &entry.at);
        if !at.is_symlink() {
            mounts::bind(source, &at)?;
        }
    }
    fill_dev(base)?;
    fill_etc(base, home)?;
    for folder in ["/var", "/run", "/root", "/home"] {
        fs::create_dir_all(inside(folder)).at(folder)?;
    }
    symlink("/tmp", inside("/var/tmp")).at("/var/tmp")?;
    let _ = sethostname("sandbox");
    let private_proc = show_processes(&inside("/proc"))?;
    let process_limit = private_proc && limit_kernel(&inside("/proc"), policy.limits.processes);
    lock::apply(base, plan)?;
    Ok(Built {
        private_proc,
        process_limit,
    })
}

fn below(base: &Path, path: &Path) -> PathBuf {
    base.join(path.strip_prefix("/").unwrap_or(path))
}

/// `/bin` and its like are links into `/usr` on most systems; so they are inside.
fn copy_links(base: &Path) -> Result<(), ConfineError> {
    for path in PROGRAMS
        .iter()
        .map(Path::new)
        .filter(|path| path.is_symlink())
    {
        let target = fs::read_link(path).at(path.display())?;
        symlink(target, below(base, path)).at(path.display())?;
    }
    Ok(())
}

fn fill_dev(base: &Path) -> Result<(), ConfineError> {
    let dev = base.join("dev");
    mounts::memory_folder(&dev.join("shm"), SHARED_MEMORY)?;
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        symlink(target, dev.join(name)).at(name)?;
    }
    // Only `script`, `tmux` and their like miss terminals where the kernel refuses them.
    if mounts::terminals(&dev.join("pts")).is_ok() {
        symlink("pts/ptmx", dev.join("ptmx")).at("ptmx")?;
    }
    Ok(())
}

/// User names of our own: the machine's are nobody's business inside.
fn fill_etc(base: &Path, home: &Path) -> Result<(), ConfineError> {
    let etc = base.join("etc");
    let home = home.display();
    let users = format!(
        "root:x:0:0:root:/root:/bin/sh\nsandbox:x:1000:1000:sandbox:{home}:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
    );
    fs::write(etc.join("passwd"), users).at("/etc/passwd")?;
    fs::write(
        etc.join("group"),
        "root:x:0:\nsandbox:x:1000:\nnogroup:x:65534:\n",
    )
    .at("/etc/group")?;
    fs::write(etc.join("hostname"), "sandbox\n").at("/etc/hostname")
}

/// Mounts the process folder of our own process namespace; where that is refused, shows the machine's.
fn show_processes(at: &Path) -> Result<bool, ConfineError> {
    let machine = mounts::hold(Path::new("/proc"))?;
    let private = mounts::process_folder(at).is_ok();
    if !private {
        mounts::bind(&machine, at)?;
    }
    for path in KERNEL_SETTINGS {
        let path = at.join(path.trim_start_matches("/proc/"));
        if path.exists() {
            mounts::bind(&mounts::hold(&path)?, &path)?;
        }
    }
    Ok(private)
}

/// Kernel settings of our own namespaces: few user namespaces (less kernel to attack), few processes.
/// Returns whether the number of processes is bounded by this.
fn limit_kernel(proc: &Path, processes: Option<u64>) -> bool {
    // Room for the one inner user namespace that the init enters itself.
    let _ = fs::write(proc.join("sys/user/max_user_namespaces"), "1");
    let Some(processes) = processes else {
        return false;
    };
    // Before Linux 6.14 this setting is the whole machine's.
    let namespaced = fs::read_to_string("/proc/sys/kernel/osrelease")
        .is_ok_and(|release| at_least(&release, (6, 14)));
    let bound = processes
        .saturating_add(RESERVED_PROCESS_NUMBERS)
        .to_string();
    namespaced && fs::write(proc.join("sys/kernel/pid_max"), bound).is_ok()
}

fn at_least(release: &str, wanted: (u32, u32)) -> bool {
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map_while(|part| part.parse().ok());
    matches!((numbers.next(), numbers.next()), (Some(major), Some(minor)) if (major, minor) >= wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_releases_compare_by_number() {
        assert!(
            at_least("6.14.0-generic", (6, 14))
                && at_least("6.18.44-fc", (6, 14))
                && at_least("7.0", (6, 14))
        );
        assert!(
            !at_least("6.8.0-45", (6, 14)) && !at_least("5.15", (6, 14)) && !at_least("", (6, 14))
        );
    }
}
