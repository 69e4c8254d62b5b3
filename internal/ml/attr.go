package ml

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// AttrType says what values an attribute takes. The zero value is numeric, Spark's default.
type AttrType int

const (
	AttrNumeric AttrType = iota
	AttrNominal
	AttrBinary
	AttrUnresolved // nothing is known
)

// Attr describes one feature: what Spark keeps under "ml_attr" in a column's metadata. A nil
// pointer or slice says that the fact is not known.
type Attr struct {
	Type                    AttrType
	Name                    string // "" if it has none
	Ordinal                 *bool
	NumVals                 *int
	Vals                    []string
	Min, Max, Std, Sparsity *float64
}

// NumValues is the number of categories of a nominal or binary attribute, and whether it is known.
func (a Attr) NumValues() (int, bool) {
	switch {
	case a.Type == AttrBinary:
		return 2, true
	case a.Type != AttrNominal:
		return 0, false
	case a.NumVals != nil:
		return *a.NumVals, true
	}
	return len(a.Vals), a.Vals != nil
}

// attrJSON is an attribute as JSON; fields are in the order of their names, as Spark's clients
// print them.
type attrJSON struct {
	Idx      *int      `json:"idx,omitempty"`
	Max      *float64  `json:"max,omitempty"`
	Min      *float64  `json:"min,omitempty"`
	Name     *string   `json:"name,omitempty"`
	NumVals  *int      `json:"num_vals,omitempty"`
	Ord      *bool     `json:"ord,omitempty"`
	Sparsity *float64  `json:"sparsity,omitempty"`
	Std      *float64  `json:"std,omitempty"`
	Type     string    `json:"type,omitempty"`
	Vals     *[]string `json:"vals,omitempty"`
}

func (a Attr) toJSON(withType bool) attrJSON {
	j := attrJSON{Max: a.Max, Min: a.Min, NumVals: a.NumVals, Ord: a.Ordinal, Sparsity: a.Sparsity, Std: a.Std}
	if a.Name != "" {
		j.Name = &a.Name
	}
	if a.Vals != nil {
		j.Vals = &a.Vals
	}
	if withType {
		j.Type = map[AttrType]string{AttrNominal: "nominal", AttrBinary: "binary"}[a.Type]
	}
	return j
}

func (j attrJSON) attr(t AttrType) Attr {
	a := Attr{Type: t, Ordinal: j.Ord, NumVals: j.NumVals, Min: j.Min, Max: j.Max, Std: j.Std, Sparsity: j.Sparsity}
	if j.Name != nil {
		a.Name = *j.Name
	}
	if j.Vals != nil {
		if a.Vals = *j.Vals; a.Vals == nil {
			a.Vals = []string{}
		}
	}
	return a
}

// Metadata gives the column metadata that holds a, as JSON.
func (a Attr) Metadata() string {
	if a.Type == AttrUnresolved {
		return ""
	}
	return mlAttr(a.toJSON(true))
}

// mlAttr wraps v as {"ml_attr": v}.
func mlAttr(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(map[string]any{"ml_attr": v}); err != nil {
		panic("ml: column metadata that JSON cannot hold: " + err.Error()) // strings and finite numbers only
	}
	return string(bytes.TrimSpace(b.Bytes()))
}

// AttrOf reads the attribute of a numeric column; it has the column's name. A column that says
// nothing, or something that cannot be read, is AttrUnresolved.
func AttrOf(f types.Field) Attr {
	var m struct {
		Attr *attrJSON `json:"ml_attr"`
	}
	if f.Metadata == "" || json.Unmarshal([]byte(f.Metadata), &m) != nil || m.Attr == nil {
		return Attr{Type: AttrUnresolved}
	}
	t, ok := map[string]AttrType{"": AttrNumeric, "numeric": AttrNumeric, "nominal": AttrNominal, "binary": AttrBinary}[m.Attr.Type]
	if !ok {
		return Attr{Type: AttrUnresolved}
	}
	a := m.Attr.attr(t)
	a.Name = f.Name
	return a
}

// AttrGroup describes a vector column: its attributes (nil if unknown) and its size (-1 if unknown).
type AttrGroup struct {
	Attrs []Attr
	Size  int
}

// maxGroup bounds the size that a column's metadata may claim with attributes listed.
const maxGroup = 1 << 26

// GroupOf reads the attributes of a vector column. Metadata that cannot be read says nothing.
func GroupOf(f types.Field) AttrGroup {
	unknown := AttrGroup{Size: -1}
	var m struct {
		Group *struct {
			Attrs *struct {
				Numeric, Nominal, Binary []attrJSON
			} `json:"attrs"`
			NumAttrs *int `json:"num_attrs"`
		} `json:"ml_attr"`
	}
	if f.Metadata == "" || json.Unmarshal([]byte(f.Metadata), &m) != nil || m.Group == nil || m.Group.NumAttrs == nil {
		return unknown
	}
	n := *m.Group.NumAttrs
	if n < 0 || n > math.MaxInt32 {
		return unknown
	}
	if m.Group.Attrs == nil {
		return AttrGroup{Size: n}
	}
	if n > maxGroup {
		return unknown
	}
	g := AttrGroup{Attrs: make([]Attr, n), Size: n}
	for t, list := range map[AttrType][]attrJSON{AttrNumeric: m.Group.Attrs.Numeric,
		AttrNominal: m.Group.Attrs.Nominal, AttrBinary: m.Group.Attrs.Binary} {
		for _, j := range list {
			if j.Idx == nil || *j.Idx < 0 || *j.Idx >= n {
				return unknown
			}
			g.Attrs[*j.Idx] = j.attr(t)
		}
	}
	return g
}

// Metadata gives the column metadata that holds g, as JSON.
func (g AttrGroup) Metadata() string {
	if g.Attrs == nil {
		if g.Size < 0 {
			return mlAttr(struct{}{})
		}
		return mlAttr(map[string]int{"num_attrs": g.Size})
	}
	lists := map[string][]attrJSON{}
	for i, a := range g.Attrs {
		if a.Type == AttrUnresolved || a.Type == AttrNumeric && a.Name == "" && a.Min == nil && a.Max == nil &&
			a.Std == nil && a.Sparsity == nil {
			continue
		}
		j := a.toJSON(false)
		j.Idx = &i
		key := [...]string{"numeric", "nominal", "binary"}[a.Type]
		lists[key] = append(lists[key], j)
	}
	return mlAttr(map[string]any{"attrs": lists, "num_attrs": len(g.Attrs)})
}

// VectorField makes a vector column of known size without attributes, as most transformers do.
// A negative size makes one that tells nothing.
func VectorField(name string, size int) types.Field {
	f := types.Field{Name: name, Type: types.Vector, Nullable: true}
	if size >= 0 {
		f.Metadata = AttrGroup{Size: size}.Metadata()
	}
	return f
}

// PredictionField is the prediction column of a regressor, or of a classifier if numClasses > 0.
func PredictionField(name string, numClasses int) types.Field {
	a := Attr{}
	if numClasses > 0 {
		a = Attr{Type: AttrNominal, NumVals: &numClasses}
	}
	return types.Field{Name: name, Type: types.Double, Metadata: a.Metadata()}
}

// Arities gives the number of categories of each categorical feature of a vector column, by the
// feature's place; features not in the map are continuous.
func Arities(f types.Field) (map[int]int, error) {
	out := map[int]int{}
	for i, a := range GroupOf(f).Attrs {
		n, known := a.NumValues()
		switch {
		case a.Type == AttrNominal && !known:
			return nil, sparkerr.IllegalArgument("Feature %d is marked as Nominal (categorical), but it does not have the number of values specified.", i)
		case known:
			out[i] = n
		}
	}
	return out, nil
}

// NumClasses is the number of classes that a label column's metadata tells, 0 if none.
func NumClasses(f types.Field) int {
	n, _ := AttrOf(f).NumValues()
	return n
}

// FeatureNames gives the names of a vector column's features where known, "" elsewhere.
func FeatureNames(f types.Field) []string {
	g := GroupOf(f)
	out := make([]string, len(g.Attrs))
	for i, a := range g.Attrs {
		out[i] = a.Name
	}
	return out
}

// NumberNames are names "0", "1", ... for the values of a category that has none.
func NumberNames(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = strconv.Itoa(i)
	}
	return out
}

func (t AttrType) String() string {
	if t < 0 || t > AttrUnresolved {
		return fmt.Sprintf("AttrType(%d)", int(t))
	}
	return [...]string{"numeric", "nominal", "binary", "unresolved"}[t]
}
