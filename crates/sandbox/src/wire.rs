//! The shapes that travel between client and server. Names and forms are those of the Hugging Face Jobs sandbox API.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Carries the sandbox's own token.
pub const TOKEN_HEADER: &str = "x-sandbox-token";

/// A command line for the shell, or a program with its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum CommandLine {
    Shell(String),
    Program(Vec<String>),
}

/// Body of `POST /v1/exec` and `POST /v1/processes`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ExecRequest {
    pub cmd: CommandLine,
    /// Says out loud what the form of `cmd` implies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// A name for a background process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// One line of an exec stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum Line {
    Stdout {
        data: String,
    },
    Stderr {
        data: String,
    },
    Exit {
        exit_code: Option<i32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signal: Option<i32>,
        #[serde(default)]
        timed_out: bool,
        #[serde(default)]
        duration_ms: u64,
    },
    Ping,
    /// Something a later version of the server says.
    #[serde(other)]
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    File,
    Dir,
    Symlink,
    /// Devices, sockets, pipes.
    #[serde(other)]
    Other,
}

/// What is known of a file or folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStat {
    pub name: String,
    pub path: String,
    #[serde(rename = "type")]
    pub kind: FileKind,
    /// Bytes.
    pub size: u64,
    /// Milliseconds since 1970.
    #[serde(default)]
    pub mtime_ms: Option<i64>,
    /// Octal permissions.
    #[serde(default)]
    pub mode: String,
}

/// Answer of `GET /v1/files/list`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Listing {
    pub entries: Vec<FileStat>,
}

/// Body of every answer from status 400 on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ErrorBody {
    pub error: String,
}

/// Answer of `GET /health`. `confinement` is ours: the layers that hold, where the server knows.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Health {
    #[serde(default)]
    pub status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confinement: Option<String>,
}
