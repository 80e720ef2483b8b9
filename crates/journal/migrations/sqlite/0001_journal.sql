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
    created_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX responses_by_session ON responses (session_id, position);
CREATE INDEX responses_by_owner ON responses (owner, id);
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
