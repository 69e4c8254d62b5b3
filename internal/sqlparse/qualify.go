package sqlparse

import (
	"reflect"
	"strings"

	"github.com/millpond/millpond/internal/plan"
)

// Qualify puts a database before the names of tables that have none, in a tree that this package
// has just made. Common table expressions keep their names.
func Qualify(q plan.Relation, database string) {
	local := map[string]bool{}
	visit(reflect.ValueOf(q), func(v any) {
		if w, ok := v.(*plan.With); ok {
			for _, n := range w.Names {
				local[strings.ToLower(n)] = true
			}
		}
	})
	visit(reflect.ValueOf(q), func(v any) {
		if t, ok := v.(*plan.Table); ok && len(t.Name) == 1 && !local[strings.ToLower(t.Name[0])] {
			t.Name = []string{database, t.Name[0]}
		}
	})
}

// visit calls f with every pointer in a tree.
func visit(v reflect.Value, f func(any)) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			visit(v.Elem(), f)
		}
	case reflect.Pointer:
		if !v.IsNil() && v.Elem().Kind() == reflect.Struct && v.CanInterface() {
			f(v.Interface())
			visit(v.Elem(), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				visit(v.Field(i), f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			visit(v.Index(i), f)
		}
	}
}
