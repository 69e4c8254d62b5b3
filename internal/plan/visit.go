package plan

import "reflect"

// Visit calls f with a relation and every one below it, those within expressions too.
func Visit(r Relation, f func(Relation)) {
	Each(r, func(x any) {
		if r, ok := x.(Relation); ok {
			f(r)
		}
	})
}

// Each calls f with a relation or an expression and every one below it that is held by a pointer,
// from the top down.
func Each(x any, f func(any)) { visit(reflect.ValueOf(x), f) }

func visit(v reflect.Value, f func(any)) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			visit(v.Elem(), f)
		}
	case reflect.Pointer:
		if v.IsNil() || v.Elem().Kind() != reflect.Struct {
			return
		}
		switch x := v.Interface().(type) {
		case Relation, Expr:
			f(x)
		}
		visit(v.Elem(), f)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				visit(v.Field(i), f)
			}
		}
	case reflect.Slice:
		if k := v.Type().Elem().Kind(); k == reflect.Interface || k == reflect.Pointer || k == reflect.Struct || k == reflect.Slice {
			for i := range v.Len() {
				visit(v.Index(i), f)
			}
		}
	}
}

// Below lists the relations right below one.
func Below(r Relation) []Relation {
	var out []Relation
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Type == relationType && !v.Field(i).IsNil() {
			out = append(out, v.Field(i).Interface().(Relation))
		}
	}
	return out
}

var relationType = reflect.TypeOf((*Relation)(nil)).Elem()
