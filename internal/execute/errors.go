package execute

import (
	"errors"
	"regexp"
	"strings"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/sparkerr"
)

// engineErrors are the failures of DuckDB itself that have a name in Spark: everything else that
// a user can cause is raised by name inside the statement.
var engineErrors = []struct {
	pattern *regexp.Regexp
	make    func(m []string) *sparkerr.Error
}{
	{regexp.MustCompile(`Out of Memory Error: (.*)`), func(m []string) *sparkerr.Error {
		return sparkerr.Plain(sparkerr.ClassSpark, "the query needs more memory than the engine may take: %s", m[1])
	}},
	{regexp.MustCompile(`Max expression depth limit of (\d+) exceeded`), func(m []string) *sparkerr.Error {
		return sparkerr.Unsupported("a query nested deeper than %s", m[1])
	}},
	{regexp.MustCompile(`Failed to read file "([^"]*)"`), func(m []string) *sparkerr.Error {
		return sparkerr.New(sparkerr.ClassSpark, "FAILED_READ_FILE.NO_HINT", "path", "file://"+m[1])
	}},
	{regexp.MustCompile(`No space left on device|could not write all bytes|Could not write file`), func([]string) *sparkerr.Error {
		return sparkerr.Plain(sparkerr.ClassSpark, "the disk that the engine spills and writes to is full")
	}},
	{regexp.MustCompile(`IO Error: (.*)`), func(m []string) *sparkerr.Error {
		return sparkerr.Plain(sparkerr.ClassSpark, "[FAILED_READ_FILE.NO_HINT] Encountered error while reading or writing a file: %s SQLSTATE: KD001", firstLine(m[1]))
	}},
	{regexp.MustCompile(`Invalid Input Error: (CSV Error[\s\S]*)`), func(m []string) *sparkerr.Error {
		return sparkerr.New(sparkerr.ClassSpark, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", firstLine(m[1]), "failFastMode", "FAILFAST")
	}},
}

// tooManyRows is what DuckDB says of a scalar subquery.
const tooManyRows = "More than one row returned by a subquery"

// outOfRange is how DuckDB writes the type of an error about a number that does not fit. It does not
// say which one: diagnose finds out.
const outOfRange = "Out of Range Error: "

func firstLine(s string) string {
	head, _, _ := strings.Cut(s, "\n")
	return head
}

// engineError reads what DuckDB said of a statement.
func engineError(text string, q *compile.Query) error {
	if e := sparkerr.FromText(text, q.Contexts); e != nil {
		return e
	}
	if strings.Contains(text, tooManyRows) {
		e := sparkerr.New(sparkerr.ClassSpark, "SCALAR_SUBQUERY_TOO_MANY_ROWS")
		if len(q.Scalars) != 1 { // which of them it was nobody says
			return e
		}
		return e.During(q.Scalars[0])
	}
	for _, k := range engineErrors {
		if m := k.pattern.FindStringSubmatch(text); m != nil {
			return k.make(m)
		}
	}
	if strings.HasPrefix(text, outOfRange) {
		return sparkerr.New(sparkerr.ClassArithmetic, "ARITHMETIC_OVERFLOW", "message", "overflow", "alternative", "", "config", `"spark.sql.ansi.enabled"`).Because(errors.New(firstLine(text)))
	}
	return &sparkerr.Error{Condition: "INTERNAL_ERROR", SQLState: "XX000", Class: sparkerr.ClassSpark,
		Params:  map[string]string{"message": text},
		Message: "[INTERNAL_ERROR] " + text + " in: " + shorten(q.SQL) + " SQLSTATE: XX000"}
}

func shorten(s string) string {
	if len(s) > 2000 {
		return s[:2000] + "..."
	}
	return s
}
