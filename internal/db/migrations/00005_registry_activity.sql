-- +goose Up
-- A version whose files are still being sent is PENDING_REGISTRATION.
ALTER TABLE model_versions ADD COLUMN status TEXT NOT NULL DEFAULT 'READY';
ALTER TABLE model_versions ADD COLUMN user_id TEXT NOT NULL DEFAULT '';

-- What was done to a version, by whom: stages, requests for them, comments.
CREATE TABLE model_activities (
    id INTEGER PRIMARY KEY,
    model INTEGER NOT NULL REFERENCES registered_models ON DELETE CASCADE,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    from_stage TEXT NOT NULL DEFAULT '',
    to_stage TEXT NOT NULL DEFAULT '',
    user_id TEXT NOT NULL,
    comment TEXT NOT NULL DEFAULT '',
    system_comment TEXT NOT NULL DEFAULT '',
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
);
CREATE INDEX model_activities_version ON model_activities (model, version, id);

-- Requests that wait for somebody to approve or reject them.
CREATE TABLE transition_requests (
    id INTEGER PRIMARY KEY,
    model INTEGER NOT NULL,
    version INTEGER NOT NULL,
    to_stage TEXT NOT NULL,
    user_id TEXT NOT NULL,
    comment TEXT NOT NULL DEFAULT '',
    created_ms INTEGER NOT NULL,
    UNIQUE (model, version, to_stage, user_id),
    FOREIGN KEY (model, version) REFERENCES model_versions (model, version) ON DELETE CASCADE
);

CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY,
    webhook_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    url TEXT NOT NULL,
    secret TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL,
    events TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
);

-- Deliveries that have not been made yet; they outlive a restart.
CREATE TABLE webhook_deliveries (
    id INTEGER PRIMARY KEY,
    webhook INTEGER NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    delivery_id TEXT NOT NULL,
    entity TEXT NOT NULL,
    action TEXT NOT NULL,
    payload TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next_ms INTEGER NOT NULL,
    last_error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX webhook_deliveries_next ON webhook_deliveries (next_ms);
