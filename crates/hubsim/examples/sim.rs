//! `sim ADDR [SCENARIOS [STATE]]`: a simulator that runs until it is interrupted. It is its own sandbox program.

use std::process::ExitCode;

use hubsim::{Sim, SimConfig};

fn main() -> anyhow::Result<ExitCode> {
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
    println!("{}", sim.url());
    tokio::signal::ctrl_c().await?;
    sim.stop().await;
    Ok(())
}
