package native

import (
	"fmt"
	"strings"
)

// intervals print intervals as Spark casts them to text. The last arguments are the first and
// last field: 0 day to 3 second, 0 year to 1 month.
func intervals() []Func {
	return []Func{
		{Name: "spark_ym_text", Args: []Kind{Long, Long, Long}, Result: Text, Call: func(a []Value) (Value, error) {
			return s(yearMonthText(a[0].I, a[1].I, a[2].I)), nil
		}},
		{Name: "spark_dt_text", Args: []Kind{Long, Long, Long}, Result: Text, Call: func(a []Value) (Value, error) {
			return s(dayTimeText(a[0].I, int(a[1].I), int(a[2].I))), nil
		}},
		{Name: "spark_interval_text", Args: []Kind{Long, Long, Long}, Result: Text, Call: func(a []Value) (Value, error) {
			return s(calendarText(a[0].I, a[1].I, a[2].I)), nil
		}},
	}
}

// YearMonthText and DayTimeText print interval literals.
func YearMonthText(months int64, first, last int) string {
	return yearMonthText(months, int64(first), int64(last))
}

// DayTimeText prints a day-time interval of microseconds.
func DayTimeText(micros int64, first, last int) string { return dayTimeText(micros, first, last) }

func yearMonthText(months, first, last int64) string {
	sign := ""
	if months < 0 {
		sign, months = "-", -months
	}
	switch {
	case first == 0 && last == 0:
		return fmt.Sprintf("INTERVAL '%s%d' YEAR", sign, months/12)
	case first == 1:
		return fmt.Sprintf("INTERVAL '%s%d' MONTH", sign, months)
	}
	return fmt.Sprintf("INTERVAL '%s%d-%d' YEAR TO MONTH", sign, months/12, months%12)
}

var dayTimeNames = []string{"DAY", "HOUR", "MINUTE", "SECOND"}
var dayTimeMicros = []int64{86400e6, 3600e6, 60e6, 1e6}

func dayTimeText(micros int64, first, last int) string {
	sign := ""
	if micros < 0 {
		sign, micros = "-", -micros
	}
	var b strings.Builder
	for k := first; k <= last; k++ {
		v := micros / dayTimeMicros[k]
		micros %= dayTimeMicros[k]
		switch k {
		case 0: // days come unpadded, and always first
			fmt.Fprintf(&b, "%d", v)
		case first:
			fmt.Fprintf(&b, "%02d", v)
		case 1:
			fmt.Fprintf(&b, " %02d", v)
		default:
			fmt.Fprintf(&b, ":%02d", v)
		}
	}
	text := b.String()
	if last == 3 && micros > 0 {
		text += strings.TrimRight(fmt.Sprintf(".%06d", micros), "0")
	}
	unit := dayTimeNames[first]
	if last != first {
		unit += " TO " + dayTimeNames[last]
	}
	return "INTERVAL '" + sign + text + "' " + unit
}

func calendarText(months, days, micros int64) string {
	var parts []string
	add := func(v int64, name string) {
		if v != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", v, name))
		}
	}
	add(months/12, "years")
	add(months%12, "months")
	add(days, "days")
	add(micros/3600e6, "hours")
	micros %= 3600e6
	add(micros/60e6, "minutes")
	micros %= 60e6
	if micros != 0 {
		sign := ""
		if micros < 0 {
			sign, micros = "-", -micros
		}
		text := fmt.Sprintf("%s%d", sign, micros/1e6)
		if f := micros % 1e6; f > 0 {
			text += strings.TrimRight(fmt.Sprintf(".%06d", f), "0")
		}
		parts = append(parts, text+" seconds")
	}
	if len(parts) == 0 {
		return "0 seconds"
	}
	return strings.Join(parts, " ")
}
