package native

import (
	"fmt"
	"strings"
	"time"
)

// fields are what a text said of an instant.
type fields struct {
	year, month, day, yearDay     int
	hour, minute, second, nano    int
	half                          int // 0 unknown, 1 AM, 2 PM
	loc                           *time.Location
	hasYear, hasYearDay, hourOf12 bool
}

// parse reads a text by a pattern; what the pattern does not say is 1970-01-01 00:00:00 in loc.
func (p *pattern) parse(text string, loc *time.Location) (time.Time, error) {
	fl := fields{year: 1970, month: 1, day: 1, loc: loc}
	at := 0
	fail := func() error { return fmt.Errorf("Text '%s' could not be parsed at index %d", text, at) } //nolint:staticcheck // Java's words
	for k, x := range p.pieces {
		if x.open && at == len(text) { // the rest is optional
			break
		}
		if x.letter == 0 {
			if !strings.HasPrefix(text[at:], x.text) {
				return time.Time{}, fail()
			}
			at += len(x.text)
			continue
		}
		adjacent := k+1 < len(p.pieces) && p.pieces[k+1].letter != 0 && strings.IndexByte("yuMLdDHhkKmsS", p.pieces[k+1].letter) >= 0
		n, ok := fl.take(x, text[at:], adjacent)
		if !ok {
			return time.Time{}, fail()
		}
		at += n
	}
	if at < len(text) {
		return time.Time{}, fmt.Errorf("Text '%s' could not be parsed, unparsed text found at index %d", text, at) //nolint:staticcheck // Java's words
	}
	return fl.instant(text)
}

func (fl *fields) instant(text string) (time.Time, error) {
	if fl.hourOf12 {
		fl.hour %= 12
		if fl.half == 2 {
			fl.hour += 12
		}
	}
	if fl.hasYearDay {
		return time.Date(fl.year, 1, fl.yearDay, fl.hour, fl.minute, fl.second, fl.nano, fl.loc), nil
	}
	t := time.Date(fl.year, time.Month(fl.month), fl.day, fl.hour, fl.minute, fl.second, fl.nano, fl.loc)
	if fl.month < 1 || fl.month > 12 || time.Date(fl.year, time.Month(fl.month), fl.day, 0, 0, 0, 0, time.UTC).Day() != fl.day ||
		fl.hour > 23 || fl.minute > 59 || fl.second > 59 {
		return t, fmt.Errorf("Text '%s' could not be parsed: Invalid date or time", text) //nolint:staticcheck // Java's words
	}
	return t, nil
}

// digits reads a number of least to most digits.
func digits(text string, least, most int) (value, n int, ok bool) {
	for n < len(text) && n < most && text[n] >= '0' && text[n] <= '9' {
		value = value*10 + int(text[n]-'0')
		n++
	}
	return value, n, n >= least
}

// take reads one piece and says how much of the text it took.
func (fl *fields) take(x piece, text string, adjacent bool) (int, bool) {
	most := x.n
	if x.n == 1 && !adjacent {
		most = 19
	}
	number := func(into *int) (int, bool) {
		v, n, ok := digits(text, x.n, most)
		*into = v
		return n, ok
	}
	switch x.letter {
	case 'y', 'u':
		fl.hasYear = true
		if x.n == 2 {
			v, n, ok := digits(text, 2, 2)
			fl.year = 2000 + v
			return n, ok
		}
		if !adjacent {
			most = max(x.n, 4)
			if x.n == 1 {
				most = 9
			}
		}
		return number(&fl.year)
	case 'M', 'L':
		if x.n >= 3 {
			return fl.month3(text, x.n)
		}
		return number(&fl.month)
	case 'd':
		return number(&fl.day)
	case 'D':
		fl.hasYearDay = true
		return number(&fl.yearDay)
	case 'H':
		return number(&fl.hour)
	case 'k':
		n, ok := number(&fl.hour)
		fl.hour %= 24
		return n, ok
	case 'h', 'K':
		fl.hourOf12 = true
		return number(&fl.hour)
	case 'm':
		return number(&fl.minute)
	case 's':
		return number(&fl.second)
	case 'S':
		v, n, ok := digits(text, x.n, x.n)
		for k := n; k < 9; k++ {
			v *= 10
		}
		fl.nano = v
		return n, ok
	case 'a':
		if len(text) >= 2 {
			if half := strings.Index("AMPM", strings.ToUpper(text[:2])); half == 0 || half == 2 {
				fl.half = half/2 + 1
				return 2, true
			}
		}
		return 0, false
	case 'E':
		for d := time.Sunday; d <= time.Saturday; d++ {
			name := d.String()
			if x.n < 4 {
				name = name[:3]
			}
			if strings.HasPrefix(text, name) {
				return len(name), true
			}
		}
		return 0, false
	}
	return fl.takeZone(text)
}

func (fl *fields) month3(text string, n int) (int, bool) {
	for m := time.January; m <= time.December; m++ {
		name := m.String()
		if n == 3 {
			name = name[:3]
		}
		if strings.HasPrefix(text, name) {
			fl.month = int(m)
			return len(name), true
		}
	}
	return 0, false
}

func (fl *fields) takeZone(text string) (int, bool) {
	n := 0
	for n < len(text) && text[n] != ' ' && text[n] != ']' && text[n] != ')' {
		n++
	}
	if n == 0 {
		return 0, false
	}
	loc, err := zone(text[:n])
	if err != nil {
		return 0, false
	}
	fl.loc = loc
	return n, true
}
