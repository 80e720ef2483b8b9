//! What a turn may be at when it is cancelled.

use super::support::scripted;
use serde_json::{Value, json};

/// A kind of turn.
#[derive(Debug)]
pub struct Script {
    pub name: &'static str,
    /// Milliseconds after the submit (or the calls below) within which it is cancelled.
    pub window: u64,
    /// Whether it makes jobs that outlive it.
    pub has_jobs: bool,
    /// Model calls that are waited for first.
    pub behind_calls: usize,
    scenario: &'static str,
    cap: f64,
}

const fn script(name: &'static str, window: u64, scenario: &'static str) -> Script {
    Script {
        name,
        window,
        has_jobs: false,
        behind_calls: 0,
        scenario,
        cap: 5.0,
    }
}

/// `MARKER` stands for a word that is in every command of the sandbox.
pub const SCRIPTS: [Script; 14] = [
    script("queued", 1, "[[turn]]\nsay = 'word '\nrepeat = 500"),
    script(
        "model stream",
        600,
        "[[turn]]\nsay = 'word '\nrepeat = 500\ntoken_delay_ms = 5",
    ),
    script(
        "reasoning",
        600,
        "[[turn]]\nthink = 'I think and think and think and think and think and think and think and think and think'\nsay = 'Done.'\ntoken_delay_ms = 60",
    ),
    script(
        "silent model",
        400,
        "[[turn]]\nsay = 'late'\ndelay_ms = 30000",
    ),
    script(
        "hanging model",
        400,
        "[[turn]]\nsay = 'never'\nfault = { kind = 'hang' }",
    ),
    script(
        "model retries",
        700,
        "[[turn]]\nsay = 'never'\nfault = { kind = 'status', status = 429, retry_after = 5 }",
    ),
    script(
        "arguments",
        500,
        r#"
[[turn]]
token_delay_ms = 20
[[turn.call]]
tool = "bash"
args = { command = "echo a b c d e f g h i j k l m n o p q r s t u v w x y z; echo a b c d e f g h i j k l m; sleep 60 # MARKER" }
"#,
    ),
    script(
        "sandbox start",
        250,
        r#"
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "sleep 60 # MARKER" }
"#,
    ),
    script(
        "running tool",
        1000,
        r#"
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "for i in $(seq 1000); do echo $i; sleep 0.02; done # MARKER" }
"#,
    ),
    script(
        "stubborn tools",
        900,
        r#"
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "trap '' TERM INT HUP; while true; do sleep 1; done # MARKER" }
[[turn.call]]
tool = "bash"
args = { command = "(setsid sleep 300 &) ; nohup sleep 300 & sleep 300 # MARKER" }
"#,
    ),
    Script {
        has_jobs: true,
        ..script(
            "job",
            900,
            r#"
[[turn]]
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["sh", "-c", "for i in $(seq 100); do echo $i; sleep 0.5; done"], timeout = "10m" }
[[turn]]
say = "Done."
"#,
        )
    },
    Script {
        cap: 0.5,
        ..script(
            "approval pause",
            300,
            r#"
[[turn]]
[[turn.call]]
tool = "hf_jobs"
args = { operation = "run", command = ["true"], hardware_flavor = "a100-large", timeout = "2h" }
"#,
        )
    },
    script(
        "between steps",
        800,
        r#"
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "echo 1 # MARKER" }
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "echo 2 # MARKER" }
[[turn]]
[[turn.call]]
tool = "plan_tool"
args = { todos = [{ id = "1", content = "Train it", status = "completed" }] }
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "echo 3 # MARKER" }
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "echo 4 # MARKER" }
[[turn]]
say = "word "
repeat = 200
"#,
    ),
    Script {
        behind_calls: 8,
        ..script("compaction", 500, COMPACTION)
    },
];

/// The prompt after the steps is said to be too long, and the summary, which the first turn answers, is slow.
const COMPACTION: &str = r#"
[[turn]]
say = "step"
delay_ms = 900
[[turn.call]]
tool = "bash"
args = { command = "echo 1 # MARKER" }
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "echo 2 # MARKER" }
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "echo 3 # MARKER" }
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "echo 4 # MARKER" }
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "echo 5 # MARKER" }
[[turn]]
[[turn.call]]
tool = "bash"
args = { command = "echo 6 # MARKER" }
[[turn]]
say = "word "
repeat = 300
fault = { kind = "status", status = 400, body = '{"error": {"message": "maximum context length is 8192 tokens"}}', times = 1 }
"#;

impl Script {
    pub fn body(&self, marker: &str) -> Value {
        let input = scripted("Work.", &self.scenario.replace("MARKER", marker));
        json!({"input": input, "max_cost_usd": self.cap})
    }
}
