package pyworker

import (
	"strconv"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

// The eval types of functions, as clients number them.
const (
	Batched         = 100 // row by row, pickled
	ArrowBatched    = 101 // row by row
	ScalarPandas    = 200
	GroupedMap      = 201
	GroupedAgg      = 202
	ScalarIter      = 204
	MapPandas       = 205
	CogroupedMap    = 206
	MapArrow        = 207
	GroupedArrow    = 209
	CogroupedArrow  = 210
	GroupedArrowIt  = 215
	GroupedMapIt    = 216
	GroupedAggIt    = 217
	ScalarArrow     = 250
	ScalarArrowIter = 251
	AggArrow        = 252
	WindowAgg       = 203
	WindowArrow     = 253
	AggArrowIter    = 254
)

// evalNames are the names of the kinds that are not supported, for errors.
var evalNames = map[int]string{208: "applyInPandasWithState",
	211: "transformWithStateInPandas", 212: "transformWithStateInPandas", 213: "transformWithState", 214: "transformWithState",
	300: "Python table functions", 301: "Python table functions", 302: "Arrow table functions"}

func unsupported(evalType int, where string) error {
	if name, ok := evalNames[evalType]; ok {
		return sparkerr.Unsupported("%s (eval type %d)", name, evalType)
	}
	return sparkerr.Unsupported("Python functions of eval type %d %s", evalType, where)
}

// Environment is what workers must not share with those of other sessions.
type Environment struct {
	Name     string   // workers of one name are shared; "" for sessions without files of their own
	Env      []string // "KEY=value"
	FilesDir string   // where SparkFiles looks, "" for none
	Includes []string // put on Python's path
}

// Settings of the session that a function runs for.
type Settings struct {
	Environment
	Conf  func(key string) (string, bool) // the session's settings
	Whole bool                            // every row of the result will be read
	Tally *Tally                          // counts what is sent to the functions, nil if nobody asks
}

// Tally counts what functions were given.
type Tally struct{ Tasks, Batches, Rows atomic.Int64 }

// count adds a task over rows that go to the function in batches of at most n.
func (t *Tally) count(rows []arrow.RecordBatch, n int) {
	if t == nil {
		return
	}
	t.task()
	for _, b := range cutRows(rows, n) {
		t.batch(b)
	}
}

func (t *Tally) task() {
	if t != nil {
		t.Tasks.Add(1)
	}
}

func (t *Tally) batch(b arrow.RecordBatch) {
	if t != nil {
		t.Batches.Add(1)
		t.Rows.Add(b.NumRows())
	}
}

// runnerKeys are the settings that workers read.
var runnerKeys = []string{
	"spark.sql.session.timeZone",
	"spark.sql.execution.arrow.maxRecordsPerBatch",
	"spark.sql.execution.arrow.maxBytesPerBatch",
	"spark.sql.execution.arrow.useLargeVarTypes",
	"spark.sql.execution.pandas.convertToArrowArraySafely",
	"spark.sql.execution.pyspark.binaryAsBytes",
	"spark.sql.execution.pythonUDF.arrow.concurrency.level",
	"spark.sql.execution.pythonUDF.mapInBatch.legacy.acceptAnyIterable.enabled",
	"spark.sql.execution.pythonUDF.pandas.intToDecimalCoercionEnabled",
	"spark.sql.execution.pythonUDF.pandas.preferIntExtensionDtype",
	"spark.sql.legacy.execution.pandas.groupedMap.assignColumnsByName",
	"spark.sql.legacy.execution.pythonUDF.pandas.conversion.enabled",
}

func (s Settings) get(key string) string {
	if s.Conf == nil {
		return ""
	}
	v, _ := s.Conf(key)
	return v
}

func (s Settings) zone() string {
	if z := s.get("spark.sql.session.timeZone"); z != "" {
		return z
	}
	return "UTC"
}

// batchRows is how many rows a batch for a function has at most.
func (s Settings) batchRows() int {
	n, err := strconv.Atoi(s.get("spark.sql.execution.arrow.maxRecordsPerBatch"))
	switch {
	case err != nil:
		return 10_000
	case n <= 0: // no bound
		return 1 << 30
	}
	return n
}

// task makes the task of functions; args gives the places of a call's columns.
func (s Settings) task(evalType int, udfs []*plan.PythonUDF, args [][]argument, partition int) *task {
	t := &task{evalType: evalType, python: udfs[0].PythonVer, filesDir: s.FilesDir, includes: s.Includes, partition: partition}
	for _, k := range runnerKeys {
		if v := s.get(k); v != "" {
			t.conf = append(t.conf, [2]string{k, v})
		}
	}
	for i, u := range udfs {
		t.functions = append(t.functions, function{u.Command, args[i]})
		t.includes = append(t.includes[:len(t.includes):len(t.includes)], u.Includes...)
	}
	return t
}
