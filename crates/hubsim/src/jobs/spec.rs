//! What a client asks to run (`POST /api/jobs/{namespace}`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::hardware::Flavor;
use crate::error::HubError;

/// Half an hour, when the client does not say.
const DEFAULT_TIMEOUT: u64 = 1800;
const MAX_PORTS: usize = 16;

/// A job's specification. Not `Debug`: it holds secrets.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    pub docker_image: Option<String>,
    pub space_id: Option<String>,
    #[serde(default)]
    pub command: Vec<String>,
    #[serde(default)]
    pub arguments: Vec<String>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    pub flavor: String,
    timeout_seconds: Option<u64>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub volumes: Vec<Value>,
    #[serde(default)]
    pub expose: Expose,
}

/// Ports that the jobs proxy leads to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Expose {
    pub ports: Vec<u16>,
    pub ports_public: Vec<u16>,
}

impl Spec {
    /// Parses and checks a body. Errors: 400.
    pub fn parse(body: &[u8]) -> Result<Self, HubError> {
        let mut value: Value = serde_json::from_slice(body)
            .map_err(|error| HubError::bad_request(error.to_string()))?;
        if let Some(object) = value.as_object_mut() {
            object.retain(|_, value| !value.is_null());
        }
        let spec: Self = serde_json::from_value(value)
            .map_err(|error| HubError::bad_request(error.to_string()))?;
        spec.check()?;
        Ok(spec)
    }

    fn check(&self) -> Result<(), HubError> {
        if self.docker_image.is_some() == self.space_id.is_some() {
            return Err(HubError::bad_request(
                "Provide exactly one of dockerImage and spaceId",
            ));
        }
        if Flavor::find(&self.flavor).is_none() {
            return Err(HubError::bad_request(format!(
                "Invalid flavor: {}",
                self.flavor
            )));
        }
        if self.timeout_seconds == Some(0) {
            return Err(HubError::bad_request("timeoutSeconds must be positive"));
        }
        if self.expose.ports.len() + self.expose.ports_public.len() > MAX_PORTS {
            return Err(HubError::bad_request("too many exposed ports"));
        }
        let mut names = self.environment.keys().chain(self.secrets.keys());
        if let Some(bad) = names.find(|name| !is_variable_name(name)) {
            return Err(HubError::bad_request(format!(
                "Invalid environment variable name: {bad}"
            )));
        }
        let texts = self.environment.values().chain(self.secrets.values());
        if texts
            .chain(&self.command)
            .chain(&self.arguments)
            .any(|text| text.contains('\0'))
        {
            return Err(HubError::bad_request("texts must not contain NUL"));
        }
        Ok(())
    }

    /// Seconds.
    pub fn timeout(&self) -> u64 {
        self.timeout_seconds.unwrap_or(DEFAULT_TIMEOUT)
    }

    /// Command and arguments together.
    pub fn argv(&self) -> Vec<String> {
        self.command
            .iter()
            .chain(&self.arguments)
            .cloned()
            .collect()
    }
}

fn is_variable_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Spec, HubError> {
        Spec::parse(text.as_bytes())
    }

    #[test]
    fn checks_what_the_platform_checks() {
        let good = r#"{"flavor":"cpu-basic","dockerImage":"python:3.12","command":["a"],"arguments":["b"],"labels":null}"#;
        let spec = parse(good).ok().unwrap();
        assert_eq!(spec.argv(), ["a", "b"]);
        assert_eq!(spec.timeout(), 1800);
        assert!(parse(r#"{"flavor":"cpu-basic"}"#).is_err());
        assert!(parse(r#"{"flavor":"tpu","dockerImage":"x"}"#).is_err());
        assert!(parse(r#"{"dockerImage":"x"}"#).is_err());
        assert!(
            parse(r#"{"flavor":"cpu-basic","dockerImage":"x","environment":{"A=B":"1"}}"#).is_err()
        );
    }
}
