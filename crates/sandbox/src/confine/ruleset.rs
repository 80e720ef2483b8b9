//! The plan once more, as Landlock rules.

use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::plan::{Access, Entry};

/// The newest rights we know; older kernels enforce the part they know.
const KNOWN: ABI = ABI::V9;

/// Restricts the calling process for good. `private_root` says that only listed files exist anyway.
/// Returns whether the kernel enforces anything.
pub(super) fn restrict(plan: &[Entry], private_root: bool) -> Result<bool, RulesetError> {
    let writable: Vec<&Path> = places(plan, private_root, Access::Write)
        .chain(own_writable(private_root).iter().map(Path::new))
        .collect();
    let devices: Vec<&Path> = places(plan, private_root, Access::Device).collect();
    let readable: Vec<&Path> = if private_root {
        vec![Path::new("/")]
    } else {
        places(plan, false, Access::Read)
            .chain([Path::new("/proc")])
            .collect()
    };
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?
        .create()?
        .add_rules(path_beneath_rules(readable, AccessFs::from_read(KNOWN)))?
        .add_rules(path_beneath_rules(devices, AccessFs::from_file(KNOWN)))?
        .add_rules(path_beneath_rules(writable, AccessFs::from_all(KNOWN)))?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

fn places(plan: &[Entry], private_root: bool, access: Access) -> impl Iterator<Item = &Path> {
    let of_kind = plan.iter().filter(move |entry| entry.access == access);
    of_kind.map(move |entry| {
        if private_root {
            entry.at.as_path()
        } else {
            entry.from.as_path()
        }
    })
}

/// The machine's own shared memory and `/tmp` stay closed: what lies there belongs to others.
fn own_writable(private_root: bool) -> &'static [&'static str] {
    if private_root {
        &["/tmp", "/dev/shm", "/dev/pts"]
    } else {
        &[]
    }
}
