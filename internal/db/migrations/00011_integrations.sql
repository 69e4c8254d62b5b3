-- +goose Up
-- Webhooks of Databricks' registry (workspace = 1) stand beside MLflow's; one may be a single model's.
ALTER TABLE webhooks ADD COLUMN workspace INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN model INTEGER REFERENCES registered_models ON DELETE CASCADE;
ALTER TABLE webhooks ADD COLUMN unverified INTEGER NOT NULL DEFAULT 0; -- the receiver's certificate is not checked
CREATE INDEX webhooks_model ON webhooks (model);

-- What a webhook signs and signs in with, encrypted. The column secret is of older versions: it is emptied at start.
ALTER TABLE webhooks ADD COLUMN sealed TEXT NOT NULL DEFAULT '';

-- A token that a program got for another one ends with it.
ALTER TABLE tokens ADD COLUMN parent INTEGER REFERENCES tokens ON DELETE CASCADE;
CREATE INDEX tokens_parent ON tokens (parent);

-- How much of what comes a scorer is to judge by itself.
CREATE TABLE online_scoring (
    scorer INTEGER NOT NULL UNIQUE REFERENCES scorers ON DELETE CASCADE,
    config_id TEXT NOT NULL UNIQUE,
    sample_rate REAL NOT NULL,
    filter_string TEXT
);
