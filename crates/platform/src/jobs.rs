//! Hugging Face Jobs: start, look up, cancel, follow, and what hardware costs.

mod create;
mod follow;
mod hardware;
mod job;
mod list;
mod log;
mod spec;
mod stage;

pub use follow::{JobFollower, JobUpdate};
pub use hardware::Hardware;
pub(crate) use hardware::HardwareList;
pub use job::Job;
pub use list::JobFilter;
pub use spec::JobSpec;
pub use stage::Stage;
