//! Starts a job's command in its box.

use std::path::Path;
use std::process::Stdio;

use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use super::hardware::Flavor;
use super::job::Job;
use super::shims::Shims;

/// A command that runs. Its whole process tree ends with `child`.
pub struct Started {
    pub child: Child,
    /// Standard output and error together, in the order in which they were written.
    pub output: pipe::Receiver,
}

/// Starts the command of a job. `hub` is the simulator's own address.
pub fn start(job: &Job, shims: &Shims, _exe: &Path, hub: &str) -> std::io::Result<Started> {
    let work = job.work();
    let argv = job.spec.argv();
    let mut command = Command::new(argv.first().map_or("true", String::as_str));
    command
        .args(argv.iter().skip(1))
        .current_dir(&work)
        .env_clear()
        .process_group(0)
        .kill_on_drop(true);
    let path = shims.search_path("/root/.pyenv/versions/3.11.7/bin:/usr/local/bin:/usr/bin:/bin");
    shims.write_profile(&work, &path)?;
    command.envs(&job.spec.environment).envs(&job.spec.secrets);
    command
        .env("PATH", &path)
        .env("HOME", &work)
        .env("SBX_BIND", job.address.to_string());
    command
        .env("JOB_ID", &job.id)
        .env("HF_ENDPOINT", hub)
        .env("ACCELERATOR", "");
    if let Some(flavor) = Flavor::find(&job.spec.flavor) {
        command
            .env("CPU_CORES", flavor.cpus.to_string())
            .env("MEMORY", format!("{}Gi", flavor.ram));
    }
    let (reader, writer) = std::io::pipe()?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let child = command.spawn()?;
    Ok(Started {
        child,
        output: pipe::Receiver::from_owned_fd(reader.into())?,
    })
}
