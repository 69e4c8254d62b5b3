package engine

import (
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/millpond/millpond/internal/sparkerr"
)

// confDefaults are the settings that clients ask for or users set, with Spark's defaults.
// Settings of spark.sql.* that are not here can be set and read back.
var confDefaults = map[string]string{
	"spark.app.name":                                                  "millpond",
	"spark.master":                                                    "local[*]",
	"spark.api.mode":                                                  "connect",
	"spark.remote":                                                    "",
	"spark.sql.ansi.enabled":                                          "true",
	"spark.sql.mapKeyDedupPolicy":                                     "EXCEPTION",
	"spark.sql.caseSensitive":                                         "false",
	"spark.sql.session.timeZone":                                      "UTC",
	"spark.sql.timestampType":                                         "TIMESTAMP_LTZ",
	"spark.sql.shuffle.partitions":                                    "200",
	"spark.sql.warehouse.dir":                                         "",
	"spark.sql.leafNodeDefaultParallelism":                            "2",
	"spark.sql.sources.partitionOverwriteMode":                        "STATIC",
	"spark.sql.execution.arrow.maxRecordsPerBatch":                    "10000",
	"spark.sql.execution.arrow.pyspark.enabled":                       "false",
	"spark.sql.execution.arrow.pyspark.fallback.enabled":              "true",
	"spark.sql.execution.arrow.pyspark.selfDestruct.enabled":          "false",
	"spark.sql.execution.arrow.useLargeVarTypes":                      "false",
	"spark.sql.execution.pandas.convertToArrowArraySafely":            "true",
	"spark.sql.execution.pandas.inferPandasDictAsMap":                 "false",
	"spark.sql.execution.pandas.structHandlingMode":                   "legacy",
	"spark.sql.execution.pyspark.binaryAsBytes":                       "true",
	"spark.sql.execution.pythonUDF.arrow.enabled":                     "true",
	"spark.sql.execution.pythonUDTF.arrow.enabled":                    "true",
	"spark.sql.pyspark.inferNestedDictAsStruct.enabled":               "false",
	"spark.sql.pyspark.jvmStacktrace.enabled":                         "false",
	"spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled": "false",
	"spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled":      "false",
	"spark.sql.repl.eagerEval.enabled":                                "false",
	"spark.sql.repl.eagerEval.maxNumRows":                             "20",
	"spark.sql.repl.eagerEval.truncate":                               "20",
	"spark.sql.connect.serverStacktrace.enabled":                      "true",
	"spark.sql.session.localRelationCacheThreshold":                   "67108864",
	"spark.sql.session.localRelationSizeLimit":                        "3221225472",
	"spark.sql.session.localRelationChunkSizeRows":                    "10000",
	"spark.sql.session.localRelationChunkSizeBytes":                   "16777216",
	"spark.sql.session.localRelationBatchOfChunksSizeBytes":           "1073741824",
	"spark.connect.session.planCompression.threshold":                 "10485760",
	"spark.connect.session.planCompression.defaultAlgorithm":          "ZSTD",
	"spark.sql.artifact.isolation.enabled":                            "true",
	"spark.sql.columnNameOfCorruptRecord":                             "_corrupt_record",
	"spark.sql.crossJoin.enabled":                                     "true",
	"spark.sql.adaptive.enabled":                                      "true",
	"spark.sql.adaptive.coalescePartitions.enabled":                   "true",
	"spark.sql.autoBroadcastJoinThreshold":                            "10485760b",
}

// static settings cannot change while a server runs.
var staticConf = map[string]bool{"spark.sql.warehouse.dir": true, "spark.sql.extensions": true, "spark.sql.artifact.isolation.enabled": true,
	"spark.sql.artifact.copyFromLocalToFs.allowDestLocal": true}

// fixedConf are settings that change answers and that this engine knows one value of.
var fixedConf = map[string]string{"spark.sql.caseSensitive": "false", "spark.sql.timestampType": "TIMESTAMP_LTZ"}

// coreConf are the settings of Spark's own machinery, which no session can change; those that end
// with a dot are prefixes.
var coreConf = []string{"spark.master", "spark.app.name", "spark.app.id", "spark.default.parallelism", "spark.local.dir", "spark.serializer", "spark.jars", "spark.files",
	"spark.driver.", "spark.executor.", "spark.memory.", "spark.shuffle.", "spark.task.", "spark.scheduler.", "spark.dynamicAllocation.", "spark.ui.", "spark.eventLog.",
	"spark.network.", "spark.rpc.", "spark.storage.", "spark.broadcast.", "spark.kryo.", "spark.kryoserializer.", "spark.python.", "spark.submit.", "spark.cores."}

// intConf are the settings that are whole numbers.
var intConf = map[string]bool{"spark.sql.shuffle.partitions": true, "spark.sql.leafNodeDefaultParallelism": true, "spark.sql.execution.arrow.maxRecordsPerBatch": true,
	"spark.sql.repl.eagerEval.maxNumRows": true, "spark.sql.repl.eagerEval.truncate": true, "spark.sql.pivotMaxValues": true}

// checkConf checks a setting's value against its type.
func checkConf(key, value string) error {
	mismatch := func(kind string) error {
		return sparkerr.New(sparkerr.ClassIllegalArgument, "INVALID_CONF_VALUE.TYPE_MISMATCH", "confValue", value, "confName", key, "confType", kind)
	}
	trimmed := strings.TrimSpace(value)
	if d, ok := confDefaults[key]; ok && (d == "true" || d == "false") && !strings.EqualFold(trimmed, "true") && !strings.EqualFold(trimmed, "false") {
		return mismatch("boolean")
	}
	if intConf[key] {
		n, err := strconv.ParseInt(trimmed, 10, 32)
		if err != nil {
			return mismatch("int")
		}
		if key == "spark.sql.shuffle.partitions" && n <= 0 {
			return sparkerr.New(sparkerr.ClassIllegalArgument, "INVALID_CONF_VALUE.REQUIREMENT", "confValue", value, "confName", key, "confRequirement", "The value of "+key+" must be positive")
		}
	}
	if key == "spark.sql.session.timeZone" && !validZone(value) {
		return sparkerr.New(sparkerr.ClassIllegalArgument, "INVALID_CONF_VALUE.TIME_ZONE", "confValue", value, "confName", key)
	}
	if key == "spark.sql.session.timeZone" && databaseZone(value) == "" {
		return sparkerr.Unsupported("the time zone %s: no whole hours from UTC", value)
	}
	return nil
}

var zoneOffset = regexp.MustCompile(`^(?:UTC|GMT|UT)?([+-])([0-9]{1,2})((?::[0-9]{2}){0,2})$|^Z$`)

// databaseZone is a valid zone by the name of the tz database, which alone DuckDB knows; "" if it has none.
func databaseZone(zone string) string {
	offset := zoneOffset.FindStringSubmatch(zone)
	switch {
	case offset == nil:
		return zone
	case offset[2] == "":
		return "UTC"
	case strings.Trim(offset[3], ":0") != "":
		return ""
	}
	sign := map[string]string{"+": "-", "-": "+"}[offset[1]] // POSIX counts westwards
	hours, _ := strconv.Atoi(offset[2])                      // one or two digits
	name := "Etc/GMT" + sign + strconv.Itoa(hours)
	if _, err := time.LoadLocation(name); err != nil {
		return ""
	}
	return name
}

// validZone says whether a zone can be meant: a name of the tz database or an offset.
func validZone(zone string) bool {
	if zoneOffset.MatchString(zone) {
		return true
	}
	if zone == "" || zone == "Local" {
		return false
	}
	_, err := time.LoadLocation(zone)
	return err == nil
}

// Conf holds a session's settings.
type Conf struct {
	mu  sync.Mutex
	set map[string]string
}

// Get gives a setting's value or default.
func (c *Conf) Get(key string) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.set[key]; ok {
		return v, true
	}
	v, ok := confDefaults[key]
	return v, ok
}

// Or is what was set, or else the caller's default, which comes before a setting's own.
func (c *Conf) Or(key, fallback string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.set[key]; ok {
		return v
	}
	return fallback
}

// Must is Get with Spark's error for a setting that nobody knows.
func (c *Conf) Must(key string) (string, error) {
	v, ok := c.Get(key)
	if !ok {
		return "", sparkerr.New(sparkerr.ClassNoSuchElement, "SQL_CONF_NOT_FOUND", "sqlConf", `"`+key+`"`)
	}
	return v, nil
}

// Set changes a setting.
func (c *Conf) Set(key, value string) error {
	if staticConf[key] {
		return sparkerr.Analysis("CANNOT_MODIFY_STATIC_CONFIG", "key", `"`+key+`"`)
	}
	for _, p := range coreConf {
		if key == p || strings.HasSuffix(p, ".") && strings.HasPrefix(key, p) {
			return sparkerr.Analysis("CANNOT_MODIFY_CONFIG", "key", `"`+key+`"`, "docroot", "https://spark.apache.org/docs/latest")
		}
	}
	if err := checkConf(key, value); err != nil {
		return err
	}
	if fixed, ok := fixedConf[key]; ok && !strings.EqualFold(value, fixed) {
		return sparkerr.Unsupported("%s=%s", key, value)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.set == nil {
		c.set = map[string]string{}
	}
	c.set[key] = value
	return nil
}

// Unset gives a setting its default again.
func (c *Conf) Unset(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.set, key)
}

// Modifiable says whether a running session may set it.
func (c *Conf) Modifiable(key string) bool {
	return !staticConf[key] && (strings.HasPrefix(key, "spark.sql.") || strings.HasPrefix(key, "spark.connect."))
}

// All lists every setting with a value whose key starts with prefix, sorted; the prefix is cut off.
func (c *Conf) All(prefix string) [][2]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	merged := map[string]string{}
	for k, v := range confDefaults {
		merged[k] = v
	}
	for k, v := range c.set {
		merged[k] = v
	}
	var out [][2]string
	for k, v := range merged {
		if rest, ok := strings.CutPrefix(k, prefix); ok {
			out = append(out, [2]string{rest, v})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i][0] < out[j][0] })
	return out
}

func (c *Conf) copy() *Conf {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := &Conf{set: map[string]string{}}
	for k, v := range c.set {
		out.set[k] = v
	}
	return out
}
