//! A job as the API shows it. Secret values never appear: names only.

use serde_json::{Value, json};

use super::job::{Job, Stage};
use crate::clock::{iso, seconds_between};
use crate::ids::stable_id;

/// The Job object. `hub` is the simulator's own address.
pub fn describe(job: &Job, hub: &str) -> Value {
    let status = job.status();
    let spec = &job.spec;
    let person = json!({
        "id": stable_id(&job.owner.name), "name": job.owner.name, "type": job.owner.kind(),
        "avatarUrl": format!("{hub}/avatars/{}.svg", job.owner.name),
    });
    let mut view = json!({
        "type": "job",
        "id": job.id,
        "createdAt": iso(job.created_at),
        "command": spec.command,
        "arguments": spec.arguments,
        "environment": spec.environment,
        "secrets": spec.secrets.keys().collect::<Vec<_>>(),
        "flavor": spec.flavor,
        "arch": "amd64",
        "timeout": spec.timeout(),
        "labels": job.labels(),
        "volumes": spec.volumes,
        "expose": spec.expose,
        "retry": 0,
        "createdBy": {"id": person["id"], "name": job.owner.name},
        "owner": person,
        "initiator": {"type": job.owner.kind(), "id": person["id"], "name": job.owner.name},
        "status": {
            "stage": status.stage.as_str(),
            "message": status.message,
            "failureCount": u8::from(status.stage == Stage::Error),
            "exposeUrls": expose_urls(job, hub),
            "sshUrl": null,
        },
        "durations": durations(job),
    });
    let optional = [
        ("dockerImage", spec.docker_image.clone()),
        ("spaceId", spec.space_id.clone()),
        ("startedAt", status.started_at.map(iso)),
        ("finishedAt", status.finished_at.map(iso)),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            view[key] = Value::String(value);
        }
    }
    view
}

fn expose_urls(job: &Job, hub: &str) -> Vec<String> {
    if job.status().stage.is_terminal() {
        return Vec::new();
    }
    let expose = &job.spec.expose;
    let ports = expose.ports.iter().chain(&expose.ports_public);
    ports
        .map(|port| format!("{hub}/jobs-proxy/{}--{port}.local", job.id))
        .collect()
}

/// Whole seconds in SCHEDULING, in RUNNING and altogether, up to now for a job that goes on.
fn durations(job: &Job) -> Value {
    let status = job.status();
    let now = status.finished_at.unwrap_or_else(jiff::Timestamp::now);
    let scheduled = seconds_between(job.created_at, status.started_at.unwrap_or(now));
    // A started second of scheduling is not billed and not counted.
    let scheduled = scheduled.saturating_sub(1);
    let ran = status
        .started_at
        .map_or(0, |start| seconds_between(start, now));
    json!({
        "schedulingSecs": scheduled,
        "runningSecs": ran,
        "totalSecs": scheduled + ran,
    })
}
