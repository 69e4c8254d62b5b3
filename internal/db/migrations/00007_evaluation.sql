-- +goose Up
CREATE TABLE evaluation_datasets (
    id INTEGER PRIMARY KEY,
    dataset_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    schema TEXT NOT NULL DEFAULT '',
    profile TEXT NOT NULL DEFAULT '',
    digest TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL DEFAULT '',
    updated_by TEXT NOT NULL DEFAULT ''
);
CREATE INDEX evaluation_datasets_created ON evaluation_datasets (created_ms);

CREATE TABLE evaluation_dataset_tags (
    dataset INTEGER NOT NULL REFERENCES evaluation_datasets ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (dataset, key)
) WITHOUT ROWID;

CREATE TABLE evaluation_dataset_experiments (
    dataset INTEGER NOT NULL REFERENCES evaluation_datasets ON DELETE CASCADE,
    experiment_id INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE,
    PRIMARY KEY (dataset, experiment_id)
) WITHOUT ROWID;
CREATE INDEX evaluation_dataset_experiments_experiment ON evaluation_dataset_experiments (experiment_id);

-- A record is known by its inputs. The values are JSON.
CREATE TABLE evaluation_records (
    id INTEGER PRIMARY KEY,
    dataset INTEGER NOT NULL REFERENCES evaluation_datasets ON DELETE CASCADE,
    record_id TEXT NOT NULL UNIQUE,
    input_hash TEXT NOT NULL,
    body TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    UNIQUE (dataset, input_hash)
);

CREATE TABLE scorers (
    id INTEGER PRIMARY KEY,
    scorer_id TEXT NOT NULL UNIQUE,
    experiment_id INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE,
    name TEXT NOT NULL,
    last_version INTEGER NOT NULL DEFAULT 0,
    UNIQUE (experiment_id, name)
);

CREATE TABLE scorer_versions (
    scorer INTEGER NOT NULL REFERENCES scorers ON DELETE CASCADE,
    version INTEGER NOT NULL,
    serialized TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (scorer, version)
) WITHOUT ROWID;
