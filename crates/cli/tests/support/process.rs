//! Starting, killing and restarting the two processes.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const EXE: &str = env!("CARGO_BIN_EXE_ml-intern");

/// What a developer's environment may hold and the processes must not see.
const INHERITED: [&str; 3] = ["HF_TOKEN", "ML_INTERN_STORE", "ML_INTERN_ADDR"];

/// `ml-intern sim` on a free port; dies with this value.
pub struct Sim {
    child: Child,
    pub url: String,
    _folder: TempDir,
}

impl Sim {
    pub fn start() -> Self {
        Self::with_scenarios(&[])
    }

    /// With scenario files, as TOML.
    pub fn with_scenarios(scenarios: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let scripts = folder.path().join("scenarios");
        std::fs::create_dir(&scripts).unwrap();
        for (index, scenario) in scenarios.iter().enumerate() {
            std::fs::write(scripts.join(format!("{index}.toml")), scenario).unwrap();
        }
        Self::in_folder(folder, &scripts)
    }

    /// With the scenario files and the repositories of a folder.
    pub fn with_folder(scenarios: &Path) -> Self {
        Self::in_folder(TempDir::new().unwrap(), scenarios)
    }

    fn in_folder(folder: TempDir, scenarios: &Path) -> Self {
        let mut command = Command::new(EXE);
        command
            .args(["sim", "--addr", "127.0.0.1:0", "--state"])
            .arg(folder.path().join("state"))
            .arg("--scenarios")
            .arg(scenarios);
        let (child, url) = spawn_listening(&mut command);
        Self {
            child,
            url,
            _folder: folder,
        }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

/// How a server is started.
#[derive(Clone)]
pub struct ServeOptions {
    /// `memory`, or SQLite in the server's folder.
    pub store: Option<String>,
    pub sandbox: &'static str,
    /// Further arguments.
    pub args: Vec<String>,
    /// Further environment.
    pub env: Vec<(String, String)>,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            store: None,
            sandbox: "local",
            args: Vec::new(),
            env: Vec::new(),
        }
    }
}

/// `ml-intern serve` on a free port, with its store and its log in a folder of its own.
pub struct Server {
    child: Option<Child>,
    pub url: String,
    options: ServeOptions,
    sim_url: String,
    folder: TempDir,
    starts: usize,
}

impl Server {
    pub fn start(sim: &Sim, options: ServeOptions) -> Self {
        Self::against(&sim.url, options)
    }

    /// A server whose platform is at `sim_url`, which may be nothing.
    pub fn against(sim_url: &str, options: ServeOptions) -> Self {
        let mut server = Self {
            child: None,
            url: String::new(),
            options,
            sim_url: sim_url.to_owned(),
            folder: TempDir::new().unwrap(),
            starts: 0,
        };
        server.restart();
        server
    }

    /// The folder that holds the store (`journal.db`) and the logs (`serve-N.log`).
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Kills the process where it is.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            kill(&mut child);
        }
    }

    /// Asks it to end, and waits.
    pub fn terminate(&mut self) -> ExitStatus {
        self.ask_to_end();
        self.wait()
    }

    /// Asks it to end.
    pub fn ask_to_end(&self) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.take().unwrap().wait().unwrap()
    }

    /// Starts it (again) on the same store, on a new port.
    pub fn restart(&mut self) {
        let mut command = self.next_process();
        let (child, url) = spawn_listening(&mut command);
        self.child = Some(child);
        self.url = url;
    }

    /// Starts it and kills it after a while, wherever it is by then: perhaps in the middle of its recovery.
    pub fn restart_and_kill_after(&mut self, delay: Duration) {
        let mut child = self
            .next_process()
            .stdout(Stdio::null())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(delay);
        kill(&mut child);
    }

    /// The command of the next process, with a log of its own.
    fn next_process(&mut self) -> Command {
        self.kill();
        self.starts += 1;
        let store = self.options.store.clone().unwrap_or_else(|| {
            format!("sqlite:{}", self.folder.path().join("journal.db").display())
        });
        let log = std::fs::File::create(self.log_path()).unwrap();
        let mut command = Command::new(EXE);
        command
            .args([
                "serve",
                "--addr",
                "127.0.0.1:0",
                "--store",
                &store,
                "--sandbox",
                self.options.sandbox,
            ])
            .args(&self.options.args)
            .env("HF_ENDPOINT", &self.sim_url)
            .env("HF_ROUTER_URL", format!("{}/v1", self.sim_url))
            .env(
                "HF_DATASETS_SERVER_URL",
                format!("{}/datasets-server", self.sim_url),
            )
            .env("GITHUB_API_URL", format!("{}/github", self.sim_url))
            .env("ML_INTERN_MCP_URL", "")
            // Tests poll much faster than a client may.
            .env("ML_INTERN_REQUESTS_PER_MINUTE", "0")
            .envs(self.options.env.iter().cloned())
            .stderr(log);
        for inherited in INHERITED {
            command.env_remove(inherited);
        }
        command
    }

    fn log_path(&self) -> PathBuf {
        self.folder
            .path()
            .join(format!("serve-{}.log", self.starts))
    }

    /// Everything that all its processes have logged.
    pub fn logs(&self) -> String {
        let files = (1..=self.starts).map(|n| self.folder.path().join(format!("serve-{n}.log")));
        files
            .map(|file| std::fs::read_to_string(file).unwrap_or_default())
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn kill(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Spawns a process that prints `… listening on URL` first, and reads that URL.
fn spawn_listening(command: &mut Command) -> (Child, String) {
    let command = command.stdout(Stdio::piped()).stdin(Stdio::null());
    for inherited in INHERITED {
        command.env_remove(inherited);
    }
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines
        .by_ref()
        .map(|line| line.unwrap())
        .find_map(|line| {
            line.split("listening on ")
                .nth(1)
                .and_then(|rest| rest.split_whitespace().next().map(str::to_owned))
        })
        .expect("the process ended before it listened");
    // Keep the pipe open and empty, so that the process never blocks or fails on a write.
    std::thread::spawn(move || lines.for_each(drop));
    (child, url)
}
