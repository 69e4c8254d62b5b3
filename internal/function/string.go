package function

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

func strings_() []Row {
	s := func(name, alias, args, sql string) Row {
		return Row{Name: name, Aliases: alias, Args: args, Result: is(types.String), SQL: sql}
	}
	n := func(name, alias, args, sql string) Row {
		return Row{Name: name, Aliases: alias, Args: args, Result: is(types.Int), SQL: "CAST(" + sql + " AS INTEGER)"}
	}
	bn := func(name, args, sql string) Row {
		return Row{Name: name, Coerce: searchArgs(name, args), Result: is(types.Boolean), SQL: sql}
	}
	return []Row{
		s("upper", "ucase", "s", "upper({0})"), s("lower", "lcase", "s", "lower({0})"),
		{Name: "btrim", Args: "s ?s", Result: is(types.String), Build: func(a []Arg) string {
			if len(a) == 2 {
				return fill("trim({0}, {1})", a)
			}
			return fill("trim({0})", a)
		}},
		{Name: "trim", Args: "s ?s", Result: is(types.String), Build: trim("trim")},
		{Name: "ltrim", Args: "s ?s", Result: is(types.String), Build: trim("ltrim")},
		{Name: "rtrim", Args: "s ?s", Result: is(types.String), Build: trim("rtrim")},
		{Name: "length", Aliases: "len char_length character_length", Coerce: textOrBytes("length"), Result: is(types.Int), Build: func(a []Arg) string {
			if a[0].Type == types.Binary {
				return "CAST(octet_length(" + a[0].SQL + ") AS INTEGER)"
			}
			return "CAST(length(" + a[0].SQL + ") AS INTEGER)"
		}},
		n("octet_length", "", "s", "octet_length(encode({0}))"), n("bit_length", "", "s", "bit_length({0})"),
		n("ascii", "", "s", "(CASE WHEN {0} = '' THEN 0 ELSE ord({0}) END)"),
		{Name: "concat", Coerce: concatArgs, Result: same(0), Build: concat},
		{Name: "||", Coerce: concatArgs, Result: same(0), Build: concat},
		{Name: "concat_ws", Args: "s ?a*", Result: is(types.String), Null: nullOfFirst, Build: concatWs},
		{Name: "substring", Aliases: "substr", Args: "s i ?i", Result: is(types.String), Build: substring},
		s("left", "", "s i", "(CASE WHEN {1} <= 0 THEN '' ELSE left({0}, {1}) END)"), s("right", "", "s i", "(CASE WHEN {1} <= 0 THEN '' ELSE right({0}, {1}) END)"),
		{Name: "lpad", Coerce: padArgs("lpad"), Result: same(0), Build: pad("lpad")},
		{Name: "rpad", Coerce: padArgs("rpad"), Result: same(0), Build: pad("rpad")},
		s("repeat", "", "s i", "repeat({0}, {1})"),
		{Name: "replace", Args: "s s ?s", Result: is(types.String), Build: func(a []Arg) string {
			if len(a) == 2 {
				return fill("(CASE WHEN {1} = '' THEN {0} ELSE replace({0}, {1}, '') END)", a)
			}
			return fill("(CASE WHEN {1} = '' THEN {0} ELSE replace({0}, {1}, {2}) END)", a)
		}},
		s("translate", "", "s s s", "translate({0}, {1}, {2})"),
		{Name: "instr", Args: "s s ?i i", Result: is(types.Int), Build: instr},
		{Name: "locate", Aliases: "position", Args: "s s ?i", Result: is(types.Int), Build: locate},
		s("substring_index", "", "s s i", "(CASE WHEN {2} > 0 THEN array_to_string(list_slice(string_split({0}, {1}), 1, {2}), {1}) WHEN {2} < 0 THEN array_to_string(list_slice(string_split({0}, {1}), {2}, -1), {1}) ELSE '' END)"),
		bn("startswith", "s s", "starts_with({0}, {1})"), bn("endswith", "s s", "ends_with({0}, {1})"), bn("contains", "s s", "contains({0}, {1})"),
		s("split_part", "", "s s i", "(CASE WHEN {2} = 0 THEN "+sparkerr.Raise("INVALID_INDEX_OF_ZERO")+" ELSE split_part({0}, {1}, {2}) END)"),
		s("base64", "", "B", "base64({0})"),
		s("space", "", "i", "repeat(' ', {0})"), n("find_in_set", "", "s s", "coalesce(list_position(string_split({1}, ','), {0}), 0)"),
	}
}

func trim(name string) func([]Arg) string {
	return func(a []Arg) string {
		if len(a) == 2 {
			return name + "(" + a[1].SQL + ", " + a[0].SQL + ")" // what to trim comes first
		}
		return name + "(" + a[0].SQL + ")"
	}
}

// concatArgs makes everything text unless all are arrays, or all binary.
func concatArgs(a []plan.Value) ([]plan.Value, error) {
	lists, bytes := len(a) > 0, len(a) > 0
	for _, v := range a {
		_, isList := v.Type().(types.Array)
		lists = lists && (isList || v.Type() == types.Null)
		bytes = bytes && v.Type() == types.Binary
	}
	switch {
	case len(a) == 0:
		return []plan.Value{plan.Const{Literal: plan.StringLit("")}}, nil
	case bytes:
		return a, nil
	case lists:
		return coerceArgs(&Row{Name: "concat", Args: "c*"}, a)
	}
	return coerceArgs(&Row{Name: "concat", Args: "s*"}, a)
}

// concat joins strings, binaries or arrays; any null makes null, which || does.
func concat(a []Arg) string {
	if len(a) == 0 {
		return "''"
	}
	parts := make([]string, len(a))
	for i, x := range a {
		parts[i] = x.SQL
	}
	return "(" + strings.Join(parts, " || ") + ")"
}

// concatWs skips nulls and takes arrays apart.
func concatWs(a []Arg) string {
	if len(a) == 1 {
		return "(CASE WHEN " + a[0].SQL + " IS NULL THEN NULL ELSE '' END)"
	}
	parts := make([]string, len(a)-1)
	for i, x := range a[1:] {
		if _, ok := x.Type.(types.Array); ok {
			parts[i] = "list_transform(" + x.SQL + ", lambda e: CAST(e AS VARCHAR))"
		} else {
			parts[i] = "[CAST(" + x.SQL + " AS VARCHAR)]"
		}
	}
	return "(CASE WHEN " + a[0].SQL + " IS NOT NULL THEN array_to_string(list_filter(flatten([" + strings.Join(parts, ", ") + "]), lambda e: e IS NOT NULL), " + a[0].SQL + ") END)"
}

// substring counts from one, from the end if negative; zero is one.
func substring(a []Arg) string {
	length := "2147483647"
	if len(a) == 3 {
		length = "greatest(" + a[2].SQL + ", 0)"
	}
	if c := a[1].Const; c != nil {
		if n, ok := c.Value.(int32); ok && n > 0 {
			return "substring(" + a[0].SQL + ", " + a[1].SQL + ", " + length + ")"
		}
	}
	pos := "(CASE WHEN " + a[1].SQL + " = 0 THEN 1 ELSE " + a[1].SQL + " END)"
	return "substring(" + a[0].SQL + ", " + pos + ", " + length + ")"
}

// searchArgs reads binary values as texts, of which Spark says that they may be null.
func searchArgs(name, signature string) func([]plan.Value) ([]plan.Value, error) {
	return func(args []plan.Value) ([]plan.Value, error) {
		read := append([]plan.Value{}, args...)
		for i, v := range read {
			if v.Type() == types.Binary {
				read[i] = &plan.Convert{Child: v, To: types.String, Mode: "try"}
			}
		}
		return coerceArgs(&Row{Name: name, Args: signature}, read)
	}
}

// padArgs lets binary values stay what they are.
func padArgs(name string) func([]plan.Value) ([]plan.Value, error) {
	return func(a []plan.Value) ([]plan.Value, error) {
		if len(a) > 0 && a[0].Type() == types.Binary {
			return coerceArgs(&Row{Name: name, Args: "B i ?B"}, a)
		}
		return coerceArgs(&Row{Name: name, Args: "s i ?s"}, a)
	}
}

func pad(name string) func([]Arg) string {
	return func(a []Arg) string {
		if a[0].Type == types.Binary { // by the hexadecimal digits of the bytes
			with := "'00'"
			if len(a) == 3 {
				with = "hex(" + a[2].SQL + ")"
			}
			return "unhex(" + name + "(hex(" + a[0].SQL + "), 2 * " + a[1].SQL + ", " + with + "))"
		}
		fillText := "' '"
		if len(a) == 3 {
			fillText = a[2].SQL
		}
		return name + "(" + a[0].SQL + ", " + a[1].SQL + ", " + fillText + ")"
	}
}

func locate(a []Arg) string {
	if len(a) == 2 {
		return fill("CAST(instr({1}, {0}) AS INTEGER)", a)
	}
	return fill("CAST((CASE WHEN {2} < 1 THEN 0 WHEN instr(substring({1}, {2}), {0}) = 0 THEN 0 ELSE instr(substring({1}, {2}), {0}) + {2} - 1 END) AS INTEGER)", a)
}

// instr finds a text from a place on, or backward from a place that counts from the end.
func instr(a []Arg) string {
	switch len(a) {
	case 2:
		return fill("CAST(instr({0}, {1}) AS INTEGER)", a)
	case 3:
		return fill("spark_instr({0}, {1}, {2}, 1)", a)
	}
	return fill("spark_instr({0}, {1}, {2}, {3})", a)
}

// textOrBytes takes bytes as they are, and other values as text.
func textOrBytes(name string) func([]plan.Value) ([]plan.Value, error) {
	return func(a []plan.Value) ([]plan.Value, error) {
		if len(a) == 1 && a[0].Type() == types.Binary {
			return a, nil
		}
		return coerceArgs(&Row{Name: name, Args: "s"}, a)
	}
}
