package function

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// dayNames are the spellings of next_day.
const dayNames = "'SU', 'SUN', 'SUNDAY', 'MO', 'MON', 'MONDAY', 'TU', 'TUE', 'TUESDAY', 'WE', 'WED', 'WEDNESDAY', 'TH', 'THU', 'THURSDAY', 'FR', 'FRI', 'FRIDAY', 'SA', 'SAT', 'SATURDAY'"

func datetimes() []Row {
	part := func(name, alias, unit string) Row {
		return Row{Name: name, Aliases: alias, Args: "x", Result: is(types.Int), SQL: "CAST(date_part('" + unit + "', {0}) AS INTEGER)"}
	}
	return []Row{
		part("year", "", "year"), part("quarter", "", "quarter"), part("month", "", "month"),
		part("day", "dayofmonth", "day"), part("hour", "", "hour"), part("minute", "", "minute"), part("second", "", "second"),
		part("dayofyear", "", "doy"), part("weekofyear", "", "week"),
		{Name: "dayofweek", Args: "x", Result: is(types.Int), SQL: "CAST(date_part('dow', {0}) + 1 AS INTEGER)"},
		{Name: "weekday", Args: "x", Result: is(types.Int), SQL: "CAST(date_part('isodow', {0}) - 1 AS INTEGER)"},
		{Name: "dayname", Args: "x", Result: is(types.String), SQL: "left(dayname({0}), 3)"},
		{Name: "monthname", Args: "x", Result: is(types.String), SQL: "left(monthname({0}), 3)"},
		{Name: "current_date", Aliases: "curdate", Result: is(types.Date), Null: neverNull, SQL: "current_date"},
		{Name: "current_timestamp", Aliases: "now", Result: is(types.Timestamp), Null: neverNull, SQL: "now()"},
		{Name: "localtimestamp", Result: is(types.TimestampNTZ), Null: neverNull, SQL: "CAST(now() AS TIMESTAMP)"},
		{Name: "datediff", Aliases: "date_diff", Args: "D D", Result: is(types.Int), SQL: "CAST({0} - {1} AS INTEGER)"},
		{Name: "add_months", Args: "D i", Result: is(types.Date), SQL: "CAST({0} + to_months({1}) AS DATE)"},
		{Name: "last_day", Args: "D", Result: is(types.Date), SQL: "last_day({0})"},
		{Name: "next_day", Args: "D s", Result: is(types.Date), Null: maybeNull,
			SQL: "(CASE WHEN list_position([" + dayNames + "], upper({1})) = 0 OR list_position([" + dayNames + "], upper({1})) IS NULL AND {1} IS NOT NULL THEN " + sparkerr.Raise("ILLEGAL_DAY_OF_WEEK", "{1}") + " ELSE CAST({0} + CAST(((list_position(['SU','MO','TU','WE','TH','FR','SA'], upper(left({1}, 2))) - 1 - date_part('dow', {0}) + 6) % 7) + 1 AS INTEGER) AS DATE) END)"},
		{Name: "window_time", Args: "a", Result: windowTime, SQL: "(struct_extract_at({0}, 2) - INTERVAL 1 MICROSECOND)"},
		{Name: "timestamp_micros", Args: "l", Result: is(types.Timestamp), SQL: "make_timestamptz({0})"},
		{Name: "unix_seconds", Args: "t", Result: is(types.Long), SQL: "CAST(floor(epoch({0})) AS BIGINT)"},
		{Name: "unix_millis", Args: "t", Result: is(types.Long), SQL: "epoch_ms({0})"},
		{Name: "unix_micros", Args: "t", Result: is(types.Long), SQL: "epoch_us({0})"},
		{Name: "unix_date", Args: "D", Result: is(types.Int), SQL: "CAST({0} - DATE '1970-01-01' AS INTEGER)"},
		{Name: "date_from_unix_date", Args: "i", Result: is(types.Date), SQL: "CAST(DATE '1970-01-01' + {0} AS DATE)"},
		{Name: "trunc", Args: "D s", Result: is(types.Date), Null: maybeNull, Build: truncate(true)},
		{Name: "date_trunc", Args: "s t", Result: is(types.Timestamp), Null: maybeNull, Build: truncate(false)},
		{Name: "current_timezone", Result: is(types.String), Null: neverNull, SQL: "current_setting('TimeZone')"},
		{Name: "make_interval", Args: "?i i i i i i d", Result: is(types.CalendarInterval), Build: makeInterval},
		{Name: "make_dt_interval", Args: "?i i i d", Result: is(types.DayTimeInterval{Start: 0, End: 3}), Build: func(a []Arg) string {
			return intervalParts(a, "to_days", "to_hours", "to_minutes", "to_seconds")
		}},
		{Name: "make_ym_interval", Args: "?i i", Result: is(types.YearMonthInterval{Start: 0, End: 1}), Build: func(a []Arg) string {
			return intervalParts(a, "to_years", "to_months")
		}},
	}
}

// windowTime is a time of a window: the last that is in it.
func windowTime(a []plan.Value) (types.Type, error) {
	s, ok := a[0].Type().(types.Struct)
	if !ok || len(s.Fields) != 2 || !types.IsDatetime(s.Fields[1].Type) {
		return nil, wrongType("window_time", 0, a[0], `"STRUCT" of a window`)
	}
	return s.Fields[1].Type, nil
}

func makeInterval(a []Arg) string {
	return intervalParts(a, "to_years", "to_months", "to_weeks", "to_days", "to_hours", "to_minutes", "to_seconds")
}

func intervalParts(a []Arg, makers ...string) string {
	out := "INTERVAL 0 SECOND"
	for i, x := range a {
		out += " + " + makers[i] + "(" + x.SQL + ")"
	}
	return "(" + out + ")"
}

func monthsBetween(a []Arg) string {
	s := "(CASE WHEN date_part('day', {0}) = date_part('day', {1}) OR (CAST({0} AS DATE) = last_day(CAST({0} AS DATE)) AND CAST({1} AS DATE) = last_day(CAST({1} AS DATE))) " +
		"THEN CAST((date_part('year', {0}) - date_part('year', {1})) * 12 + date_part('month', {0}) - date_part('month', {1}) AS DOUBLE) " +
		"ELSE (date_part('year', {0}) - date_part('year', {1})) * 12 + date_part('month', {0}) - date_part('month', {1}) + " +
		"((date_part('day', {0}) - date_part('day', {1})) * 86400 + (epoch({0}) % 86400) - (epoch({1}) % 86400)) / 2678400.0 END)"
	if len(a) == 3 && a[2].Const != nil && a[2].Const.Value == false {
		return fill(s, a)
	}
	return "round(" + fill(s, a) + ", 8)"
}

// patterns turns Java's date letters, runs of one letter at a time, into strftime's.
var patterns = map[string]string{
	"yyyy": "%Y", "y": "%Y", "yy": "%y", "MM": "%m", "M": "%-m", "MMM": "%b", "MMMM": "%B", "dd": "%d", "d": "%-d",
	"HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S",
	"SSS": "%g", "SSSSSS": "%f", "E": "%a", "EE": "%a", "EEE": "%a", "EEEE": "%A", "a": "%p", "D": "%-j", "DDD": "%j",
	"XXX": "%z", "Z": "%z", "z": "%Z", "VV": "%Z", "xxx": "%z",
}

// strftime translates a datetime pattern; ok is false where it has letters without a translation.
func strftime(pattern string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c == '\'':
			end := strings.IndexByte(pattern[i+1:], '\'')
			if end < 0 {
				return "", false
			}
			if end == 0 {
				b.WriteByte('\'')
			}
			b.WriteString(pattern[i+1 : i+1+end])
			i += end + 2
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			j := i
			for j < len(pattern) && pattern[j] == c {
				j++
			}
			p, ok := patterns[pattern[i:j]]
			if !ok {
				return "", false
			}
			b.WriteString(p)
			i = j
		case c == '%':
			b.WriteString("%%")
			i++
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String(), true
}

var truncUnits = map[string]string{"year": "year", "yyyy": "year", "yy": "year", "quarter": "quarter", "month": "month", "mon": "month",
	"mm": "month", "week": "week", "day": "day", "dd": "day", "hour": "hour", "minute": "minute", "second": "second",
	"millisecond": "milliseconds", "microsecond": "microseconds"}

func truncate(date bool) func([]Arg) string {
	return func(a []Arg) string {
		value, unit, target := a[1].SQL, a[0], "TIMESTAMPTZ"
		if date {
			value, unit, target = a[0].SQL, a[1], "DATE"
		}
		if unit.Const != nil {
			if s, ok := unit.Const.Value.(string); ok {
				u, known := truncUnits[strings.ToLower(s)]
				if !known {
					return "CAST(NULL AS " + target + ")"
				}
				return "CAST(date_trunc('" + u + "', " + value + ") AS " + target + ")"
			}
		}
		return "CAST(date_trunc(" + unit.SQL + ", " + value + ") AS " + target + ")"
	}
}
