-- +goose Up
-- What learners did in the course. Ids of questions, topics, labs, maps and plans are the content's.
CREATE TABLE learn_answers (
    id INTEGER PRIMARY KEY,
    learner TEXT NOT NULL,
    question TEXT NOT NULL,
    answered INTEGER NOT NULL,
    chosen TEXT NOT NULL, -- places of options, as JSON
    correct INTEGER NOT NULL,
    mock TEXT NOT NULL DEFAULT '' -- the mock exam it was given in
);
CREATE INDEX learn_answers_learner ON learn_answers (learner, answered);

CREATE TABLE learn_cards (
    learner TEXT NOT NULL,
    question TEXT NOT NULL,
    repetitions INTEGER NOT NULL,
    interval_days INTEGER NOT NULL,
    ease REAL NOT NULL,
    due INTEGER NOT NULL,
    PRIMARY KEY (learner, question)
) WITHOUT ROWID;

CREATE TABLE learn_mocks (
    id TEXT NOT NULL PRIMARY KEY,
    learner TEXT NOT NULL,
    map TEXT NOT NULL,
    started INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    finished INTEGER NOT NULL DEFAULT 0 -- 0 while it runs
) WITHOUT ROWID;
CREATE INDEX learn_mocks_learner ON learn_mocks (learner, started);

CREATE TABLE learn_mock_questions (
    mock TEXT NOT NULL REFERENCES learn_mocks ON DELETE CASCADE,
    place INTEGER NOT NULL,
    question TEXT NOT NULL,
    options TEXT NOT NULL, -- the order they are shown in, as JSON
    chosen TEXT NOT NULL DEFAULT '[]',
    flagged INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (mock, place)
) WITHOUT ROWID;

CREATE TABLE learn_labs (
    learner TEXT NOT NULL,
    lab TEXT NOT NULL,
    started INTEGER NOT NULL,
    passed INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    hints INTEGER NOT NULL DEFAULT 0,
    solution INTEGER NOT NULL DEFAULT 0, -- when the solution was looked at
    PRIMARY KEY (learner, lab)
) WITHOUT ROWID;

CREATE TABLE learn_topics (
    learner TEXT NOT NULL,
    topic TEXT NOT NULL,
    finished INTEGER NOT NULL,
    PRIMARY KEY (learner, topic)
) WITHOUT ROWID;

CREATE TABLE learn_plans (
    learner TEXT NOT NULL PRIMARY KEY,
    plan TEXT NOT NULL,
    map TEXT NOT NULL,
    start TEXT NOT NULL -- a date
) WITHOUT ROWID;

-- +goose Down
DROP TABLE learn_plans;
DROP TABLE learn_topics;
DROP TABLE learn_labs;
DROP TABLE learn_mock_questions;
DROP TABLE learn_mocks;
DROP TABLE learn_cards;
DROP TABLE learn_answers;
