package engine

import (
	"math"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/analyze"
	"github.com/millpond/millpond/internal/evidence"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sqlparse"
)

// lineage sums up a relation's plan: views are looked into, query text is read.
func (s *Session) lineage(r plan.Relation) evidence.Input {
	l := &liner{s: s, open: map[string]bool{}, prints: s.fingerprinter()}
	l.in = evidence.Input{Rows: uncounted, Split: "all", Share: 1, Upper: 1, Fold: -1}
	l.walk(r)
	return l.in
}

// liner gathers a lineage.
type liner struct {
	s      *Session
	in     evidence.Input
	open   map[string]bool // views that are being looked into, and names of common table expressions
	prints *plan.Fingerprinter
}

func (l *liner) walk(x any) { plan.Each(x, l.see) }

func (l *liner) see(x any) {
	switch x := x.(type) {
	case plan.Relation:
		l.relation(x)
	case *plan.Function:
		l.function(x.Name)
	case *plan.PythonUDF:
		l.python(x.EvalType)
	case *plan.Text:
		if e, err := sqlparse.Expression(x.SQL); err == nil {
			l.walk(e)
		}
	case *plan.Attribute:
		if strings.HasPrefix(x.Parts[0], "__index_level_") || x.Parts[0] == "__natural_order__" {
			l.in.PandasAPI = true
		}
	}
}

func (l *liner) relation(r plan.Relation) {
	if op := operatorName(r); op != "" {
		l.in.Operators = append(l.in.Operators, op)
	}
	l.cached(r)
	switch r := r.(type) {
	case *plan.Table:
		l.table(r.Name)
	case *plan.Read:
		for _, p := range r.Paths {
			add(&l.in.Sources, path.Base(p))
		}
	case *plan.Local:
		add(&l.in.Sources, "local")
	case *plan.Range:
		add(&l.in.Sources, "range")
	case *plan.SQL:
		if q, err := analyze.Parse(r); err == nil {
			l.walk(q)
		}
	case *plan.With:
		for _, n := range r.Names {
			l.open[strings.ToLower(n)] = true
		}
	case *plan.CachedRemote:
		l.s.mu.Lock()
		k := l.s.points[r.ID]
		l.s.mu.Unlock()
		if k != nil {
			l.in.Cached = true
			l.walk(k.from)
		}
	case *plan.Transform:
		add(&l.in.Transforms, l.s.transformName(r))
	case *plan.Sample:
		l.sample(r)
	case *plan.Filter:
		l.loop(r.Cond)
	}
}

func add(list *[]string, name string) {
	if !slices.Contains(*list, name) {
		*list = append(*list, name)
	}
}

func (l *liner) function(name string) {
	name = strings.ToLower(name)
	l.s.mu.Lock()
	udf := l.s.udfs[name]
	l.s.mu.Unlock()
	if udf != nil {
		l.python(udf.EvalType)
		return
	}
	add(&l.in.Functions, name)
	if name == "distributed_sequence_id" { // the default index
		l.in.PandasAPI = true
	}
}

func (l *liner) python(evalType int) {
	if kind := pythonKinds[evalType]; kind != "" {
		add(&l.in.Python, kind)
	}
}

func (l *liner) table(name []string) {
	full := strings.Join(name, ".")
	key := strings.ToLower(full)
	if l.open[key] {
		return
	}
	add(&l.in.Sources, full)
	l.s.mu.Lock()
	v := l.s.views[key]
	l.s.mu.Unlock()
	if v != nil {
		l.open[key] = true
		l.walk(v.relation)
		delete(l.open, key)
	}
}

func (l *liner) cached(r plan.Relation) {
	if l.in.Cached {
		return
	}
	l.s.mu.Lock()
	none := len(l.s.kept) == 0
	l.s.mu.Unlock()
	if none {
		return
	}
	key := l.prints.Of(r)
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	_, l.in.Cached = l.s.kept[key]
}

// transformName is the class of a transformer or model.
func (s *Session) transformName(t *plan.Transform) string {
	if t.ObjectID == "" {
		return t.Class[strings.LastIndexByte(t.Class, '.')+1:]
	}
	model, err := s.models.get(t.ObjectID)
	if err != nil {
		return "a deleted model"
	}
	return model.Spec().ShortName()
}

// sample knows a part of randomSplit, which the client marks by asking for a fixed order. The
// outermost split counts.
func (l *liner) sample(r *plan.Sample) {
	if !r.Ordered || l.in.Split != "all" {
		return
	}
	l.in.Lower, l.in.Upper, l.in.Share, l.in.Seed = r.Lower, r.Upper, r.Upper-r.Lower, r.Seed
	const half = 0.5 - 1e-9 // bounds are sums of fractions
	if l.in.Split = "held-out"; l.in.Share >= half {
		l.in.Split = "train"
	}
}

// loopColumn is the column of random numbers by which a tuning loop cuts its folds.
var loopColumn = regexp.MustCompile(`^(CrossValidator|TrainValidationSplit)_[0-9a-zA-Z]+_rand$`)

// loop knows the filters of CrossValidator and TrainValidationSplit: a range of random numbers is
// for validation, all but the range for training.
func (l *liner) loop(cond plan.Expr) {
	if l.in.Loop != "" {
		return
	}
	var bounds []float64
	plan.Each(cond, func(x any) {
		f, ok := x.(*plan.Function)
		if !ok || len(f.Args) != 2 {
			return
		}
		at, isColumn := f.Args[0].(*plan.Attribute)
		bound, isLiteral := f.Args[1].(plan.Literal)
		if !isColumn || !isLiteral {
			return
		}
		if m := loopColumn.FindStringSubmatch(at.Parts[len(at.Parts)-1]); m != nil {
			l.in.Loop, l.in.LoopID = m[1], strings.TrimSuffix(m[0], "_rand")
			bounds = append(bounds, number(bound.Value))
		}
	})
	if l.in.Loop == "" {
		return
	}
	l.in.Fold = 0
	if len(bounds) == 2 && bounds[1] > bounds[0] {
		l.in.Fold = int(math.Round(bounds[0] / (bounds[1] - bounds[0])))
	}
	l.in.LoopPart = "validation"
	if f, ok := cond.(*plan.Function); ok && (f.Name == "not" || f.Name == "!" || f.Name == "~") {
		l.in.LoopPart = "train"
	}
}

func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int32:
		return float64(v)
	case int64:
		return float64(v)
	}
	return 0
}
