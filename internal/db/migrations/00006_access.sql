-- +goose Up
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL DEFAULT '', -- bcrypt; empty if the user has none
    admin INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL
);

-- Only a hash of a token is kept. A session is what a browser has after a login.
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    kind TEXT NOT NULL,
    comment TEXT NOT NULL DEFAULT '',
    hash TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER
);
CREATE INDEX tokens_user ON tokens (user_id);

CREATE TABLE permissions (
    user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    permission TEXT NOT NULL,
    PRIMARY KEY (user_id, resource_type, resource_id)
) WITHOUT ROWID;
CREATE INDEX permissions_resource ON permissions (resource_type, resource_id);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    user_name TEXT NOT NULL,
    action TEXT NOT NULL,
    resource TEXT NOT NULL DEFAULT '',
    status INTEGER NOT NULL,
    remote TEXT NOT NULL DEFAULT ''
);
CREATE INDEX audit_at ON audit (at_ms);
