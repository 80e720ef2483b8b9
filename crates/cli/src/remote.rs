//! Which server, and who we are: flags and environment shared by the commands that talk to one.

use clap::Args;

use crate::client::Client;
use crate::exit::UsageError;

/// Where `serve` listens by default.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:7860";

/// The `--server` flag of the commands that need a running server.
#[derive(Debug, Args)]
pub struct Remote {
    /// Address of the ml-intern server
    #[arg(long, env = "ML_INTERN_SERVER", value_name = "URL", default_value = DEFAULT_SERVER)]
    pub server: String,
}

impl Remote {
    /// A client with the caller's token from HF_TOKEN.
    pub fn client(&self) -> anyhow::Result<Client> {
        connect(&self.server)
    }

    /// The address, if a person must name it to reach this server again.
    pub fn named(&self) -> Option<&str> {
        named(&self.server)
    }
}

/// See [`Remote::named`].
pub fn named(server: &str) -> Option<&str> {
    let default = server.trim_end_matches('/') == DEFAULT_SERVER;
    let from_env = std::env::var_os("ML_INTERN_SERVER").is_some_and(|env| env == server);
    (!default && !from_env).then_some(server)
}

/// A client for `server` with the token from HF_TOKEN.
pub fn connect(server: &str) -> anyhow::Result<Client> {
    let client = Client::new(server, &token()?)?;
    if client.is_readable_by_others() {
        eprintln!(
            "warning: your token travels unencrypted to {}",
            client.server()
        );
    }
    Ok(client)
}

fn token() -> Result<String, UsageError> {
    let token = std::env::var("HF_TOKEN").unwrap_or_default();
    if token.trim().is_empty() {
        return Err(UsageError(
            "HF_TOKEN is not set: the run works with your Hugging Face account \
             (https://huggingface.co/settings/tokens). To try without one: ml-intern demo"
                .to_owned(),
        ));
    }
    Ok(token)
}
