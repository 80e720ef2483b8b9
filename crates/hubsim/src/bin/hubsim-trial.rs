//! The simulator alone, for trials by hand and for this crate's tests: `hubsim-trial ADDR [SCENARIOS [STATE]]`
//! runs until it is interrupted, and is its own sandbox program.

use std::process::ExitCode;

use hubsim::{Sim, SimConfig};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> anyhow::Result<ExitCode> {
    if let Some(code) = sandbox::entry::dispatch(std::env::args_os().skip(1)) {
        return Ok(code);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve())?;
    Ok(ExitCode::SUCCESS)
}

async fn serve() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let addr = args.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let sim = Sim::start(SimConfig {
        addr: addr.parse()?,
        scenarios: args.next().map(Into::into),
        state: args.next().map(Into::into),
        exe: std::env::current_exe()?,
    })
    .await?;
    // Listened for before anyone learns the address: an early interrupt must clean up too.
    let mut interrupt = signal(SignalKind::interrupt())?;
    println!("{}", sim.url());
    interrupt.recv().await;
    sim.stop().await;
    Ok(())
}
