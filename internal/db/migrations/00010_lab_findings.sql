-- +goose Up
-- What the checks of a lab's last attempt looked for and found, as JSON.
ALTER TABLE learn_labs ADD COLUMN findings TEXT NOT NULL DEFAULT 'null';

-- +goose Down
ALTER TABLE learn_labs DROP COLUMN findings;
