package native

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/millpond/millpond/internal/sparkerr"
)

// datetimes read and print instants by Java's patterns. Instants are microseconds since 1970.
func datetimes() []Func {
	return []Func{
		{Name: "spark_format_time", Args: []Kind{Long, Text, Text}, Result: Text, Call: func(a []Value) (Value, error) {
			p, err := patternOf(a[1].S)
			if err != nil {
				return null(), err
			}
			loc, err := zone(a[2].S)
			if err != nil {
				return null(), err
			}
			return s(p.format(time.UnixMicro(a[0].I).In(loc))), nil
		}},
		{Name: "spark_parse_time", Args: []Kind{Text, Text, Text}, Result: Long, Call: func(a []Value) (Value, error) { return parseTime(a, true) }},
		{Name: "spark_try_parse_time", Args: []Kind{Text, Text, Text}, Result: Long, Call: func(a []Value) (Value, error) { return parseTime(a, false) }},
		{Name: "spark_make_micros", Args: []Kind{Long, Long, Long, Long, Long, Double}, Result: Long, Call: makeMicros},
		// A wall-clock time in one zone to the instant, and back.
		{Name: "spark_zone_to_utc", Args: []Kind{Long, Text}, Result: Long, Call: func(a []Value) (Value, error) {
			loc, err := zone(a[1].S)
			if err != nil {
				return null(), err
			}
			t := time.UnixMicro(a[0].I).UTC()
			return i(time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), loc).UnixMicro()), nil
		}},
		{Name: "spark_utc_to_zone", Args: []Kind{Long, Text}, Result: Long, Call: func(a []Value) (Value, error) {
			loc, err := zone(a[1].S)
			if err != nil {
				return null(), err
			}
			_, offset := time.UnixMicro(a[0].I).In(loc).Zone()
			return i(a[0].I + int64(offset)*1e6), nil
		}},
	}
}

func parseTime(a []Value, strict bool) (Value, error) {
	p, err := patternOf(a[1].S)
	if err != nil {
		return null(), err
	}
	loc, err := zone(a[2].S)
	if err != nil {
		return null(), err
	}
	t, err := p.parse(a[0].S, loc)
	if err == nil {
		return i(t.UnixMicro()), nil
	}
	if !strict {
		return null(), nil
	}
	return null(), sparkerr.Raised("CANNOT_PARSE_TIMESTAMP", err.Error(), "`try_to_timestamp`")
}

// zone finds a time zone by Java's names: "Europe/Berlin", "+02:00", "GMT+2", "UTC", "Z".
func zone(name string) (*time.Location, error) {
	n := strings.TrimSpace(name)
	if full, ok := shortZones[n]; ok {
		n = full
	}
	for _, p := range []string{"GMT", "UTC", "UT"} {
		if rest, ok := strings.CutPrefix(n, p); ok && (rest == "" || rest[0] == '+' || rest[0] == '-') {
			n = rest
			break
		}
	}
	if n == "" || n == "Z" {
		return time.UTC, nil
	}
	if n[0] == '+' || n[0] == '-' {
		parts := strings.Split(n[1:], ":")
		if len(parts) == 1 && len(parts[0]) == 4 {
			parts = []string{parts[0][:2], parts[0][2:]}
		}
		total, unit := 0, 3600
		for _, p := range parts {
			v, err := strconv.Atoi(p)
			if err != nil || unit == 0 {
				return nil, badZone(name)
			}
			total += v * unit
			unit /= 60
		}
		if n[0] == '-' {
			total = -total
		}
		return time.FixedZone(n, total), nil
	}
	if loc, ok := zones.Load(n); ok {
		return loc.(*time.Location), nil
	}
	loc, err := time.LoadLocation(n)
	if err != nil {
		return nil, badZone(name)
	}
	zones.Store(n, loc)
	return loc, nil
}

func badZone(name string) error { return sparkerr.Raised("INVALID_TIMEZONE", "'"+name+"'") }

// zones and compiled keep what was looked up: the same few names and patterns for every row.
var zones, compiled sync.Map

// piece is a run of one pattern letter, or literal text (letter 0).
type piece struct {
	letter byte
	n      int
	text   string
	open   bool // optional from here on: [ ]
}

type pattern struct {
	source string
	pieces []piece
}

func patternOf(source string) (*pattern, error) {
	if p, ok := compiled.Load(source); ok {
		return p.(*pattern), nil
	}
	p := &pattern{source: source}
	for k := 0; k < len(source); {
		c := source[k]
		switch {
		case c == '\'':
			end := strings.IndexByte(source[k+1:], '\'')
			if end < 0 {
				return nil, illegal(source, "'")
			}
			text := source[k+1 : k+1+end]
			if end == 0 {
				text = "'"
			}
			p.pieces = append(p.pieces, piece{text: text})
			k += end + 2
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			j := k
			for j < len(source) && source[j] == c {
				j++
			}
			if strings.IndexByte("GyuMLdQqDEFahKkHmsSVzOXxZ", c) < 0 {
				return nil, illegal(source, string(c))
			}
			most, limited := longest[c]
			if limited && j-k > most {
				return nil, sparkerr.Raised("INVALID_DATETIME_PATTERN.LENGTH", source)
			}
			p.pieces = append(p.pieces, piece{letter: c, n: j - k})
			k = j
		case c == '[':
			p.pieces = append(p.pieces, piece{open: true})
			k++
		case c == ']':
			k++
		default:
			p.pieces = append(p.pieces, piece{text: string(c)})
			k++
		}
	}
	compiled.Store(source, p)
	return p, nil
}

// longest runs of a letter that Java takes.
var longest = map[byte]int{'G': 4, 'y': 6, 'u': 6, 'M': 4, 'L': 4, 'd': 2, 'Q': 4, 'q': 4, 'D': 3, 'E': 4, 'a': 1, 'h': 2, 'K': 2, 'k': 2, 'H': 2,
	'm': 2, 's': 2, 'S': 9, 'V': 2, 'z': 4, 'O': 4, 'X': 5, 'x': 5, 'Z': 5, 'F': 1}

func illegal(source, c string) error {
	return sparkerr.Raised("INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", source, "'"+c+"'")
}

func (p *pattern) format(t time.Time) string {
	var out strings.Builder
	for _, x := range p.pieces {
		if x.letter == 0 {
			out.WriteString(x.text)
			continue
		}
		out.WriteString(formatPiece(x, t))
	}
	return out.String()
}

func padded(v, n int) string { return fmt.Sprintf("%0*d", n, v) }

func formatPiece(x piece, t time.Time) string {
	switch x.letter {
	case 'y', 'u':
		if x.n == 2 {
			return padded(t.Year()%100, 2)
		}
		return padded(t.Year(), x.n)
	case 'M', 'L':
		return named(x.n, int(t.Month()), t.Month().String())
	case 'd':
		return padded(t.Day(), x.n)
	case 'D':
		return padded(t.YearDay(), x.n)
	case 'Q', 'q':
		q := (int(t.Month())-1)/3 + 1
		switch x.n {
		case 3:
			return fmt.Sprintf("Q%d", q)
		case 4:
			return [...]string{"1st", "2nd", "3rd", "4th"}[q-1] + " quarter"
		}
		return padded(q, x.n)
	case 'E':
		if x.n < 4 {
			return t.Weekday().String()[:3]
		}
		return t.Weekday().String()
	case 'F':
		return strconv.Itoa((t.Day()-1)%7 + 1)
	case 'a':
		return t.Format("PM")
	case 'G':
		if x.n == 4 {
			return "Anno Domini"
		}
		return "AD"
	case 'H':
		return padded(t.Hour(), x.n)
	case 'k':
		return padded((t.Hour()+23)%24+1, x.n)
	case 'h':
		return padded((t.Hour()+11)%12+1, x.n)
	case 'K':
		return padded(t.Hour()%12, x.n)
	case 'm':
		return padded(t.Minute(), x.n)
	case 's':
		return padded(t.Second(), x.n)
	case 'S':
		return fmt.Sprintf("%09d", t.Nanosecond())[:x.n]
	case 'V':
		return t.Location().String()
	}
	return formatOffset(x, t)
}

func named(n, value int, name string) string {
	switch n {
	case 1, 2:
		return padded(value, n)
	case 3:
		return name[:3]
	}
	return name
}

func formatOffset(x piece, t time.Time) string {
	abbreviation, offset := t.Zone()
	switch x.letter {
	case 'z':
		if x.n == 4 && abbreviation == "UTC" {
			return "Coordinated Universal Time"
		}
		return abbreviation
	case 'O':
		if offset == 0 {
			return "GMT"
		}
		return "GMT" + t.Format("-07:00")
	case 'X':
		if offset == 0 {
			return "Z"
		}
	case 'Z':
		switch x.n {
		case 4:
			return "GMT" + t.Format("-07:00")
		case 5:
			if offset == 0 {
				return "Z"
			}
			return t.Format("-07:00")
		}
		return t.Format("-0700")
	}
	switch x.n {
	case 1:
		if offset%3600 == 0 {
			return t.Format("-07")
		}
		return t.Format("-0700")
	case 2, 4:
		return t.Format("-0700")
	}
	return t.Format("-07:00")
}
