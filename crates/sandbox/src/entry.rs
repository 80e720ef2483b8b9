//! The first thing `main` calls: the executable may have been started as one of its own sandbox stages.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::{confine, server};

/// Runs a sandbox stage if the arguments (without the program's name) ask for one.
///
/// Must be called before any thread or async runtime exists: a stage changes namespaces, which Linux allows
/// only to a process with a single thread. Returns `None` when the arguments are somebody else's.
pub fn dispatch(args: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut args = args.into_iter();
    let stage = args.next()?;
    let rest: Vec<OsString> = args.collect();
    match stage.to_str()? {
        confine::KEEPER => Some(confine::keeper_main(&rest)),
        confine::INIT => Some(confine::init_main(&rest)),
        server::SERVER => Some(server::main(&rest)),
        _ => None,
    }
}
