//! Plays moves as a turn would record them, and checks the log against what is live.

mod drafts;

use super::moves::{Move, Rest};
use crate::recorder::Ending;
use crate::{Draft, Recorder, SessionState};
use journal::{Entry, Journal, Lease};
use protocol::{
    ApprovalRequest, CreateRequest, Event, FailureType, MicroUsd, Response, RunError, SessionId,
    Status,
};
use tempfile::TempDir;

pub struct Store {
    url: String,
    /// Where a SQLite store lives; it can be opened again.
    folder: Option<TempDir>,
}

impl Store {
    pub fn memory() -> Self {
        Self {
            url: "memory".into(),
            folder: None,
        }
    }

    pub fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        Self {
            url: format!("sqlite:{}", folder.path().join("journal.db").display()),
            folder: Some(folder),
        }
    }
}

pub struct Play {
    store: Store,
    journal: Journal,
    lease: Lease,
    first_cap: MicroUsd,
    recorder: Recorder,
    /// Names given so far.
    named: usize,
}

impl Play {
    pub async fn begin(store: Store, cap: u64) -> Self {
        let journal = Journal::open(&store.url).await.unwrap();
        let lease = Lease::first(SessionId::fresh());
        let first_cap = MicroUsd(cap);
        let state = SessionState::new(first_cap);
        let recorder = submit(&journal, &lease, state, 1.0, None).await;
        Self {
            store,
            journal,
            lease,
            first_cap,
            recorder,
            named: 0,
        }
    }

    pub async fn act(&mut self, step: &Move) {
        match step {
            Move::Crash => self.crash().await,
            Move::Next { temperature, cap } => self.next(*temperature, *cap).await,
            Move::Rest(rest) if !self.status().is_terminal() => self.rest(*rest).await,
            Move::Decide {
                approve,
                cap,
                feedback,
            } if self.waits() => {
                let decision = ApprovalRequest {
                    approve: *approve,
                    new_max_cost: cap.map(MicroUsd),
                    feedback: feedback.clone(),
                };
                self.recorder.decide(&decision).await.unwrap();
            }
            _ if self.status().is_terminal() || self.waits() => {}
            _ => {
                self.run().await;
                for drafts in self.drafts(step) {
                    self.recorder.record(drafts).await.unwrap();
                }
                if let Move::Pause { estimate } = step {
                    self.pause(*estimate).await;
                }
            }
        }
    }

    fn response(&self) -> &Response {
        self.recorder.response().unwrap()
    }

    fn status(&self) -> Status {
        self.response().status
    }

    /// Whether it waits for a decision.
    fn waits(&self) -> bool {
        self.response().pending_approval.is_some()
    }

    /// Makes sure that the turn runs.
    async fn run(&mut self) {
        let before = match self.status() {
            Status::Queued => Vec::new(),
            Status::Incomplete => vec![Draft::from(Event::Resumed {})],
            _ => return,
        };
        self.recorder.start(before).await.unwrap();
    }

    async fn rest(&mut self, rest: Rest) {
        let ending = match rest {
            Rest::Completed => Ending::Completed,
            Rest::Failed => Ending::Failed(RunError::new(FailureType::ModelError, "why")),
            Rest::Cancelled => Ending::Cancelled,
            Rest::Interrupted => Ending::Interrupted,
        };
        self.recorder.end(ending).await.unwrap();
    }

    async fn next(&mut self, temperature: f64, cap: Option<u64>) {
        if !self.status().is_terminal() {
            self.rest(Rest::Completed).await;
        }
        let state = self.recorder.state().clone();
        self.recorder = submit(&self.journal, &self.lease, state, temperature, cap).await;
    }

    /// The process is gone; another one opens the store, takes the session over and goes on.
    async fn crash(&mut self) {
        self.check().await;
        if self.store.folder.is_some() {
            self.journal = Journal::open(&self.store.url).await.unwrap();
        }
        self.lease = self.journal.acquire(self.lease.session()).await.unwrap();
        let state = self.refolded().await;
        self.recorder = Recorder::resume(&self.journal, &self.lease, state).unwrap();
    }

    async fn logs(&self) -> Vec<Vec<Entry>> {
        let mut logs = Vec::new();
        for row in self
            .journal
            .responses_of(self.lease.session())
            .await
            .unwrap()
        {
            logs.push(self.journal.entries(&row.id).await.unwrap());
        }
        logs
    }

    async fn refolded(&self) -> SessionState {
        let mut state = SessionState::new(self.first_cap);
        for entry in self.logs().await.iter().flatten() {
            state.apply(entry);
        }
        state
    }

    /// The log folds to what is live; so does what clients read.
    pub async fn check(&self) {
        let refolded = self.refolded().await;
        assert_eq!(&refolded, self.recorder.state());
        let live = json(self.response());
        assert_eq!(json(&refolded.response.unwrap()), live);
        let row = self.journal.response(self.recorder.id()).await.unwrap();
        let object = self.journal.object(&row.unwrap()).await.unwrap();
        assert_eq!(json(&object), live);
        let budget = self.recorder.state().ledger.budget();
        assert_eq!(self.response().budget, budget);
    }

    /// Every snapshot is the fold up to it, and a fold that was put away as JSON at any point goes on from there.
    pub async fn check_logs(&self, cut: f64) {
        for log in self.logs().await {
            let fold = |entries: &[Entry]| {
                Response::fold(entries.iter().map(|entry| (entry.seq, &entry.event))).unwrap()
            };
            for (index, entry) in log.iter().enumerate() {
                if let Some(snapshot) = snapshot(&entry.event) {
                    assert_eq!(json(snapshot), json(&fold(&log[..=index])));
                }
            }
            let kept = 1 + (cut * (log.len() - 1) as f64) as usize;
            let mut response: Response = serde_json::from_str(&json(&fold(&log[..kept]))).unwrap();
            for entry in &log[kept..] {
                response.apply(entry.seq, &entry.event);
            }
            assert_eq!(json(&response), json(&fold(&log)));
        }
    }
}

async fn submit(
    journal: &Journal,
    lease: &Lease,
    state: SessionState,
    temperature: f64,
    cap: Option<u64>,
) -> Recorder {
    // What the client was to run is answered, at every other temperature.
    let answers = state.awaited.iter().filter(|_| temperature < 1.0);
    let answers = answers.map(
        |id| serde_json::json!({"type": "function_call_output", "call_id": id, "output": "done"}),
    );
    let messages = ["before", "task"];
    let messages = messages.map(|text| serde_json::json!({"role": "user", "content": text}));
    let input: Vec<serde_json::Value> = answers.chain(messages).collect();
    let body = serde_json::json!({
        "input": input,
        "instructions": "rules",
        "temperature": temperature,
        "metadata": {"a": "b"},
    });
    let mut request = CreateRequest::parse(&body).unwrap();
    request.max_cost = cap.map(MicroUsd);
    state.check_outputs(&request.input).unwrap();
    let submit = crate::Submit {
        owner: "alice",
        model: "m".into(),
        request: &request,
        claims: Vec::new(),
        webhook: None,
    };
    let submitted = Recorder::submit(journal, lease, state, submit).await;
    submitted.map_err(|(_, error)| error).unwrap()
}

fn json(response: &Response) -> String {
    serde_json::to_string(response).unwrap()
}

fn snapshot(event: &Event) -> Option<&Response> {
    match event {
        Event::Created { response }
        | Event::Queued { response }
        | Event::InProgress { response }
        | Event::ApprovalRequired { response, .. }
        | Event::Incomplete { response }
        | Event::Completed { response }
        | Event::Failed { response }
        | Event::Cancelled { response } => Some(response),
        _ => None,
    }
}
