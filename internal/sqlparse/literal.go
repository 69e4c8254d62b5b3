package sqlparse

import (
	"encoding/hex"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

func (p *parser) numberLit(s string) (plan.Expr, error) {
	up := strings.ToUpper(s)
	for _, suffix := range []string{"BD", "L", "S", "Y", "D", "F"} {
		body, ok := strings.CutSuffix(up, suffix)
		if !ok {
			continue
		}
		return suffixed(body, suffix, p)
	}
	if !strings.ContainsAny(up, ".E") {
		n, ok := new(big.Int).SetString(up, 10)
		switch {
		case !ok:
			return nil, p.unexpected()
		case n.IsInt64() && n.Int64() >= -1<<31 && n.Int64() < 1<<31:
			return plan.IntLit(int32(n.Int64())), nil
		case n.IsInt64():
			return plan.LongLit(n.Int64()), nil
		}
	}
	if strings.Contains(up, "E") {
		f, err := strconv.ParseFloat(up, 64)
		return plan.DoubleLit(f), err
	}
	return decimalLit(up, p)
}

func suffixed(body, suffix string, p *parser) (plan.Expr, error) {
	switch suffix {
	case "D", "F":
		bits := 64
		if suffix == "F" {
			bits = 32
		}
		f, err := strconv.ParseFloat(body, bits)
		if err != nil {
			return nil, p.unexpected()
		}
		if suffix == "F" {
			return plan.Literal{Value: float32(f), Type: types.Float}, nil
		}
		return plan.DoubleLit(f), nil
	case "BD":
		return decimalLit(body, p)
	}
	bits := map[string]int{"L": 64, "S": 16, "Y": 8}[suffix]
	n, err := strconv.ParseInt(body, 10, bits)
	if err != nil {
		return nil, p.unexpected()
	}
	switch suffix {
	case "S":
		return plan.Literal{Value: int16(n), Type: types.Short}, nil
	case "Y":
		return plan.Literal{Value: int8(n), Type: types.Byte}, nil
	}
	return plan.LongLit(n), nil
}

func decimalLit(s string, p *parser) (plan.Expr, error) {
	s, exponent, _ := strings.Cut(s, "E")
	whole, frac, _ := strings.Cut(s, ".")
	if exponent != "" {
		shift, err := strconv.Atoi(exponent)
		if err != nil || shift < -38 || shift > 38 {
			return nil, p.unexpected()
		}
		frac += strings.Repeat("0", max(shift-len(frac), 0))
		if shift >= 0 {
			whole, frac = whole+frac[:shift], frac[shift:]
		} else {
			digits := strings.Repeat("0", -shift) + whole
			whole, frac = digits[:len(whole)], digits[len(whole):]+frac
		}
	}
	n, ok := new(big.Int).SetString(whole+frac, 10)
	if !ok {
		return nil, p.unexpected()
	}
	digits := len(new(big.Int).Abs(n).String())
	d := types.Decimal{Precision: max(digits, len(frac)), Scale: len(frac)}
	if d.Precision > 38 {
		return nil, sparkerr.Unsupported("a decimal of %d digits", d.Precision)
	}
	return plan.Literal{Value: n, Type: d}, nil
}

func (p *parser) typedLiteral() (plan.Expr, error) {
	t := p.next()
	v := p.next().text
	if t.text == "X" {
		b, err := hex.DecodeString(v)
		if err != nil {
			return nil, sparkerr.Plain(sparkerr.ClassParse, "[INVALID_TYPED_LITERAL] The value of the typed literal \"X\" is invalid: '%s'. SQLSTATE: 42604", v)
		}
		return plan.Literal{Value: b, Type: types.Binary}, nil
	}
	if t.text == "DATE" {
		if at, err := time.Parse("2006-1-2", strings.TrimSpace(v)); err == nil {
			return plan.Literal{Value: int32(at.Unix() / 86400), Type: types.Date}, nil
		}
		return nil, sparkerr.New(sparkerr.ClassParse, "INVALID_TYPED_LITERAL", "valueType", `"DATE"`, "value", "'"+v+"'")
	}
	to := map[string]types.Type{"DATE": types.Date, "TIMESTAMP": types.Timestamp, "TIMESTAMP_LTZ": types.Timestamp, "TIMESTAMP_NTZ": types.TimestampNTZ}[t.text]
	return &plan.Cast{Expr: plan.StringLit(v), Type: to, Mode: "literal"}, nil
}

// intervalUnits are the functions of make_interval's parts.
var intervalUnits = map[string]string{"YEAR": "y", "MONTH": "y", "WEEK": "d", "DAY": "d", "HOUR": "d", "MINUTE": "d", "SECOND": "d", "MILLISECOND": "d", "MICROSECOND": "d"}

// intervalFields are the places of the units in an interval type.
var intervalFields = map[string]int{"YEAR": 0, "MONTH": 1, "WEEK": 0, "DAY": 0, "HOUR": 1, "MINUTE": 2, "SECOND": 3, "MILLISECOND": 3, "MICROSECOND": 3}

// interval reads INTERVAL '1' DAY, INTERVAL 2 HOURS 3 MINUTES, INTERVAL '1 day 2 hours'.
func (p *parser) interval() (plan.Expr, error) {
	p.next()
	if t := p.tok(); t.kind == text && p.ahead(2).text == "TO" {
		return p.intervalRange()
	}
	if t := p.tok(); t.kind == text && intervalUnits[strings.TrimSuffix(p.ahead(1).text, "S")] == "" {
		p.next()
		inner, err := newParser(t.text)
		if err != nil {
			return nil, err
		}
		return inner.intervalParts()
	}
	return p.intervalParts()
}

func (p *parser) intervalParts() (plan.Expr, error) {
	months, micros := 0.0, 0.0
	any, first, last := false, 9, 0
	for {
		sign := 1.0
		start := p.pos
		if p.accept("-") {
			sign = -1
		}
		t := p.tok()
		unit := strings.TrimSuffix(p.ahead(1).text, "S")
		if t.kind != number && t.kind != text || intervalUnits[unit] == "" {
			p.pos = start
			break
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(t.text), 64)
		if err != nil {
			return nil, p.unexpected()
		}
		p.pos += 2
		any = true
		field := intervalFields[unit]
		first, last = min(first, field), max(last, field)
		switch unit {
		case "YEAR":
			months += sign * n * 12
		case "MONTH":
			months += sign * n
		default:
			micros += sign * n * map[string]float64{"WEEK": 7 * 86400e6, "DAY": 86400e6, "HOUR": 3600e6, "MINUTE": 60e6, "SECOND": 1e6, "MILLISECOND": 1e3, "MICROSECOND": 1}[unit]
		}
	}
	switch {
	case !any:
		return nil, p.unexpected()
	case months != 0 && micros != 0:
		return nil, sparkerr.Unsupported("an interval of months and days")
	case months != 0:
		return plan.Literal{Value: int32(months), Type: types.YearMonthInterval{Start: first, End: last}}, nil
	}
	return plan.Literal{Value: int64(math.Round(micros)), Type: types.DayTimeInterval{Start: first, End: last}}, nil
}

var yearMonthForm = regexp.MustCompile(`^([+-]?)(\d+)-(\d+)$`)

// intervalRange reads '1-2' YEAR TO MONTH and '1 02:03:04.5' DAY TO SECOND.
func (p *parser) intervalRange() (plan.Expr, error) {
	src := strings.TrimSpace(p.next().text)
	from := strings.TrimSuffix(p.next().text, "S")
	p.next()
	to := strings.TrimSuffix(p.next().text, "S")
	first, ok1 := intervalFields[from]
	last, ok2 := intervalFields[to]
	bad := sparkerr.New(sparkerr.ClassParse, "INVALID_INTERVAL_FORMAT.INTERVAL_PARSING", "input", src, "interval", strings.ToLower(from+"-"+to))
	if !ok1 || !ok2 || first >= last {
		return nil, bad
	}
	if from == "YEAR" {
		m := yearMonthForm.FindStringSubmatch(src)
		if m == nil {
			return nil, bad
		}
		years, _ := strconv.Atoi(m[2])
		months, _ := strconv.Atoi(m[3])
		if months > 11 {
			return nil, bad
		}
		n := years*12 + months
		if m[1] == "-" {
			n = -n
		}
		return plan.Literal{Value: int32(n), Type: types.YearMonthInterval{Start: 0, End: 1}}, nil
	}
	micros, ok := dayTimeMicros(src, first, last)
	if !ok {
		return nil, bad
	}
	return plan.Literal{Value: micros, Type: types.DayTimeInterval{Start: first, End: last}}, nil
}

// dayTimeMicros reads the fields from first to last (0 day to 3 second) of a text.
func dayTimeMicros(src string, first, last int) (int64, bool) {
	sign := int64(1)
	if rest, ok := strings.CutPrefix(src, "-"); ok {
		src, sign = rest, -1
	}
	src = strings.TrimPrefix(src, "+")
	units := []int64{86400e6, 3600e6, 60e6, 1e6}
	parts := strings.FieldsFunc(src, func(r rune) bool { return r == ' ' || r == ':' })
	if len(parts) != last-first+1 {
		return 0, false
	}
	total := int64(0)
	for i, part := range parts {
		whole, frac, _ := strings.Cut(part, ".")
		n, err := strconv.ParseInt(whole, 10, 64)
		field := first + i
		if err != nil || field > first && (field == 1 && n > 23 || field > 1 && n > 59) || frac != "" && field != 3 {
			return 0, false
		}
		total += n * units[field]
		if frac != "" {
			f, err := strconv.ParseInt((frac + "000000")[:6], 10, 64)
			if err != nil {
				return 0, false
			}
			total += f
		}
	}
	return sign * total, true
}
