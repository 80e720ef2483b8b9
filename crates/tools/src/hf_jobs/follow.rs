//! Following one job to its end: the one way, for a job that was just started, one that an interrupted call has left, and
//! one that the model waits for.

use crate::cap::{OUTPUT_LIMIT, cap};
use crate::{Adopted, Call, Outcome, Report};
use platform::{Job, JobUpdate, Stage};

/// Log bytes kept for the model and the stream; the rest is on the Hub.
const MOST_LOG: usize = 8 * 1024 * 1024;

/// A job whose stage is terminal.
pub(super) struct Ended {
    pub job: Job,
    pub log: String,
}

/// Waits until the job has ended, and reports its stages and its log, from the line on that no earlier call has reported.
///
/// # Errors
/// A sentence for the model when the job is followed no further; it may still run.
pub(super) async fn follow(call: &Call, job: &Adopted) -> Result<Ended, String> {
    let platform = &call.session.platform;
    // From its beginning: the outcome shows the whole log, whoever has seen the first part of it.
    let token = call.session.token.clone();
    let mut updates = platform.follow_job(token, &job.namespace, &job.id, 0);
    let mut log = Log::after(job.lines);
    let mut current = None;
    loop {
        let update = tokio::select! {
            update = updates.next() => update,
            () = call.cancel.cancelled() => {
                return Err(format!("Cancelled while job {} was running. The job goes on: {}", job.id, job.url));
            }
        };
        match update {
            Some(Ok(JobUpdate::Line(line))) => {
                if let Some(news) = log.push(line) {
                    call.report(Report::Log(news)).await;
                }
            }
            Some(Ok(JobUpdate::Stage(seen))) => {
                let (url, stage) = (job.url.clone(), seen.stage.as_str().to_owned());
                call.report(Report::JobStage { url, stage }).await;
                current = Some(seen);
            }
            Some(Err(error)) => {
                let (id, url, why) = (&job.id, &job.url, error.message);
                return Err(format!(
                    "Lost sight of job {id} ({why}). It may still run: {url}"
                ));
            }
            None => break,
        }
    }
    let text = log.text;
    current.map(|job| Ended { job, log: text }).ok_or_else(|| {
        format!(
            "Lost sight of job {}. It may still run: {}",
            job.id, job.url
        )
    })
}

/// A log with the lines that were reported before at its beginning.
struct Log {
    text: String,
    /// Line ends still to come before there is news.
    known: usize,
}

impl Log {
    fn after(known: usize) -> Self {
        let text = String::new();
        Self { text, known }
    }

    /// Keeps a line, and gives what of it is news. A log that is too long ends where it ended the last time.
    fn push(&mut self, mut line: String) -> Option<String> {
        if self.text.len() > MOST_LOG {
            return None;
        }
        line.push('\n');
        self.text.push_str(&line);
        if self.known == 0 {
            return Some(line);
        }
        // What the platform calls a line may hold line ends; in the stream of events only those can be counted.
        let ends = line.matches('\n').count();
        self.known = self.known.saturating_sub(ends);
        None
    }
}

impl Ended {
    /// What the model is told. It costs nothing yet.
    pub fn outcome(&self, url: &str) -> Outcome {
        let Self { job, log } = self;
        let seconds = job.running_seconds.or(job.total_seconds);
        let duration = seconds
            .map(|seconds| format!(" after {seconds} s"))
            .unwrap_or_default();
        let message = job.message.as_deref().filter(|text| !text.is_empty());
        let message = message.map(|text| format!(" ({text})")).unwrap_or_default();
        let whole = Some("the whole log is on the job's page");
        let log = cap(log, OUTPUT_LIMIT, whole).text;
        let (id, stage) = (&job.id, job.stage.as_str());
        let text =
            format!("Job {id} ended as {stage}{message}{duration}.\nURL: {url}\n\nLog:\n{log}");
        match job.stage {
            Stage::Completed => Outcome::ok(text),
            _ => Outcome::failed(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Log;

    #[test]
    fn a_log_goes_on_without_a_gap_or_a_doubled_line() {
        let lines = ["one", "two\nand a half", "", "three"];
        let whole: String = lines.map(|line| format!("{line}\n")).concat();
        let cuts = [0, 1, 3, 4, 5];
        for known in cuts {
            let mut log = Log::after(known);
            let news: String = lines
                .iter()
                .filter_map(|line| log.push((*line).to_owned()))
                .collect();
            let before: String = whole.split_inclusive('\n').take(known).collect();
            assert_eq!(before + &news, whole, "{known}");
            assert_eq!(log.text, whole);
        }
    }
}
