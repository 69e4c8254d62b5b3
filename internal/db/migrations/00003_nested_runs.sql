-- +goose Up
-- The nested runs of a parent, and whether there are any, without reading every tag.
CREATE INDEX tags_parent_run ON tags (value) WHERE key = 'mlflow.parentRunId';

-- +goose Down
DROP INDEX tags_parent_run;
