package filter

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Type says what an attribute holds and so which comparators it takes.
type Type int

// The types of attributes.
const (
	Text Type = iota
	Integer
)

// Attribute is a column that a search knows by name.
type Attribute struct {
	Column  string // what the compiler puts into SQL
	Type    Type
	List    bool // may stand left of IN
	NoOrder bool // may not stand in order_by
	Ops     []Op // overrides the comparators of the type
}

// Entity is a family of keys: metrics, params, tags, datasets.
type Entity struct {
	Name    string
	Numeric bool // values are numbers, as metrics are
	Ops     []Op
	List    bool                 // may stand left of IN
	Keys    map[string]Attribute // if not nil, the only keys there are
	// AnyNumber lets values be compared with unquoted numbers, as text.
	AnyNumber bool
}

// AttributeEntity is the Entity name of resolved attributes.
const AttributeEntity = "attribute"

// Choice is the Entity name of a choice between conjunctions of terms.
const Choice = "choice"

// Grammar says what one kind of search can filter and order by.
type Grammar struct {
	Entities   map[string]*Entity // by every name a client may use
	Valid      []string           // the names listed in error messages
	Attributes map[string]Attribute
	// AttributeEntities are the names that may precede an attribute's.
	AttributeEntities []string
	// AnyNumber lets text attributes be compared with unquoted numbers.
	AnyNumber bool
}

// Common sets of comparators.
var (
	NumericOps = []Op{Gt, Ge, Ne, Eq, Lt, Le}
	TextOps    = []Op{Ne, Eq, Like, ILike}
	NullOps    = []Op{Ne, Eq, Like, ILike, IsNull, IsNotNull}
	ListOps    = []Op{Ne, Eq, Like, ILike, In, NotIn}
)

// Term is a comparison whose names have been resolved, or a choice.
type Term struct {
	Entity string   // Entity.Name, AttributeEntity, or Choice
	Any    [][]Term // of a choice: one of these conjunctions holds
	Key    string
	Attr   Attribute // of attributes and of entities with fixed keys
	Op     Op
	Number float64  // of numeric entities and attributes
	Int    int64    // of integer attributes, when Whole
	Whole  bool     // the number is an integer
	Text   string   // of text comparisons
	List   []string // of IN and NOT IN
}

// Order is an ordering whose names have been resolved.
type Order struct {
	Entity string
	Key    string
	Attr   Attribute
	Desc   bool
}

// Parse reads a filter and resolves it.
func (g *Grammar) Parse(text string) ([]Term, error) {
	f, err := Parse(text)
	if err != nil {
		return nil, err
	}
	return g.resolveAll(f)
}

func (g *Grammar) resolveAll(f Filter) ([]Term, error) {
	terms := make([]Term, 0, len(f))
	for _, c := range f {
		t := Term{Entity: Choice}
		var err error
		if c.Any == nil {
			t, err = g.resolve(c.Comparison)
		}
		for _, choice := range c.Any {
			var all []Term
			if all, err = g.resolveAll(choice); err != nil {
				break
			}
			t.Any = append(t.Any, all)
		}
		if err != nil {
			return nil, err
		}
		terms = append(terms, t)
	}
	return terms, nil
}

// ParseOrder reads orderings and resolves them; a field may be named once.
func (g *Grammar) ParseOrder(clauses []string) ([]Order, error) {
	var out []Order
	if len(clauses) > maxOrders {
		return nil, fmt.Errorf("Invalid order_by: more than %d clauses.", maxOrders)
	}
	for _, clause := range clauses {
		parsed, err := ParseOrder(clause)
		if err != nil {
			return nil, err
		}
		entity, attr, err := g.name(parsed.Entity, parsed.Key)
		if err != nil {
			return nil, err
		}
		o := Order{Entity: AttributeEntity, Key: parsed.Key, Attr: attr, Desc: parsed.Desc}
		if entity != nil {
			if entity.Keys != nil {
				return nil, fmt.Errorf("Invalid identifier type '%s'", entity.Name)
			}
			o.Entity = entity.Name
		} else if attr.NoOrder {
			return nil, fmt.Errorf("Invalid attribute key '%s' specified. Valid keys are %s", parsed.Key, g.keys(true))
		}
		for _, other := range out {
			if other.Entity == o.Entity && (other.Key == o.Key || o.Entity == AttributeEntity && other.Attr.Column == o.Attr.Column) {
				return nil, fmt.Errorf("`order_by` contains duplicate fields: %s", pyList(clauses))
			}
		}
		out = append(out, o)
	}
	return out, nil
}

// name finds what entity.key means: an entity (with its fixed key's attribute,
// if it has fixed keys), or, with a nil entity, an attribute.
func (g *Grammar) name(entity, key string) (*Entity, Attribute, error) {
	if entity == "" || slices.Contains(g.AttributeEntities, entity) {
		attr, ok := g.Attributes[key]
		if !ok {
			return nil, attr, fmt.Errorf("Invalid attribute key '%s' specified. Valid keys are %s", key, g.keys(false))
		}
		return nil, attr, nil
	}
	e := g.Entities[entity]
	if e == nil {
		return nil, Attribute{}, fmt.Errorf("Invalid entity type '%s'. Valid values are %s", entity, pyList(g.Valid))
	}
	if e.Keys == nil {
		return e, Attribute{}, nil
	}
	attr, ok := e.Keys[key]
	if !ok {
		return e, attr, fmt.Errorf("Invalid %s key '%s' specified. Valid keys are %s", e.Name, key, pyList(slices.Sorted(maps.Keys(e.Keys))))
	}
	return e, attr, nil
}

func (g *Grammar) resolve(c Comparison) (Term, error) {
	entity, attr, err := g.name(c.Entity, c.Key)
	if err != nil {
		return Term{}, err
	}
	t := Term{Entity: AttributeEntity, Key: c.Key, Attr: attr, Op: c.Op, Text: c.Value.Text, List: c.Value.List}
	if entity == nil {
		return t, g.attribute(&t, c)
	}
	t.Entity = entity.Name
	null := c.Op == IsNull || c.Op == IsNotNull
	switch {
	case null && !slices.Contains(entity.Ops, c.Op):
		return t, fmt.Errorf("IS NULL / IS NOT NULL is only supported for tags and params, not for '%s' '%s'", entity.Name, c.Key)
	case null:
		return t, nil
	case entity.Numeric && c.Value.Kind != Number:
		return t, fmt.Errorf("Expected numeric value type for %s. Found %s", entity.Name, c.Value)
	case entity.Numeric:
		err = t.number(c.Value.Text)
	case c.Value.Kind == List && !entity.List, c.Value.Kind == Number && !entity.AnyNumber:
		err = fmt.Errorf("Expected a quoted string value for %s (e.g. 'my-value'). Got value %s", entity.Name, c.Value)
	}
	if err == nil && !slices.Contains(entity.Ops, c.Op) {
		err = badOp(c.Op, entity.Ops)
	}
	return t, err
}

// attribute checks a comparison of an attribute and fills its value in.
func (g *Grammar) attribute(t *Term, c Comparison) error {
	if c.Op == IsNull || c.Op == IsNotNull {
		return fmt.Errorf("IS NULL / IS NOT NULL is only supported for tags and params, not for 'attribute' '%s'", c.Key)
	}
	ops := t.Attr.Ops
	if t.Attr.Type == Integer {
		if c.Value.Kind != Number {
			return fmt.Errorf("Expected numeric value type for numeric attribute: %s. Found %s", c.Key, c.Value)
		}
		if err := t.number(c.Value.Text); err != nil {
			return err
		}
		if ops == nil {
			ops = NumericOps
		}
	} else {
		switch {
		case c.Value.Kind == Number && !g.AnyNumber:
			return fmt.Errorf("Expected a quoted string value for attributes. Got value %s", c.Value)
		case c.Value.Kind == List && !t.Attr.List:
			return fmt.Errorf("Only %s attributes support comparison with a list of quoted string values.", g.listKeys())
		}
		if ops == nil {
			ops = TextOps
			if t.Attr.List {
				ops = ListOps
			}
		}
	}
	if !slices.Contains(ops, c.Op) {
		return badOp(c.Op, ops)
	}
	return nil
}

func (t *Term) number(text string) error {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		t.Int, t.Number, t.Whole = n, float64(n), true
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && f == 0 { // out of range reads as infinity, which compares well
		return fmt.Errorf("Expected a number. Found %s", text)
	}
	t.Number = f
	return nil
}

func badOp(op Op, ops []Op) error {
	return fmt.Errorf("Invalid comparator '%s' not one of %s", op, pyList(ops))
}

func (g *Grammar) keys(order bool) string {
	var keys []string
	for k, a := range g.Attributes {
		if !order || !a.NoOrder {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return pyList(keys)
}

func (g *Grammar) listKeys() string {
	var keys []string
	for k, a := range g.Attributes {
		if a.List {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return pyList(keys)
}

// pyList shows a list as MLflow's messages do.
func pyList[T ~string](items []T) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = "'" + string(s) + "'"
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
