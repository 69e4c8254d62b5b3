// Package judge tests what a lab's attempt did against the lab's checks. A check is data: an
// expression over the evidence, what was sought and how to say what was found. The package makes
// the expressions' environment of a session's events and an experiment's runs; it never runs code.
package judge

import "github.com/millpond/millpond/internal/evidence"

// Evidence is what a check's expression sees.
type Evidence struct {
	Queries     []evidence.Query      `expr:"queries" json:"queries"`
	Fits        []evidence.Fit        `expr:"fits" json:"fits"`
	Evaluations []evidence.Evaluation `expr:"evaluations" json:"evaluations"`
	Functions   []evidence.Function   `expr:"functions" json:"functions"`
	Statements  []evidence.Statement  `expr:"statements" json:"statements"`
	Failures    []evidence.Failure    `expr:"failures" json:"failures"`
	Loaded      []evidence.Loaded     `expr:"loaded" json:"loaded"`
	Calls       []evidence.Call       `expr:"calls" json:"calls"`
	Runs        []Run                 `expr:"runs" json:"runs"`
	Versions    []Version             `expr:"versions" json:"versions"`
	Models      []RegisteredModel     `expr:"models" json:"models"`
	Script      Script                `expr:"script" json:"script"`
}

// Script is how the learner's file ended.
type Script struct {
	OK       bool   `expr:"ok" json:"ok"`
	ExitCode int    `expr:"exit_code" json:"exit_code"`
	Error    string `expr:"error" json:"error"`   // the last line of its traceback
	Output   string `expr:"output" json:"output"` // what it printed
}

// Run is an MLflow run of the attempt's experiment.
type Run struct {
	ID        string               `expr:"id" json:"id"`
	Name      string               `expr:"name" json:"name"`
	Status    string               `expr:"status" json:"status"` // "FINISHED", "FAILED", "RUNNING"
	Parent    string               `expr:"parent" json:"parent"` // the parent run's id, "" for none
	Params    map[string]string    `expr:"params" json:"params"`
	Metrics   map[string]float64   `expr:"metrics" json:"metrics"`     // last values
	History   map[string][]float64 `expr:"history" json:"history"`     // all values, by step
	Tags      map[string]string    `expr:"tags" json:"tags"`           // those that the client does not set itself
	Autolog   string               `expr:"autolog" json:"autolog"`     // the library that autolog recorded, "" if it was logged by hand
	Artifacts []string             `expr:"artifacts" json:"artifacts"` // paths
	Models    []LoggedModel        `expr:"models" json:"models"`
	Datasets  []string             `expr:"datasets" json:"datasets"`
}

// LoggedModel is a model that a run logged.
type LoggedModel struct {
	ID      string   `expr:"id" json:"id"`
	Name    string   `expr:"name" json:"name"`
	Flavors []string `expr:"flavors" json:"flavors"` // "sklearn", "spark", "python_function"
	Signed  bool     `expr:"signed" json:"signed"`   // whether it has a signature
}

// RegisteredModel is a model of the registry with a version made of this attempt's runs.
type RegisteredModel struct {
	Name        string            `expr:"name" json:"name"`
	Description string            `expr:"description" json:"description"`
	Tags        map[string]string `expr:"tags" json:"tags"`
	Aliases     map[string]string `expr:"aliases" json:"aliases"` // alias: version
}

// Version is a version of such a model.
type Version struct {
	Model   string            `expr:"model" json:"model"`
	Version string            `expr:"version" json:"version"`
	Stage   string            `expr:"stage" json:"stage"` // "None", "Staging", "Production", "Archived"
	Aliases []string          `expr:"aliases" json:"aliases"`
	Source  string            `expr:"source" json:"source"`
	Run     string            `expr:"run" json:"run"` // id of the run that logged it
	Tags    map[string]string `expr:"tags" json:"tags"`
}

// Add puts a session's events where checks find them.
func (e *Evidence) Add(events []evidence.Event) {
	for _, x := range events {
		switch x := x.(type) {
		case evidence.Query:
			e.Queries = append(e.Queries, x)
		case evidence.Fit:
			e.Fits = append(e.Fits, x)
		case evidence.Evaluation:
			e.Evaluations = append(e.Evaluations, x)
		case evidence.Function:
			e.Functions = append(e.Functions, x)
		case evidence.Statement:
			e.Statements = append(e.Statements, x)
		case evidence.Failure:
			e.Failures = append(e.Failures, x)
		case evidence.Call:
			e.Calls = append(e.Calls, x)
		case evidence.Loaded:
			e.Loaded = append(e.Loaded, x)
		}
	}
}
