package filter

import "strings"

// Where gathers the conditions of a search as SQL. Only constant text of the
// program goes into the SQL; whatever a client wrote goes into the arguments.
type Where struct {
	conds []string
	Args  []any
}

// Add adds a condition and its arguments.
func (w *Where) Add(cond string, args ...any) {
	w.conds = append(w.conds, cond)
	w.Args = append(w.Args, args...)
}

// String is the WHERE clause, or nothing if there are no conditions.
func (w *Where) String() string {
	if len(w.conds) == 0 {
		return ""
	}
	return "WHERE " + strings.Join(w.conds, " AND ")
}

// Any adds a choice; add adds the conditions of a conjunction.
func (w *Where) Any(choices [][]Term, add func(*Where, []Term)) {
	conds := make([]string, len(choices))
	for i, terms := range choices {
		var all Where
		add(&all, terms)
		// Conditions that say nothing are true of everything.
		conds[i] = "(" + strings.Join(append([]string{"1 = 1"}, all.conds...), " AND ") + ")"
		w.Args = append(w.Args, all.Args...)
	}
	w.conds = append(w.conds, "("+strings.Join(conds, " OR ")+")")
}

// Attribute adds a condition on a column.
func (w *Where) Attribute(t Term) {
	cond, args := compare(t.Attr.Column, t)
	w.Add(cond, args...)
}

// fewConds is how many conditions a database is let to turn into joins. The
// plan of hundreds takes PostgreSQL minutes to find.
const fewConds = 8

// end closes a subquery. An offset, even of nothing, keeps it one.
func (w *Where) end() string {
	if len(w.conds) > fewConds {
		return " LIMIT 1 OFFSET 0)"
	}
	return ")"
}

// Pair adds a condition on a key's value in a table of keys and values aliased
// x; from is its "table x WHERE join".
func (w *Where) Pair(from string, t Term) {
	cond := "EXISTS (SELECT 1 FROM " + from + " AND x.key = ?"
	switch t.Op {
	case IsNull:
		w.Add("NOT "+cond+w.end(), t.Key)
		return
	case IsNotNull:
		w.Add(cond+w.end(), t.Key)
		return
	}
	value, args := compare("x.value", t)
	w.Add(cond+" AND "+value+w.end(), append([]any{t.Key}, args...)...)
}

// Column adds a condition on the term's column, seen through a subquery that
// from begins.
func (w *Where) Column(from string, t Term) {
	value, args := compare(t.Attr.Column, t)
	w.Add("EXISTS (SELECT 1 FROM "+from+" AND "+value+w.end(), args...)
}

// Metric adds a condition on the value of a metric in a table aliased x. A NaN
// differs from every number and satisfies no other comparison.
func (w *Where) Metric(from string, t Term, args ...any) {
	cond := "x.is_nan = 0 AND x.value " + string(t.Op) + " ?"
	if t.Op == Ne {
		cond = "(x.is_nan = 1 OR x.value != ?)"
	}
	w.Add("EXISTS (SELECT 1 FROM "+from+" AND x.key = ? AND "+cond+w.end(), append(args, t.Key, t.Number)...)
}

// compare is the SQL for one comparison of a column, with its arguments.
func compare(column string, t Term) (string, []any) {
	switch t.Op {
	case In, NotIn:
		args := make([]any, len(t.List))
		for i, s := range t.List {
			args[i] = s
		}
		return column + " " + string(t.Op) + " (" + strings.TrimSuffix(strings.Repeat("?,", len(args)), ",") + ")", args
	// A pattern's backslash means itself in every database.
	case ILike:
		return "LOWER(" + column + `) LIKE LOWER(?) ESCAPE '\'`, []any{strings.ReplaceAll(t.Text, `\`, `\\`)}
	case Like:
		return column + ` LIKE ? ESCAPE '\'`, []any{strings.ReplaceAll(t.Text, `\`, `\\`)}
	}
	var arg any = t.Text
	if t.Attr.Type == Integer {
		if !t.Whole {
			return column + " " + string(t.Op) + " CAST(? AS DOUBLE PRECISION)", []any{t.Number}
		}
		arg = t.Int
	}
	return column + " " + string(t.Op) + " ?", []any{arg}
}

// Direction is the SQL of an ordering's direction.
func (o Order) Direction() string {
	if o.Desc {
		return " DESC"
	}
	return ""
}
