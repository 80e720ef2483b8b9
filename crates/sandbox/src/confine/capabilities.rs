//! Giving up what root may do.

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities,
};

use super::error::{At, ConfineError};

/// Drops every capability from every set of the calling process, for good (with no-new-privileges in force).
pub(super) fn drop_all() -> Result<(), ConfineError> {
    // Kernels before 4.3 have no ambient set to clear.
    let _ = clear_ambient_capability_set();
    for number in 0..64 {
        let one = CapabilitySet::from_bits_retain(1 << number);
        match remove_capability_from_bounding_set(one) {
            Ok(()) | Err(Errno::PERM) => {}
            // The first number past the kernel's last capability.
            Err(Errno::INVAL) => break,
            other => other.at("drop a bounding capability")?,
        }
    }
    let none = CapabilitySet::empty();
    set_capabilities(
        None,
        CapabilitySets {
            effective: none,
            permitted: none,
            inheritable: none,
        },
    )
    .at("drop capabilities")
}
