package plan

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"reflect"
	"sort"
)

// Fingerprinter gives relations texts that are equal when the relations are, the clients' plan
// ids aside. Expand replaces a relation whose meaning lies elsewhere (a view's name, a query's
// text) before it is read; it may be nil.
type Fingerprinter struct {
	Expand func(Relation) Relation
	seen   map[Relation]string
}

// Of gives a relation's fingerprint.
func (f *Fingerprinter) Of(r Relation) string {
	if s, ok := f.seen[r]; ok {
		return s
	}
	read := r
	if f.Expand != nil {
		read = f.Expand(r)
	}
	h := sha256.New()
	f.write(h, reflect.ValueOf(read).Elem())
	s := string(h.Sum(nil))
	if f.seen == nil {
		f.seen = map[Relation]string{}
	}
	f.seen[r] = s
	return s
}

// commonType and originType are what a relation or expression is called and where it stands, not
// what it is.
var commonType, originType = reflect.TypeOf(Common{}), reflect.TypeOf(Origin{})

func (f *Fingerprinter) write(h hash.Hash, v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			fmt.Fprint(h, "nil;")
			return
		}
		if r, ok := v.Interface().(Relation); ok {
			fmt.Fprintf(h, "R%s;", f.Of(r))
			return
		}
		f.write(h, v.Elem())
	case reflect.Struct:
		fmt.Fprintf(h, "%s{", v.Type())
		for i := range v.NumField() {
			if t := v.Type().Field(i); t.Type != commonType && t.Type != originType && t.IsExported() {
				f.write(h, v.Field(i))
			}
		}
		fmt.Fprint(h, "}")
	case reflect.Slice, reflect.Array:
		fmt.Fprintf(h, "[%d:", v.Len())
		if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
			h.Write(v.Bytes())
			return
		}
		for i := range v.Len() {
			f.write(h, v.Index(i))
		}
	case reflect.Map:
		keys := v.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
		for _, k := range keys {
			fmt.Fprintf(h, "%s=", k)
			f.write(h, v.MapIndex(k))
		}
	default:
		if v.CanInterface() {
			fmt.Fprintf(h, "%T:%v;", v.Interface(), v.Interface())
		}
	}
}
