package sqlparse

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

func (p *parser) castExpr() (plan.Expr, error) {
	mode := ""
	if p.next().text == "TRY_CAST" {
		mode = "try"
	}
	p.next()
	e, err := p.expr()
	if err != nil {
		return nil, err
	}
	if err := p.expect("AS"); err != nil {
		return nil, err
	}
	t, err := p.dataType()
	if err != nil {
		return nil, err
	}
	return &plan.Cast{Expr: e, Type: t, Mode: mode}, p.expect(")")
}

// dataType takes the tokens of a type and reads them as DDL.
func (p *parser) dataType() (types.Type, error) {
	start := p.tok().start
	first := p.next()
	if first.kind != word {
		p.pos--
		return nil, p.unexpected()
	}
	depth := 0
	for {
		t := p.tok()
		switch {
		case t.text == "(" || t.text == "<":
			depth++
		case t.text == ")" || t.text == ">":
			depth--
		case t.text == ">>":
			depth -= 2
		case t.text == ">>>":
			depth -= 3
		case depth == 0 && first.text == "INTERVAL" && (t.text == "TO" || intervalUnits[strings.TrimSuffix(t.text, "S")] != ""):
		case depth == 0:
			return p.typeText(start, t)
		}
		if depth < 0 || t.kind == end {
			return p.typeText(start, t)
		}
		p.next()
	}
}

func (p *parser) typeText(start int, stop token) (types.Type, error) {
	src := strings.TrimSpace(p.src[start:stop.start])
	t, err := types.ParseType(src)
	if err != nil {
		return nil, TypeError(src)
	}
	return t, nil
}

func (p *parser) extractExpr() (plan.Expr, error) {
	p.pos += 2
	unit := p.next()
	if err := p.expect("FROM"); err != nil {
		return nil, err
	}
	e, err := p.expr()
	if err != nil {
		return nil, err
	}
	return plan.Call("extract", plan.StringLit(unit.raw), e), p.expect(")")
}

var decimalForm = regexp.MustCompile(`(?i)^\s*(?:decimal|dec|numeric)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)\s*$`)

// TypeError says why a text is no type.
func TypeError(src string) error {
	if m := decimalForm.FindStringSubmatch(src); m != nil {
		precision, _ := strconv.Atoi(m[1])
		scale, _ := strconv.Atoi(m[2])
		switch {
		case precision > 38:
			return sparkerr.New(sparkerr.ClassParse, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "precision", m[1], "maxPrecision", "38")
		case scale > precision:
			return sparkerr.New(sparkerr.ClassAnalysis, "DECIMAL_SCALE_EXCEEDS_PRECISION", "scale", m[2], "precision", m[1])
		}
	}
	return sparkerr.New(sparkerr.ClassParse, "UNSUPPORTED_DATATYPE", "typeName", `"`+strings.ToUpper(src)+`"`)
}
