package sqlparse

import (
	"reflect"

	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

// bindParams replaces :name and ? by their values.
func bindParams(q plan.Relation, named map[string]plan.Expr, pos []plan.Expr) (plan.Relation, error) {
	return rewriteRelation(q, func(e plan.Expr) (plan.Expr, error) {
		m, ok := e.(*plan.Param)
		if !ok {
			return e, nil
		}
		if m.Name != "" {
			if v, ok := named[m.Name]; ok {
				return v, nil
			}
			return nil, sparkerr.Plain(sparkerr.ClassExtendedAnalysis, "[UNBOUND_SQL_PARAMETER] Found the unbound parameter: %s. Please, fix `args` and provide a mapping of the parameter to either a SQL literal or collection constructor functions such as `map()`, `array()`, `struct()`. SQLSTATE: 42P02", m.Name)
		}
		if m.Pos <= len(pos) {
			return pos[m.Pos-1], nil
		}
		return nil, sparkerr.Plain(sparkerr.ClassExtendedAnalysis, "[UNBOUND_SQL_PARAMETER] Found the unbound parameter: _%d. SQLSTATE: 42P02", m.Pos-1)
	})
}

var (
	exprType     = reflect.TypeOf((*plan.Expr)(nil)).Elem()
	relationType = reflect.TypeOf((*plan.Relation)(nil)).Elem()
)

// rewriteRelation replaces expressions anywhere in a tree that this package has just made, in
// place, from the bottom up.
func rewriteRelation(q plan.Relation, f func(plan.Expr) (plan.Expr, error)) (plan.Relation, error) {
	return q, rewriteIn(reflect.ValueOf(q), f)
}

func rewriteIn(v reflect.Value, f func(plan.Expr) (plan.Expr, error)) error {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return rewriteIn(v.Elem(), f)
	case reflect.Interface:
		if v.IsNil() {
			return nil
		}
		if v.Type() == relationType {
			return rewriteIn(v.Elem(), f)
		}
		if v.Type() != exprType {
			return nil
		}
		inner := v.Elem()
		if inner.Kind() == reflect.Struct { // a value in an interface cannot be changed in place
			c := reflect.New(inner.Type()).Elem()
			c.Set(inner)
			if err := rewriteIn(c, f); err != nil {
				return err
			}
			v.Set(c)
		} else if err := rewriteIn(inner, f); err != nil {
			return err
		}
		e, err := f(v.Interface().(plan.Expr))
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(e))
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Field(i); field.CanSet() {
				if err := rewriteIn(field, f); err != nil {
					return err
				}
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := rewriteIn(v.Index(i), f); err != nil {
				return err
			}
		}
	}
	return nil
}
