package function

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// parts are the fields that extract knows, with DuckDB's text of each.
var parts = map[string]string{
	"YEAR": "date_part('year', %)", "Y": "date_part('year', %)", "YEARS": "date_part('year', %)", "YR": "date_part('year', %)", "YRS": "date_part('year', %)",
	"YEAROFWEEK": "date_part('isoyear', %)", "QUARTER": "date_part('quarter', %)", "QTR": "date_part('quarter', %)",
	"MONTH": "date_part('month', %)", "MON": "date_part('month', %)", "MONS": "date_part('month', %)", "MONTHS": "date_part('month', %)",
	"WEEK": "date_part('week', %)", "W": "date_part('week', %)", "WEEKS": "date_part('week', %)",
	"DAY": "date_part('day', %)", "D": "date_part('day', %)", "DAYS": "date_part('day', %)",
	"DAYOFWEEK": "date_part('dow', %) + 1", "DOW": "date_part('dow', %) + 1", "DAYOFWEEK_ISO": "date_part('isodow', %)", "DOW_ISO": "date_part('isodow', %)",
	"DOY": "date_part('doy', %)", "HOUR": "date_part('hour', %)", "H": "date_part('hour', %)", "HOURS": "date_part('hour', %)", "HR": "date_part('hour', %)", "HRS": "date_part('hour', %)",
	"MINUTE": "date_part('minute', %)", "M": "date_part('minute', %)", "MIN": "date_part('minute', %)", "MINS": "date_part('minute', %)", "MINUTES": "date_part('minute', %)",
	"SECOND": "date_part('microsecond', %) / 1000000", "S": "date_part('microsecond', %) / 1000000", "SEC": "date_part('microsecond', %) / 1000000",
	"SECONDS": "date_part('microsecond', %) / 1000000", "SECS": "date_part('microsecond', %) / 1000000",
}

func partName(v plan.Value) string {
	c, ok := Constant(v)
	if !ok {
		return ""
	}
	s, _ := c.Value.(string)
	return strings.ToUpper(s)
}

func isSecond(name string) bool { return name == "S" || strings.HasPrefix(name, "SEC") }

func partType(a []plan.Value) (types.Type, error) {
	name := partName(a[0])
	if _, ok := parts[name]; !ok {
		return nil, sparkerr.Analysis("INVALID_EXTRACT_FIELD", "field", "'"+name+"'", "expr", `"`+Describe(a[1])+`"`)
	}
	switch a[1].Type().(type) {
	case types.DayTimeInterval:
		if name[0] == 'D' {
			return types.Int, nil
		}
		if !isSecond(name) {
			return types.Byte, nil
		}
	case types.YearMonthInterval:
		if name[0] == 'M' {
			return types.Byte, nil
		}
	}
	if isSecond(name) {
		return types.Decimal{Precision: 8, Scale: 6}, nil
	}
	return types.Int, nil
}

func datePart(a []Arg) string {
	value := a[1].SQL
	if types.IsString(a[1].Type) {
		value = "CAST(" + value + " AS TIMESTAMPTZ)"
	}
	if _, days := a[1].Type.(types.DayTimeInterval); days { // DuckDB keeps what we give it as microseconds
		return "CAST(" + dayTimePart(unitOf(a[0]), "epoch_us("+value+")") + " AS " + TypeSQL(a[1].Parsed) + ")"
	}
	return "CAST(" + strings.ReplaceAll(parts[unitOf(a[0])], "%", value) + " AS " + TypeSQL(a[1].Parsed) + ")"
}

// dayTimePart takes a field of an interval's microseconds; remainders keep its sign.
func dayTimePart(field, us string) string {
	switch field[:1] {
	case "D":
		return "trunc(" + us + " / 86400000000)"
	case "H":
		return "trunc(" + us + " / 3600000000) % 24"
	case "M":
		return "trunc(" + us + " / 60000000) % 60"
	}
	return "(" + us + " - trunc(" + us + " / 60000000) * 60000000) / 1000000"
}
