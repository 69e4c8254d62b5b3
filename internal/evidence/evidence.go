// Package evidence is what a Spark session did, told as events: relations that ran, estimators
// that were fitted, evaluations, Python functions, SQL text, errors. The engine tells a Recorder;
// where nobody listens nothing is made. The package knows no plan, no data and no judgement.
package evidence

// Input is where the rows of an event came from: its plan, summed up.
type Input struct {
	Rows       int64    `expr:"rows" json:"rows"`             // rows read, -1 if they were not counted
	Split      string   `expr:"split" json:"split"`           // "all", or a part of randomSplit: "train" (half or more) or "held-out"
	Share      float64  `expr:"share" json:"share"`           // the part's share of the rows, 1 for all
	Lower      float64  `expr:"lower" json:"lower"`           // the part's bounds
	Upper      float64  `expr:"upper" json:"upper"`           //
	Seed       int64    `expr:"seed" json:"seed"`             // the split's seed
	Operators  []string `expr:"operators" json:"operators"`   // "Filter", "Join", "FillNA", ... outermost first
	Sources    []string `expr:"sources" json:"sources"`       // tables, views and files by name
	Transforms []string `expr:"transforms" json:"transforms"` // models and transformers that the rows went through, "StringIndexerModel", ... outermost first
	Functions  []string `expr:"functions" json:"functions"`   // SQL functions used, "exp", "avg", ...
	Python     []string `expr:"python" json:"python"`         // kinds of Python functions used, "pandas scalar", ...
	Loop       string   `expr:"loop" json:"loop"`             // the tuning loop that cut these rows, "CrossValidator", "TrainValidationSplit" or ""
	LoopID     string   `expr:"loop_id" json:"loop_id"`       // which of them: two searches have two ids
	LoopPart   string   `expr:"loop_part" json:"loop_part"`   // "train" or "validation" in a loop, else ""
	Fold       int      `expr:"fold" json:"fold"`             // which fold, from 0; -1 outside a loop
	Cached     bool     `expr:"cached" json:"cached"`         // whether the rows, or what they are made of, are kept in memory
	PandasAPI  bool     `expr:"pandas_api" json:"pandas_api"` // whether the pandas API on Spark made the plan
	Columns    []string `expr:"columns" json:"columns"`       // names of the columns
}

type (
	// Query is a relation that ran and gave its rows to the client, to a file or to a table.
	Query struct {
		Action string `expr:"action" json:"action"` // "collect", "show", "count", "foreach", "write"
		Target string `expr:"target" json:"target"` // the table or path that was written
		Rows   int64  `expr:"rows" json:"rows"`     // rows given to the client
		Input  Input  `expr:"input" json:"input"`
	}
	// Fit is a fitted estimator.
	Fit struct {
		Estimator string         `expr:"estimator" json:"estimator"` // "StandardScaler"
		UID       string         `expr:"uid" json:"uid"`
		Params    map[string]any `expr:"params" json:"params"` // those that were set, and defaults
		Input     Input          `expr:"input" json:"input"`
	}
	// Evaluation is a metric that an evaluator computed.
	Evaluation struct {
		Evaluator string         `expr:"evaluator" json:"evaluator"` // "RegressionEvaluator"
		Metric    string         `expr:"metric" json:"metric"`       // "rmse"
		Value     float64        `expr:"value" json:"value"`
		Params    map[string]any `expr:"params" json:"params"`
		Input     Input          `expr:"input" json:"input"`
	}
	// Function is one run of a Python function over one query.
	Function struct {
		Kind    string `expr:"kind" json:"kind"` // "row", "pandas scalar", "pandas iterator", "map in pandas", ...
		Name    string `expr:"name" json:"name"`
		Calls   int64  `expr:"calls" json:"calls"`     // how often it was called
		Tasks   int64  `expr:"tasks" json:"tasks"`     // partitions, each on one worker
		Batches int64  `expr:"batches" json:"batches"` // batches of at most 10,000 rows that it was given
		Rows    int64  `expr:"rows" json:"rows"`
	}
	// Statement is SQL text that a client sent.
	Statement struct {
		Text  string `expr:"text" json:"text"`
		Input Input  `expr:"input" json:"input"`
	}
	// Failure is an error that a client was told.
	Failure struct {
		Condition string `expr:"condition" json:"condition"` // "UNRESOLVED_COLUMN.WITH_SUGGESTION", "" if it has none
		Message   string `expr:"message" json:"message"`
	}
	// Call is a request to MLflow's REST API.
	Call struct {
		Endpoint string         `expr:"endpoint" json:"endpoint"` // "runs/search"
		Method   string         `expr:"method" json:"method"`
		Params   map[string]any `expr:"params" json:"params"` // of the query or the JSON body
		Status   int            `expr:"status" json:"status"`
		Worker   bool           `expr:"worker" json:"worker"` // sent by a Python worker, not by the script
	}
	// Loaded is a saved operator or model that was read.
	Loaded struct {
		Class string `expr:"class" json:"class"`
		Path  string `expr:"path" json:"path"`
	}
)

// Event is one of the types above.
type Event any

// Recorder hears what a session does. It is called from many goroutines.
type Recorder interface {
	// Listens says whether anybody wants the events of a session: what nobody wants is not made.
	Listens(session string) bool
	Record(session string, e Event)
}
