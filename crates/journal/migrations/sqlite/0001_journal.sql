CREATE TABLE sessions (
    id         TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    -- The fencing number: an append that carries a smaller one is refused.
    fence      INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE responses (
    id         TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    -- 0, 1, 2 … in the order of creation: a session is folded in this order, whatever the clock said.
    position   INTEGER NOT NULL,
    owner      TEXT NOT NULL,
    -- Projection of the newest event's meaning, for claiming and conflict checks.
    phase      INTEGER NOT NULL,
    -- Newest durable sequence number.
    head       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- Of a deleted response: what its session must not forget (JSON). NULL while the response exists.
    residue    TEXT
) STRICT;

CREATE UNIQUE INDEX responses_by_session ON responses (session_id, position);
CREATE INDEX responses_by_owner ON responses (owner, id) WHERE residue IS NULL;
CREATE INDEX responses_by_phase ON responses (owner, phase, id) WHERE residue IS NULL;
CREATE INDEX responses_by_age ON responses (created_at) WHERE residue IS NULL AND phase >= 4;
CREATE INDEX deleted_responses ON responses (session_id) WHERE residue IS NOT NULL;
-- Queued, running or paused for approval: at most one per session.
CREATE UNIQUE INDEX one_open_response ON responses (session_id) WHERE phase <= 2;

CREATE TABLE events (
    response_id TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    name        TEXT NOT NULL,
    -- The JSON line that clients read.
    body        TEXT NOT NULL,
    -- What only a restart needs.
    private     TEXT,
    PRIMARY KEY (response_id, seq)
) STRICT, WITHOUT ROWID;

-- The metadata of responses, for finding them by it.
CREATE TABLE metadata (
    owner       TEXT NOT NULL,
    key         TEXT NOT NULL,
    value       TEXT NOT NULL,
    response_id TEXT NOT NULL,
    PRIMARY KEY (owner, key, value, response_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX metadata_by_response ON metadata (response_id);

-- Which response a request made, so that a retry of the request gets it and makes no other.
CREATE TABLE claims (
    name        TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    response_id TEXT NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX claims_by_response ON claims (response_id);
CREATE INDEX claims_by_expiry ON claims (expires_at);

-- Who is told of a response's events, and how far that has come.
CREATE TABLE webhooks (
    response_id      TEXT PRIMARY KEY,
    url              TEXT NOT NULL,
    -- Names of the wanted events, a JSON array.
    events           TEXT NOT NULL,
    by_operator      INTEGER NOT NULL,
    -- Every wanted event before it is delivered.
    next_seq         INTEGER NOT NULL DEFAULT 0,
    -- The newest durable event that is wanted; -1 before the first.
    newest           INTEGER NOT NULL DEFAULT -1,
    attempts         INTEGER NOT NULL DEFAULT 0,
    failing_since_ms INTEGER,
    next_attempt_at  INTEGER NOT NULL DEFAULT 0,
    last_error       TEXT,
    last_status      INTEGER,
    delivered        INTEGER NOT NULL DEFAULT 0,
    gave_up          INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX webhooks_due ON webhooks (next_attempt_at) WHERE newest >= next_seq AND gave_up = 0;

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
