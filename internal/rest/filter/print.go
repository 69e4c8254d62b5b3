package filter

import "strings"

// String prints the filter so that parsing it gives the same tree.
func (f Filter) String() string {
	parts := make([]string, len(f))
	for i, c := range f {
		parts[i] = c.String()
	}
	return strings.Join(parts, " AND ")
}

// String prints a comparison, or a choice in parentheses.
func (c Clause) String() string {
	if c.Any == nil {
		return c.Comparison.String()
	}
	choices := make([]string, len(c.Any))
	for i, f := range c.Any {
		choices[i] = f.String()
	}
	return "(" + strings.Join(choices, " OR ") + ")"
}

// String prints one comparison.
func (c Comparison) String() string {
	s := name(c.Entity, c.Key) + " " + string(c.Op)
	if c.Value.Kind == None {
		return s
	}
	return s + " " + c.Value.String()
}

// String prints the value as it is written in a filter.
func (v Value) String() string {
	switch v.Kind {
	case Number:
		return v.Text
	case String:
		return quote(v.Text, "'")
	case List:
		items := make([]string, len(v.List))
		for i, s := range v.List {
			items[i] = quote(s, "'")
		}
		return "(" + strings.Join(items, ", ") + ")"
	}
	return ""
}

// String prints the ordering so that parsing it gives the same ordering.
func (o Ordering) String() string {
	if o.Desc {
		return name(o.Entity, o.Key) + " DESC"
	}
	return name(o.Entity, o.Key) + " ASC"
}

func name(entity, key string) string {
	if entity == "" {
		return ident(key)
	}
	return ident(entity) + "." + ident(key)
}

// ident quotes a name unless it is one plain word.
func ident(s string) string {
	if s != "" && wordLength(s) == len(s) && !isDigit(s[0]) && !startsNumber(s) {
		return s
	}
	return quote(s, "`")
}

func quote(s, q string) string { return q + strings.ReplaceAll(s, q, q+q) + q }
