package sqlparse

import (
	"strings"

	"github.com/millpond/millpond/internal/plan"
)

// Qualify puts a database before the names of tables that have none, in a tree that this package
// has just made. Common table expressions keep their names.
func Qualify(q plan.Relation, database string) {
	local := map[string]bool{}
	plan.Visit(q, func(r plan.Relation) {
		if w, ok := r.(*plan.With); ok {
			for _, n := range w.Names {
				local[strings.ToLower(n)] = true
			}
		}
	})
	plan.Visit(q, func(r plan.Relation) {
		if t, ok := r.(*plan.Table); ok && len(t.Name) == 1 && !local[strings.ToLower(t.Name[0])] {
			t.Name = []string{database, t.Name[0]}
		}
	})
}
