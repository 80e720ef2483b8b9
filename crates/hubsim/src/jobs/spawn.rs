//! Starts a job's command in its box.

use std::path::Path;
use std::process::Stdio;

use sandbox::confine::{self, Limits, Policy};
use tokio::net::unix::pipe;
use tokio::process::Child;

use super::hardware::Flavor;
use super::job::Job;
use super::shims::Shims;

/// A command that runs. Its whole process tree ends with `child`.
pub struct Started {
    pub child: Child,
    /// Standard output and error together, in the order in which they were written.
    pub output: pipe::Receiver,
}

/// Starts the command of a job, confined by `exe`. `hub` is the simulator's own address.
///
/// The command sees its own scratch folder, the system's programs and nothing else of this machine; of the
/// simulator's environment it sees nothing.
pub fn start(job: &Job, shims: &Shims, exe: &Path, hub: &str) -> std::io::Result<Started> {
    let (work, tmp) = (job.folder("work"), job.folder("tmp"));
    std::fs::create_dir_all(&work)?;
    std::fs::create_dir_all(&tmp)?;
    let flavor = Flavor::find(&job.spec.flavor);
    let policy = Policy {
        write: vec![work.clone()],
        read: vec![shims.folder.clone()],
        tmp: Some(tmp),
        remove: Some(job.scratch()),
        limits: Limits {
            memory_bytes: flavor.map(|flavor| u64::from(flavor.ram) << 30),
            ..Limits::default()
        },
        ..Policy::default()
    };
    let mut argv = job.spec.argv();
    if argv.is_empty() {
        // There is no image whose own command could run.
        argv.push("true".to_owned());
    }
    let mut command = confine::command(exe, &policy, &argv);
    let usual = command
        .as_std()
        .get_envs()
        .find(|(name, _)| *name == "PATH");
    let usual = usual
        .and_then(|(_, path)| path?.to_str())
        .unwrap_or("/usr/bin:/bin")
        .to_owned();
    let path = shims.search_path(job.spec.environment.get("PATH").unwrap_or(&usual));
    shims.write_profile(&work, &path)?;
    command
        .envs(&job.spec.environment)
        .envs(&job.spec.secrets)
        .env("PATH", path)
        .env("HOME", &work)
        .env("HF_ENDPOINT", hub)
        .env("JOB_ID", &job.id)
        .env("ACCELERATOR", "")
        .env("SBX_BIND", job.address.to_string());
    if let Some(flavor) = flavor {
        command
            .env("CPU_CORES", flavor.cpus.to_string())
            .env("MEMORY", format!("{}Gi", flavor.ram));
    }
    let (reader, writer) = std::io::pipe()?;
    command
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .stdin(Stdio::null());
    let child = command.spawn()?;
    Ok(Started {
        child,
        output: pipe::Receiver::from_owned_fd(reader.into())?,
    })
}
