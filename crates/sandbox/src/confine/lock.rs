//! Taking away from the mount points of a private root what the plan doesn't grant.

use std::path::Path;

use nix::mount::MsFlags;

use super::error::ConfineError;
use super::mounts::{self, Mounted};
use super::plan::{Access, Entry};
use super::system_paths::KERNEL_SETTINGS;

/// Takes away from every mount point below `base` what its plan entry doesn't grant.
pub(super) fn apply(base: &Path, plan: &[Entry]) -> Result<(), ConfineError> {
    for mounted in mounts::below(base)? {
        let path = Path::new("/").join(mounted.at.strip_prefix(base).unwrap_or(&mounted.at));
        if let Some(more) = restrictions(&path, plan) {
            narrow(&mounted, more)?;
        }
    }
    Ok(())
}

fn narrow(mounted: &Mounted, more: MsFlags) -> Result<(), ConfineError> {
    if mounted.flags.contains(more) {
        Ok(())
    } else {
        mounts::narrow(mounted, more)
    }
}

/// `None` for what we mounted ourselves, rightly restricted from the start.
fn restrictions(path: &Path, plan: &[Entry]) -> Option<MsFlags> {
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let frozen = safe | MsFlags::MS_RDONLY;
    if KERNEL_SETTINGS
        .iter()
        .any(|setting| path.starts_with(setting))
    {
        return Some(frozen);
    }
    if ["/proc", "/dev/shm", "/dev/pts"]
        .iter()
        .any(|own| path.starts_with(own))
    {
        return None;
    }
    let nearest = plan
        .iter()
        .filter(|entry| path.starts_with(&entry.at))
        .max_by_key(|entry| entry.at.components().count());
    match nearest.map(|entry| entry.access) {
        Some(Access::Write) => Some(safe),
        // A device on a read-only mount can be written to, but its owner and mode can't be changed.
        Some(Access::Device) => Some(MsFlags::MS_NOSUID | MsFlags::MS_RDONLY),
        Some(Access::Read) => Some(frozen),
        None if path == Path::new("/tmp") => None,
        None => Some(frozen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_entry_decides() {
        let entry = |at: &str, access| Entry {
            at: at.into(),
            from: at.into(),
            access,
        };
        let plan = [
            entry("/usr", Access::Read),
            entry("/usr/work", Access::Write),
            entry("/dev/null", Access::Device),
        ];
        let read_only = |path: &str| {
            restrictions(Path::new(path), &plan).map(|flags| flags.contains(MsFlags::MS_RDONLY))
        };
        assert_eq!(read_only("/usr/lib"), Some(true));
        assert_eq!(read_only("/usr/work/deep"), Some(false));
        assert_eq!(read_only("/dev/null"), Some(true));
        assert_eq!(read_only("/"), Some(true));
        assert_eq!(read_only("/tmp"), None);
        assert_eq!(read_only("/proc/sys"), Some(true));
        assert_eq!(read_only("/proc"), None);
    }
}
