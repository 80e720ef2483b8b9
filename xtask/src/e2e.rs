//! The end-to-end tests: real clients in other languages against the real executable. Each language's tests
//! set up what they need under the target folder, from a lock file, and again only when that has changed.

pub mod node;
pub mod python;
pub mod schemathesis;

/// Tells the tests where the executable is.
const BIN: &str = "ML_INTERN_BIN";
