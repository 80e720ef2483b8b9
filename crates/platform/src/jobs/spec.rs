//! What to run, and its wire shape.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;

/// A job to create. Exactly one of `image` and `space` is set.
#[derive(Clone, Default)]
pub struct JobSpec {
    /// Docker image, for example `python:3.12`.
    pub image: Option<String>,
    /// Space whose image is used, `owner/name`.
    pub space: Option<String>,
    /// Command and arguments; nothing is added to it, no shell is implied.
    pub command: Vec<String>,
    pub environment: BTreeMap<String, String>,
    /// Values the platform encrypts and never shows again.
    pub secrets: BTreeMap<String, SecretString>,
    /// Hardware flavor, a [`crate::Hardware`] name.
    pub flavor: String,
    pub timeout_seconds: u64,
    /// `ml-intern-call` and `ml-intern-response` together identify the job if its creation is in
    /// doubt.
    pub labels: BTreeMap<String, String>,
    /// Ports reachable from outside, with the owner's token.
    pub expose: Vec<u16>,
    /// Mounts in the platform's own shape: `{"type","source","mountPath",…}`.
    pub volumes: Vec<Value>,
}

// Environment values may be private too, so only names are shown.
impl fmt::Debug for JobSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobSpec")
            .field("image", &self.image)
            .field("space", &self.space)
            .field("flavor", &self.flavor)
            .field("timeout_seconds", &self.timeout_seconds)
            .field("labels", &self.labels)
            .field("environment", &self.environment.keys())
            .field("secrets", &self.secrets.keys())
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireSpec<'a> {
    command: &'a [String],
    arguments: [&'a str; 0],
    environment: &'a BTreeMap<String, String>,
    flavor: &'a str,
    timeout_seconds: u64,
    labels: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    secrets: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    volumes: &'a [Value],
    #[serde(skip_serializing_if = "Option::is_none")]
    expose: Option<Expose<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    docker_image: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    space_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Expose<'a> {
    ports: &'a [u16],
}

impl<'a> From<&'a JobSpec> for WireSpec<'a> {
    fn from(spec: &'a JobSpec) -> Self {
        Self {
            command: &spec.command,
            arguments: [],
            environment: &spec.environment,
            flavor: &spec.flavor,
            timeout_seconds: spec.timeout_seconds,
            labels: &spec.labels,
            secrets: spec
                .secrets
                .iter()
                .map(|(name, value)| (name.as_str(), value.expose_secret()))
                .collect(),
            volumes: &spec.volumes,
            expose: (!spec.expose.is_empty()).then_some(Expose {
                ports: &spec.expose,
            }),
            docker_image: spec.image.as_deref(),
            space_id: spec.space.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;
    use serde_json::{json, to_value};

    use super::{JobSpec, WireSpec};

    fn spec() -> JobSpec {
        JobSpec {
            image: Some("python:3.12".into()),
            command: vec!["python".into(), "-V".into()],
            environment: [("A".to_owned(), "b".to_owned())].into(),
            secrets: [("HF_TOKEN".to_owned(), SecretString::from("hf_x"))].into(),
            flavor: "cpu-basic".into(),
            timeout_seconds: 1800,
            labels: [("ml-intern-call".to_owned(), "c1".to_owned())].into(),
            expose: vec![8000],
            ..JobSpec::default()
        }
    }

    #[test]
    fn the_body_has_the_wire_shape() {
        assert_eq!(
            to_value(WireSpec::from(&spec())).unwrap(),
            json!({"command":["python","-V"],"arguments":[],"environment":{"A":"b"},"flavor":"cpu-basic",
                "timeoutSeconds":1800,"labels":{"ml-intern-call":"c1"},"secrets":{"HF_TOKEN":"hf_x"},
                "expose":{"ports":[8000]},"dockerImage":"python:3.12"})
        );
    }

    #[test]
    fn debug_shows_names_of_secrets_only() {
        let shown = format!("{:?}", spec());
        assert!(
            shown.contains("HF_TOKEN") && !shown.contains("hf_x"),
            "{shown}"
        );
    }
}
