package tracking

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/millpond/millpond/internal/rest"
)

// MLflow's limits. Values too long are cut, keys too long are refused.
const (
	maxKey             = 250
	maxParamValue      = 6000
	maxTagValue        = 8000
	maxExperimentName  = 500
	maxExperimentTag   = 20000
	maxBatchMetrics    = 1000
	maxBatchParamsTags = 100
	maxBatchTotal      = 1000
	maxSearchResults   = 50000
	maxArtifactAddress = 2048
)

var runIDPattern = regexp.MustCompile(`^[a-zA-Z0-9][\w\-]{0,255}$`)

func checkRunID(id string) error {
	if !runIDPattern.MatchString(id) {
		return rest.InvalidValue("run_id", id, "")
	}
	return nil
}

// parseExperimentID reads the decimal number that experiments are known by.
func parseExperimentID(id string) (int64, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0, rest.Invalid("Invalid experiment ID '%s'. Experiment ID must be a valid integer.", id)
	}
	return n, nil
}

func checkLength(what string, limit int, value string) error {
	if len(value) > limit && utf8.RuneCountInString(value) > limit {
		return rest.Invalid("'%s' exceeds the maximum length of %d characters", what, limit)
	}
	return nil
}

// at names a field of a list element in an error message.
func at(prefix, field string) string {
	if prefix == "" {
		return field
	}
	return prefix + "." + field
}

func checkMetric(m *Metric, prefix string) error {
	if err := rest.CheckName(m.Key, at(prefix, "name")); err != nil {
		return err
	}
	if m.Timestamp < 0 {
		shown, _ := m.Value.MarshalJSON()
		return rest.InvalidValue(at(prefix, "timestamp"), m.Timestamp, fmt.Sprintf("metric '%s' (value=%s). "+
			"Timestamp must be a nonnegative long (64-bit integer) ", m.Key, strings.Trim(string(shown), `"`)))
	}
	return checkLength("Metric name", maxKey, m.Key)
}

func checkParam(p *Pair, prefix string) error {
	if err := rest.CheckName(p.Key, at(prefix, "key")); err != nil {
		return err
	}
	p.Value = rest.Cut(p.Value, maxParamValue)
	return checkLength("Param key", maxKey, p.Key)
}

func checkTag(t *Pair, prefix string) error {
	if err := rest.CheckName(t.Key, at(prefix, "key")); err != nil {
		return err
	}
	t.Value = rest.Cut(t.Value, maxTagValue)
	return checkLength(at(prefix, "key"), maxKey, t.Key)
}

func checkExperimentTag(t Pair) error {
	if err := rest.CheckName(t.Key, "key"); err != nil {
		return err
	}
	if err := checkLength("key", maxKey, t.Key); err != nil {
		return err
	}
	return checkLength("value", maxExperimentTag, t.Value)
}

func checkExperimentName(name string) error {
	if name == "" {
		return rest.Invalid("Invalid experiment name: ''")
	}
	return checkLength("name", maxExperimentName, name)
}

// checkBatch checks the size of a log-batch request.
func checkBatch(metrics, params, tags int) error {
	for _, l := range []struct {
		what    string
		n, most int
	}{
		{"metrics", metrics, maxBatchMetrics},
		{"params", params, maxBatchParamsTags},
		{"tags", tags, maxBatchParamsTags},
		{"metrics, params, and tags", metrics + params + tags, maxBatchTotal},
	} {
		if l.n > l.most {
			return rest.Invalid("A batch logging request can contain at most %d %s. Got %d %s. Please split up %s across "+
				"multiple requests and try again.", l.most, l.what, l.n, l.what, l.what)
		}
	}
	return nil
}

func checkUniqueKeys(params []Pair) error {
	seen := make(map[string]bool, len(params))
	var twice []string
	for _, p := range params {
		if seen[p.Key] && !slices.Contains(twice, p.Key) {
			twice = append(twice, p.Key)
		}
		seen[p.Key] = true
	}
	if twice == nil {
		return nil
	}
	return rest.Invalid("Duplicate parameter keys have been submitted: ['%s']. Please ensure the request contains only one "+
		"param value per param key.", strings.Join(twice, "', '"))
}
