-- +goose Up
CREATE TABLE traces (
    id INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL UNIQUE,
    experiment_id INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE,
    client_request_id TEXT NOT NULL DEFAULT '',
    timestamp_ms INTEGER NOT NULL,
    execution_ms INTEGER,
    state TEXT NOT NULL,
    request_preview TEXT,
    response_preview TEXT
);
-- The default order of a search.
CREATE INDEX traces_default_order ON traces (experiment_id, timestamp_ms DESC, trace_id);

CREATE TABLE trace_tags (
    trace INTEGER NOT NULL REFERENCES traces ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (trace, key)
) WITHOUT ROWID;

CREATE TABLE trace_metadata (
    trace INTEGER NOT NULL REFERENCES traces ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (trace, key)
) WITHOUT ROWID;

-- content is the span in OpenTelemetry's JSON, as it is answered.
CREATE TABLE spans (
    trace INTEGER NOT NULL REFERENCES traces ON DELETE CASCADE,
    span_id TEXT NOT NULL,
    parent_id TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,
    content TEXT NOT NULL,
    PRIMARY KEY (trace, span_id)
);

-- body is the feedback, expectation or issue in MLflow's JSON; value is what a
-- search compares, as text and, if it is one, as a number.
CREATE TABLE assessments (
    id INTEGER PRIMARY KEY,
    trace INTEGER NOT NULL REFERENCES traces ON DELETE CASCADE,
    assessment_id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    span_id TEXT NOT NULL DEFAULT '',
    source_type TEXT NOT NULL DEFAULT '',
    source_id TEXT NOT NULL DEFAULT '',
    body TEXT NOT NULL,
    value TEXT,
    number REAL,
    rationale TEXT NOT NULL DEFAULT '',
    metadata TEXT NOT NULL DEFAULT '',
    overrides TEXT NOT NULL DEFAULT '',
    valid INTEGER NOT NULL DEFAULT 1,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    UNIQUE (trace, assessment_id)
);

-- Runs and prompt versions that a trace belongs to.
CREATE TABLE trace_links (
    trace INTEGER NOT NULL REFERENCES traces ON DELETE CASCADE,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (trace, kind, target)
) WITHOUT ROWID;
CREATE INDEX trace_links_target ON trace_links (kind, target);
