package function

import (
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

const micros = "epoch_us"

// moreTimes are the datetime functions by pattern, zone and unit.
func moreTimes() []Row {
	row := func(name, alias, args string, t types.Type, build func([]Arg) string) Row {
		return Row{Name: name, Aliases: alias, Args: args, Result: is(t), Null: maybeNull, Build: build}
	}
	text := func(name, alias, args string, t types.Type, sql string) Row {
		return Row{Name: name, Aliases: alias, Args: args, Result: is(t), Null: maybeNull, SQL: sql}
	}
	firm := func(name, alias, args string, t types.Type, build func([]Arg) string) Row {
		return Row{Name: name, Aliases: alias, Args: args, Result: is(t), Build: build}
	}
	firmText := func(name, alias, args string, t types.Type, sql string) Row {
		return Row{Name: name, Aliases: alias, Args: args, Result: is(t), SQL: sql}
	}
	return []Row{
		row("to_date", "date", "a ?s", types.Date, parseTime("DATE", false)), row("try_to_date", "", "a ?s", types.Date, parseTime("DATE", true)),
		firm("to_timestamp", "timestamp to_timestamp_ltz", "a ?s", types.Timestamp, parseTime("TIMESTAMPTZ", false)),
		row("try_to_timestamp", "", "a ?s", types.Timestamp, parseTime("TIMESTAMPTZ", true)),
		firm("to_timestamp_ntz", "", "a ?s", types.TimestampNTZ, parseTime("TIMESTAMP", false)),
		{Name: "date_format", Args: "t s", Result: is(types.String), Build: dateFormat},
		firm("unix_timestamp", "", "?a s", types.Long, unixTimestamp), firm("to_unix_timestamp", "", "a ?s", types.Long, unixTimestamp),
		{Name: "from_unixtime", Null: maybeNull, Args: "l ?s", Result: is(types.String), Build: fromUnix},
		text("from_utc_timestamp", "", "t s", types.Timestamp, "make_timestamptz(spark_utc_to_zone(epoch_us({0}), {1}))"),
		text("to_utc_timestamp", "", "t s", types.Timestamp, "make_timestamptz(spark_zone_to_utc(epoch_us({0}), {1}))"),
		row("convert_timezone", "", "s a ?a", types.TimestampNTZ, convertZone),
		firmText("timestamp_seconds", "", "n", types.Timestamp, "make_timestamptz(CAST(round(CAST({0} AS DOUBLE) * 1000000) AS BIGINT))"),
		firmText("timestamp_millis", "", "l", types.Timestamp, "make_timestamptz({0} * 1000)"),
		firm("make_timestamp", "", "?i i i i i d s", types.Timestamp, makeTime(true, false)), row("try_make_timestamp", "", "?i i i i i d s", types.Timestamp, makeTime(true, true)),
		firm("make_timestamp_ltz", "", "?i i i i i d s", types.Timestamp, makeTime(true, false)), row("try_make_timestamp_ltz", "", "?i i i i i d s", types.Timestamp, makeTime(true, true)),
		firm("make_timestamp_ntz", "", "?i i i i i d", types.TimestampNTZ, makeTime(false, false)), row("try_make_timestamp_ntz", "", "?i i i i i d", types.TimestampNTZ, makeTime(false, true)),
		row("try_make_interval", "", "?i i i i i i d", types.CalendarInterval, tryMakeInterval),
		firm("make_date", "", "i i i", types.Date, func(a []Arg) string {
			made := fill("spark_make_micros({0}, {1}, {2}, 0, 0, 0.0)", a)
			return outOfBounds(a, made, "CAST(make_timestamp("+made+") AS DATE)")
		}),
		row("timestamp_diff", "timestampdiff", "s t t", types.Long, timeDiff), row("timestamp_add", "timestampadd", "s l t", types.Timestamp, timeAdd),
		text("date_add", "dateadd", "D i", types.Date, "CAST({0} + {1} AS DATE)"), text("date_sub", "", "D i", types.Date, "CAST({0} - {1} AS DATE)"),
		row("months_between", "", "t t ?b", types.Double, monthsBetween),
		{Name: "extract", Aliases: "date_part datepart", Args: "s a", Result: partType, Build: datePart},
		{Name: "dayofweek_iso", Args: "x", Result: is(types.Int), SQL: "CAST(date_part('isodow', {0}) AS INTEGER)"},
	}
}

// toMicros is the instant of a date or timestamp in microseconds.
func toMicros(a Arg) string {
	if a.Type == types.Timestamp {
		return micros + "(" + a.SQL + ")"
	}
	return micros + "(CAST(" + a.SQL + " AS TIMESTAMPTZ))"
}

func dateFormat(a []Arg) string {
	if c := a[1].Const; c != nil {
		if s, ok := c.Value.(string); ok {
			if p, ok := strftime(s); ok {
				return "strftime(" + a[0].SQL + ", " + Quote(p) + ")"
			}
		}
	}
	return "spark_format_time(" + toMicros(a[0]) + ", " + a[1].SQL + ", current_setting('TimeZone'))"
}

// parsePatterns are patterns that DuckDB reads as Spark does.
var parsePatterns = map[string]string{"yyyy-MM-dd": `%Y-%m-%d`, "yyyy-MM-dd HH:mm:ss": "%Y-%m-%d %H:%M:%S", "yyyyMMdd": "%Y%m%d",
	"dd/MM/yyyy": "%d/%m/%Y", "MM/dd/yyyy": "%m/%d/%Y", "yyyy/MM/dd": "%Y/%m/%d", "yyyy-MM-dd'T'HH:mm:ss": "%Y-%m-%dT%H:%M:%S"}

// parseTime reads texts without a pattern as a cast does, others by Java's patterns. The usual
// patterns of fixed width are DuckDB's own work, guarded by the text's length.
func parseTime(target string, try bool) func([]Arg) string {
	return func(a []Arg) string {
		if len(a) == 1 || !types.IsString(a[0].Type) {
			return castTime(a[0], target, try)
		}
		name := "spark_parse_time"
		if try {
			name = "spark_try_parse_time"
		}
		zone := "current_setting('TimeZone')"
		if target != "TIMESTAMPTZ" {
			zone = "'UTC'"
		}
		slow := "make_timestamp(" + name + "(" + a[0].SQL + ", " + a[1].SQL + ", " + zone + "))"
		if target == "TIMESTAMPTZ" {
			slow = "make_timestamptz(" + name + "(" + a[0].SQL + ", " + a[1].SQL + ", " + zone + "))"
		}
		slow = "CAST(" + slow + " AS " + target + ")"
		if c := a[1].Const; c != nil {
			p, _ := c.Value.(string)
			if format, ok := parsePatterns[p]; ok {
				width := len(strings.ReplaceAll(p, "'", ""))
				quick := "CAST(try_strptime(" + a[0].SQL + ", " + Quote(format) + ") AS " + target + ")"
				return "(CASE WHEN length(" + a[0].SQL + ") = " + itoa(width) + " AND " + quick + " IS NOT NULL THEN " + quick + " ELSE " + slow + " END)"
			}
		}
		return slow
	}
}

// Moment reads a text as a date or time, null if it is none. A year or month alone is its first day.
func Moment(text, target string) string {
	cast := func(more string) string { return "TRY_CAST(" + text + more + " AS " + target + ")" }
	return "coalesce(" + cast("") + ", CASE WHEN regexp_full_match(" + text + ", '[0-9]{4,6}(-[0-9]{1,2})?') THEN coalesce(" +
		cast(" || '-01-01'") + ", " + cast(" || '-01'") + ") END)"
}

func castTime(a Arg, target string, try bool) string {
	if !types.IsString(a.Type) {
		if try {
			return "TRY_CAST(" + a.SQL + " AS " + target + ")"
		}
		return "CAST(" + a.SQL + " AS " + target + ")"
	}
	safe := Moment(a.SQL, target)
	if try {
		return safe
	}
	name := map[string]string{"DATE": "DATE", "TIMESTAMPTZ": "TIMESTAMP", "TIMESTAMP": "TIMESTAMP_NTZ"}[target]
	return "(CASE WHEN " + a.SQL + " IS NOT NULL AND " + safe + " IS NULL THEN " +
		sparkerr.Raise("CAST_INVALID_INPUT", "'''' || "+a.SQL+" || ''''", "'\"STRING\"'", "'\""+name+"\"'") + " ELSE " + safe + " END)"
}

func unixTimestamp(a []Arg) string {
	if len(a) == 0 {
		return "CAST(floor(epoch(now())) AS BIGINT)"
	}
	if types.IsString(a[0].Type) {
		format := "'yyyy-MM-dd HH:mm:ss'"
		if len(a) == 2 {
			format = a[1].SQL
		}
		return "CAST(floor(spark_parse_time(" + a[0].SQL + ", " + format + ", current_setting('TimeZone')) / 1000000) AS BIGINT)"
	}
	return "CAST(floor(" + toMicros(a[0]) + " / 1000000) AS BIGINT)"
}

func fromUnix(a []Arg) string {
	format := "'yyyy-MM-dd HH:mm:ss'"
	if len(a) == 2 {
		format = a[1].SQL
	}
	return "spark_format_time(" + a[0].SQL + " * 1000000, " + format + ", current_setting('TimeZone'))"
}

// convertZone takes ([from,] to, wall-clock time).
func convertZone(a []Arg) string {
	from, to, at := "current_setting('TimeZone')", a[0].SQL, a[1]
	if len(a) == 3 {
		from, to, at = a[0].SQL, a[1].SQL, a[2]
	}
	return "make_timestamp(spark_utc_to_zone(spark_zone_to_utc(epoch_us(CAST(" + at.SQL + " AS TIMESTAMP)), " + from + "), " + to + "))"
}

func makeTime(zoned, try bool) func([]Arg) string {
	return func(a []Arg) string {
		if len(a) < 6 {
			return "error('make_timestamp of a date and a time is not supported')"
		}
		local := fill("spark_make_micros({0}, {1}, {2}, {3}, {4}, {5})", a)
		out := "make_timestamp(" + local + ")"
		if zoned {
			zone := "current_setting('TimeZone')"
			if len(a) == 7 {
				zone = a[6].SQL
			}
			out = "make_timestamptz(spark_zone_to_utc(" + local + ", " + zone + "))"
		}
		if try {
			return out
		}
		return outOfBounds(a, local, out)
	}
}

// outOfBounds raises where none of the arguments is null but what they make is.
func outOfBounds(a []Arg, made, out string) string {
	all := make([]string, len(a))
	for i, x := range a {
		all[i] = x.SQL + " IS NULL"
	}
	return "(CASE WHEN " + strings.Join(all, " OR ") + " THEN NULL WHEN " + made + " IS NULL THEN " +
		sparkerr.Raise("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "'Invalid date or time'") + " ELSE " + out + " END)"
}

func unitOf(a Arg) string {
	if a.Const != nil {
		s, _ := a.Const.Value.(string)
		return strings.ToUpper(s)
	}
	return ""
}

// timeDiff counts whole units between two instants.
func timeDiff(a []Arg) string {
	unit := unitOf(a[0])
	if months := map[string]string{"MONTH": "1", "QUARTER": "3", "YEAR": "12"}[unit]; months != "" {
		return "CAST(date_sub('month', CAST(" + a[1].SQL + " AS TIMESTAMP), CAST(" + a[2].SQL + " AS TIMESTAMP)) // " + months + " AS BIGINT)"
	}
	size := map[string]string{"MICROSECOND": "1", "MILLISECOND": "1000", "SECOND": "1000000", "MINUTE": "60000000", "HOUR": "3600000000", "DAY": "86400000000",
		"DAYOFYEAR": "86400000000", "WEEK": "604800000000"}[unit]
	if size == "" {
		return "error('the unit " + unit + " is not supported')"
	}
	return "CAST(trunc((epoch_us(" + a[2].SQL + ") - epoch_us(" + a[1].SQL + ")) / " + size + ") AS BIGINT)"
}

func timeAdd(a []Arg) string {
	maker := map[string]string{"MICROSECOND": "to_microseconds(%)", "MILLISECOND": "to_milliseconds(%)", "SECOND": "to_seconds(%)", "MINUTE": "to_minutes(%)", "HOUR": "to_hours(%)",
		"DAY": "to_days(CAST(% AS INTEGER))", "DAYOFYEAR": "to_days(CAST(% AS INTEGER))", "WEEK": "to_days(CAST(% * 7 AS INTEGER))", "MONTH": "to_months(CAST(% AS INTEGER))",
		"QUARTER": "to_months(CAST(% * 3 AS INTEGER))", "YEAR": "to_years(CAST(% AS INTEGER))"}[unitOf(a[0])]
	if maker == "" {
		return "error('the unit " + unitOf(a[0]) + " is not supported')"
	}
	return "CAST(CAST(" + a[2].SQL + " AS TIMESTAMP) + " + strings.ReplaceAll(maker, "%", a[1].SQL) + " AS TIMESTAMPTZ)"
}

// tryMakeInterval is null where the months or the days are too many.
func tryMakeInterval(a []Arg) string {
	fits := func(i, times int) string { // a part of so many of the next one
		sum := "0"
		if i < len(a) {
			sum = fmt.Sprintf("CAST(%s AS HUGEINT) * %d", a[i].SQL, times)
		}
		if i+1 < len(a) {
			sum += " + " + a[i+1].SQL
		}
		return "coalesce(abs(" + sum + ") <= 2147483647, true)"
	}
	return "(CASE WHEN " + fits(0, 12) + " AND " + fits(2, 7) + " THEN " + makeInterval(a) + " END)"
}
