// Package doctor looks at a machine and says what Millpond lacks there, each lack with the
// command that mends it. What comes in is the settings that a server would be started with; what
// goes out is a list of findings. It mends nothing itself.
package doctor

import (
	"context"

	"github.com/millpond/millpond/internal/runtime"
)

// Status of a finding.
type Status string

// The statuses: all is well; it works, but something is less than it could be; it does not work.
const (
	OK      Status = "ok"
	Note    Status = "note"
	Missing Status = "missing"
)

// Finding is the result of one check.
type Finding struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Text   string `json:"text"`           // what was found, or what is missing
	Mend   string `json:"mend,omitempty"` // the command that mends it
}

// Options are the settings of the server to be.
type Options struct {
	DataDir  string
	Layout   int    // the version of data directories that this program knows
	Connect  string // address of Spark Connect
	HTTP     string // address of MLflow
	Python   string // named with --python, "" for none
	Runtimes runtime.Store
}

// exam is what checks share.
type exam struct {
	Options
	python runtime.Python // the workers', once found
	found  bool
	named  bool // by the user
	inRT   bool // it is a managed runtime's
}

// checks are made in this order: later ones use what earlier ones found.
var checks = []struct {
	name string
	run  func(context.Context, *exam) Finding
}{
	{"python", checkPython},
	{"pyspark", checkPySpark},
	{"pandas", checkPandas},
	{"pyarrow", checkPyArrow},
	{"mlflow", checkMLflow},
	{"runtime", checkRuntime},
	{"uv", checkUV},
	{"data directory", checkDataDir},
	{"disk", checkDisk},
	{"spark port", checkConnect},
	{"mlflow port", checkHTTP},
	{"memory", checkMemory},
	{"git", checkGit},
}

// Run makes all checks.
func Run(ctx context.Context, o Options) []Finding {
	e := &exam{Options: o}
	out := make([]Finding, 0, len(checks))
	for _, c := range checks {
		f := c.run(ctx, e)
		f.Name = c.name
		out = append(out, f)
	}
	return out
}

// Healthy says whether nothing that is needed is missing.
func Healthy(list []Finding) bool {
	for _, f := range list {
		if f.Status == Missing {
			return false
		}
	}
	return true
}
