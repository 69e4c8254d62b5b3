package analyze

import (
	"cmp"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// find gives the relations below (and at) r that the client calls by a plan id.
func (r *rel) find(id int64) []*rel {
	if r.is(id) {
		return []*rel{r}
	}
	var out []*rel
	for _, k := range r.kids {
		out = append(out, k.find(id)...)
	}
	return out
}

// is says whether r is what the client calls by a plan id.
func (r *rel) is(id int64) bool { return r.hasID && r.planID == id }

func (r *rel) byID(id int) (plan.Attr, bool) {
	for _, at := range r.attrs {
		if at.ID == id {
			return at, true
		}
	}
	return plan.Attr{}, false
}

// match finds the columns that a dotted name may mean; rest are the parts that name fields.
func match(attrs []plan.Attr, parts []string) (found []plan.Attr, rest []string) {
	for q := min(len(parts)-1, 3); q >= 1; q-- {
		for _, at := range attrs {
			if strings.EqualFold(at.Name, parts[q]) && qualifies(at.Qualifier, parts[:q]) {
				found = append(found, at)
			}
		}
		if len(found) > 0 {
			return distinct(found), parts[q+1:]
		}
	}
	for _, at := range attrs {
		if strings.EqualFold(at.Name, parts[0]) {
			found = append(found, at)
		}
	}
	return distinct(found), parts[1:]
}

// refer is match for expressions: a column is called what its reference calls it, whose case may differ.
func refer(attrs []plan.Attr, parts []string) (found []plan.Attr, rest []string) {
	found, rest = match(attrs, parts)
	for i := range found {
		found[i].Name = parts[len(parts)-len(rest)-1]
	}
	return found, rest
}

func distinct(attrs []plan.Attr) []plan.Attr {
	var out []plan.Attr
	seen := map[int]bool{}
	for _, at := range attrs {
		id := at.ID
		if at.Twin != 0 {
			id = at.Twin
		}
		if !seen[id] {
			seen[id] = true
			out = append(out, at)
		}
	}
	return out
}

func qualifies(qualifier, parts []string) bool {
	if len(qualifier) < len(parts) {
		return false
	}
	tail := qualifier[len(qualifier)-len(parts):]
	for i := range parts {
		if !strings.EqualFold(tail[i], parts[i]) {
			return false
		}
	}
	return true
}

// column resolves a name to a value of r. A column that only exists further down is answered
// with hidden true: the caller has to carry it up (see reveal).
func (r *rel) column(e *plan.Attribute) (v plan.Value, hidden bool, err error) {
	if e.HasPlanID {
		return r.columnOf(e)
	}
	found, rest := refer(r.attrs, e.Parts)
	if len(found) > 1 {
		return nil, false, ambiguous(e.Parts, found)
	}
	if len(found) == 1 {
		v, err = fields(plan.Col{Attr: found[0]}, rest)
		return v, false, err
	}
	if !r.opaque {
		for _, k := range r.kids {
			if v, _, err := k.column(e); err == nil {
				return v, true, nil
			}
		}
	}
	return nil, false, Unresolved(e.Parts, r.attrs)
}

func (r *rel) columnOf(e *plan.Attribute) (plan.Value, bool, error) {
	targets := r.find(e.PlanID)
	if len(targets) == 0 {
		if r.outer != nil {
			return r.outer.columnOf(e)
		}
		return nil, false, foreign(e.Parts)
	}
	var candidates []plan.Attr
	var rest []string
	for _, t := range targets {
		found, tail := refer(t.attrs, e.Parts)
		if len(found) > 1 {
			return nil, false, ambiguous(e.Parts, found)
		}
		candidates, rest = append(candidates, found...), tail
	}
	if len(candidates) == 0 {
		return nil, false, foreign(e.Parts)
	}
	var here []plan.Attr
	for _, c := range distinct(candidates) {
		if at, ok := r.byID(c.ID); ok {
			at.Name = c.Name
			here = append(here, at)
		}
	}
	switch {
	case len(here) > 1 && r.condition && len(r.kids) == 2 && r.kids[0].is(e.PlanID) != r.kids[1].is(e.PlanID):
		side := r.kids[0]
		if r.kids[1].is(e.PlanID) {
			side = r.kids[1]
		}
		return side.columnOf(e)
	case len(here) > 1: // a frame joined with itself
		return nil, false, sparkerr.Analysis("AMBIGUOUS_COLUMN_REFERENCE", "name", quoted(strings.Join(e.Parts, ".")))
	case len(here) == 1:
		v, err := fields(plan.Col{Attr: here[0]}, rest)
		return v, false, err
	}
	v, err := fields(plan.Col{Attr: candidates[0]}, rest)
	return v, true, err
}

func fields(v plan.Value, names []string) (plan.Value, error) {
	for _, n := range names {
		next, err := field(v, n)
		if err != nil {
			return nil, err
		}
		v = next
	}
	return v, nil
}

func quoteParts(parts []string) string {
	q := make([]string, len(parts))
	for i, p := range parts {
		q[i] = types.Quote(p)
	}
	return strings.Join(q, ".")
}

// foreign is the error of a DataFrame's column that the DataFrame does not have, or that is not in reach.
func foreign(parts []string) error {
	return sparkerr.Analysis("CANNOT_RESOLVE_DATAFRAME_COLUMN", "name", quoted(strings.Join(parts, ".")))
}

func ambiguous(parts []string, found []plan.Attr) error {
	names := make([]string, len(found))
	for i, at := range found {
		names[i] = quoteParts(append(append([]string{}, at.Qualifier...), at.Name))
	}
	slices.Sort(names)
	return sparkerr.Analysis("AMBIGUOUS_REFERENCE", "name", quoteParts(parts), "referenceNames", "["+strings.Join(names, ", ")+"]")
}

// absentAmong is unresolved for operations that look a name up in a schema.
func absentAmong(name string, attrs []plan.Attr) error {
	return sparkerr.Analysis("UNRESOLVED_COLUMN_AMONG_FIELD_NAMES", "colName", name, "fieldNames", strings.Join(plan.SchemaOf(attrs).Names(), ", "))
}

// notIn is Unresolved for df.na and df.stat, which list the columns as they are.
func notIn(name string, attrs []plan.Attr) error {
	names := make([]string, len(attrs))
	for i, at := range attrs {
		names[i] = types.Quote(at.Name)
	}
	return sparkerr.Analysis("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", types.Quote(name), "proposal", strings.Join(names, ", "))
}

// Unresolved is the error of a name that is none of the columns, the nearest ones first.
func Unresolved(parts []string, attrs []plan.Attr) error {
	if len(attrs) == 0 {
		return sparkerr.Analysis("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "objectName", quoteParts(parts))
	}
	quotedParts := make([]string, len(parts))
	for i, p := range parts {
		quotedParts[i] = types.QuoteIfNeeded(p)
	}
	want := strings.Join(quotedParts, ".")
	type near struct {
		name, column string
		d            int
	}
	list := make([]near, len(attrs))
	shared := sharedQualifier(attrs, 2-len(parts))
	for i, at := range attrs {
		full := quoteParts(append(append([]string{}, at.Qualifier[min(shared, len(at.Qualifier)):]...), at.Name))
		list[i] = near{full, at.Name, distance(want, full)}
	}
	slices.SortStableFunc(list, func(a, b near) int { return cmp.Or(a.d-b.d, strings.Compare(a.column, b.column)) })
	var names []string
	for i := 0; i < len(list) && i < 5; i++ {
		names = append(names, list[i].name)
	}
	return sparkerr.Analysis("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", quoteParts(parts), "proposal", strings.Join(names, ", "))
}

// sharedQualifier counts the parts that suggestions leave out: all of the qualifier where the wanted name
// has one part and all columns have the same, else all but the table's name where it has two at most.
func sharedQualifier(attrs []plan.Attr, spare int) int {
	first := attrs[0].Qualifier
	same := func(n int) bool {
		return !slices.ContainsFunc(attrs, func(at plan.Attr) bool {
			return len(at.Qualifier) != len(first) || !slices.Equal(at.Qualifier[:n], first[:n])
		})
	}
	switch {
	case spare >= 1 && same(len(first)):
		return len(first)
	case spare >= 0 && len(first) > 1 && same(len(first)-1):
		return len(first) - 1
	}
	return 0
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		prev := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			prev, row[j] = row[j], min(row[j]+1, row[j-1]+1, prev+cost)
		}
	}
	return row[len(b)]
}

// reveal carries a column up through n, which does not show it; ok is false where it cannot.
func reveal(n plan.Node, at plan.Attr) (plan.Node, bool) {
	for _, o := range n.Output() {
		if o.ID == at.ID {
			return n, true
		}
	}
	switch n := n.(type) {
	case *plan.Select:
		if in, ok := reveal(n.Input, at); ok {
			return &plan.Select{Input: in, Exprs: append(append([]plan.Named{}, n.Exprs...), plan.Named{Attr: at, Value: plan.Col{Attr: at}})}, true
		}
	case *plan.Where:
		if in, ok := reveal(n.Input, at); ok {
			return &plan.Where{Input: in, Cond: n.Cond}, true
		}
	case *plan.SortNode:
		if in, ok := reveal(n.Input, at); ok {
			return &plan.SortNode{Input: in, Orders: n.Orders, Local: n.Local}, true
		}
	case *plan.RepartitionNode:
		if in, ok := reveal(n.Input, at); ok {
			c := *n
			c.Input = in
			return &c, true
		}
	case *plan.Slice:
		if in, ok := reveal(n.Input, at); ok {
			return &plan.Slice{Input: in, Limit: n.Limit, Offset: n.Offset}, true
		}
	case *plan.JoinNode:
		c := *n
		c.Attrs = append(append([]plan.Attr{}, n.Attrs...), at)
		if in, ok := reveal(n.Left, at); ok {
			c.Left = in
			return &c, true
		}
		if in, ok := reveal(n.Right, at); ok && n.Type != plan.JoinSemi && n.Type != plan.JoinAnti {
			c.Right = in
			return &c, true
		}
	}
	return n, false
}

// offer gives r with more of the columns below it revealed in its node; its attrs stay.
func (r *rel) offer(hidden []plan.Attr) (*rel, error) {
	out := *r
	for _, h := range hidden {
		n, ok := reveal(out.n, h)
		if !ok {
			return nil, Unresolved([]string{h.Name}, r.attrs)
		}
		out.n = n
	}
	return &out, nil
}
