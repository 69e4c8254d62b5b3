package feature

import (
	"context"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Tokenizer cuts strings at white space, in lower case.
type Tokenizer struct{ ml.Base }

// RegexTokenizer cuts strings at matches of a regular expression, or takes the matches.
type RegexTokenizer struct{ ml.Base }

var tokenizerSpec = ml.Register(&ml.Spec{Class: pkg + "Tokenizer", Kind: ml.KindTransformer,
	Params: []ml.Param{ml.InputColParam(), ml.OutputColParam()}})

var regexTokenizerSpec = ml.Register(&ml.Spec{Class: pkg + "RegexTokenizer", Kind: ml.KindTransformer,
	Params: []ml.Param{ml.InputColParam(), ml.OutputColParam(),
		{Name: "minTokenLength", Doc: "minimum token length (>= 0)", Type: ml.ParamInt, Default: 1, Check: ml.IntAtLeast(0)},
		{Name: "gaps", Doc: "whether regex splits on gaps (True) or matches tokens (False)", Type: ml.ParamBool, Default: true},
		{Name: "pattern", Doc: "regex pattern (Java dialect) used for tokenizing", Type: ml.ParamString, Default: `\s+`},
		{Name: "toLowercase", Doc: "whether to convert all characters to lowercase before tokenizing", Type: ml.ParamBool, Default: true}}})

func init() {
	tokenizerSpec.New = func(uid string, p *ml.Params) ml.Operator { return &Tokenizer{ml.NewBase(tokenizerSpec, uid, p)} }
	regexTokenizerSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &RegexTokenizer{ml.NewBase(regexTokenizerSpec, uid, p)}
	}
}

var stringList = types.Array{Elem: types.String, ContainsNull: true}

func listField(name string) types.Field {
	return types.Field{Name: name, Type: stringList, Nullable: true}
}

func tokenizerSchema(b *ml.Base, in types.Struct) (types.Struct, error) {
	inCol, outCol := b.InOut()
	f, err := ml.Column(in, inCol)
	if err != nil {
		return in, err
	}
	if !isString(f.Type) {
		return in, sparkerr.Require("Input type must be string type but got %s.", ml.CatalogString(f.Type))
	}
	if in.Index(outCol) >= 0 {
		return in, sparkerr.IllegalArgument("Output column %s already exists.", outCol)
	}
	return ml.WithFields(in, listField(outCol)), nil
}

// checkStringList demands a column of lists of strings.
func checkStringList(b *ml.Base, in types.Struct) (types.Struct, error) {
	inCol, outCol := b.InOut()
	f, err := ml.Column(in, inCol)
	if err != nil {
		return in, err
	}
	if a, ok := f.Type.(types.Array); !ok || !isString(a.Elem) {
		return in, sparkerr.Require("Input type must be array<string> but got %s.", ml.CatalogString(f.Type))
	}
	if in.Index(outCol) >= 0 {
		return in, sparkerr.IllegalArgument("Output column %s already exists.", outCol)
	}
	return ml.WithFields(in, listField(outCol)), nil
}

func (t *Tokenizer) TransformSchema(in types.Struct) (types.Struct, error) {
	return tokenizerSchema(&t.Base, in)
}

func (t *Tokenizer) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := t.TransformSchema(in); err != nil {
		return nil, err
	}
	return perString("Tokenizer", &t.Base, func(s string) []string { return javaSplit(strings.ToLower(s), spaceRuns) }), nil
}

// spaceRuns is Java's \s, one at a time: Spark's Tokenizer splits at each.
var spaceRuns = regexp.MustCompile(`[ \t\n\x0B\f\r]`)

// javaSplit is Java's String.split: empty strings at the end are dropped, and one at the start
// only if the match was empty.
func javaSplit(s string, re *regexp.Regexp) []string {
	var out []string
	at := 0
	for _, m := range re.FindAllStringIndex(s, -1) {
		if m[1] == 0 {
			continue
		}
		out = append(out, s[at:m[0]])
		at = m[1]
	}
	if at == 0 {
		return []string{s}
	}
	out = append(out, s[at:])
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// perString is a transform that makes a list of strings of each string.
func perString(class string, b *ml.Base, f func(string) []string) *ml.Transform {
	inCol, outCol := b.InOut()
	return &ml.Transform{Inputs: []string{inCol}, Outputs: []types.Field{listField(outCol)},
		Apply: func(ctx context.Context, cols []arrow.Array, n int) ([]arrow.Array, []bool, error) {
			text, err := textOf(cols[0])
			if err != nil {
				return nil, nil, err
			}
			return listColumn(ctx, n, func(i int) ([]string, error) {
				if cols[0].IsNull(i) {
					return nil, ml.UDFError(class, "(string) => array<string>", "java.lang.NullPointerException")
				}
				return f(text(i)), nil
			})
		}}
}

// perList is a transform that makes a list of strings of each list of strings.
func perList(class string, b *ml.Base, f func([]string) []string) *ml.Transform {
	inCol, outCol := b.InOut()
	return &ml.Transform{Inputs: []string{inCol}, Outputs: []types.Field{listField(outCol)},
		Apply: func(ctx context.Context, cols []arrow.Array, n int) ([]arrow.Array, []bool, error) {
			words, err := newLists(cols[0])
			if err != nil {
				return nil, nil, err
			}
			return listColumn(ctx, n, func(i int) ([]string, error) {
				if cols[0].IsNull(i) {
					return nil, ml.UDFError(class, "(array<string>) => array<string>", "java.lang.NullPointerException")
				}
				return f(words.row(i)), nil
			})
		}}
}

// eachColumn does to several columns what one does to one.
func eachColumn(one *ml.Transform, ins, outs []string) *ml.Transform {
	t := &ml.Transform{Inputs: ins}
	for _, name := range outs {
		t.Outputs = append(t.Outputs, listField(name))
	}
	t.Apply = func(ctx context.Context, cols []arrow.Array, n int) ([]arrow.Array, []bool, error) {
		result := make([]arrow.Array, len(cols))
		for k, a := range cols {
			out, _, err := one.Apply(ctx, []arrow.Array{a}, n)
			if err != nil {
				return nil, nil, err
			}
			result[k] = out[0]
		}
		return result, nil, ctx.Err()
	}
	return t
}

func listColumn(ctx context.Context, n int, row func(i int) ([]string, error)) ([]arrow.Array, []bool, error) {
	dt, err := types.ToArrow(stringList, "")
	if err != nil {
		return nil, nil, err
	}
	b := array.NewBuilder(memory.DefaultAllocator, dt).(*array.ListBuilder)
	vb := b.ValueBuilder().(*array.StringBuilder)
	for i := range n {
		list, err := row(i)
		if err != nil {
			return nil, nil, err
		}
		b.Append(true)
		for _, s := range list {
			vb.Append(s)
		}
	}
	return []arrow.Array{b.NewArray()}, nil, ctx.Err()
}

// lists reads a column of lists of strings.
type lists struct {
	list   *array.List
	values *array.String
	buf    []string
}

func newLists(a arrow.Array) (*lists, error) {
	l, ok := a.(*array.List)
	if ok {
		if v, ok := l.ListValues().(*array.String); ok {
			return &lists{list: l, values: v}, nil
		}
	}
	return nil, sparkerr.Require("Input type must be array<string> but got %s.", a.DataType())
}

// row gives a row's strings, which share the column's memory, until the next call. A null
// string is "null", as Java prints it.
func (l *lists) row(i int) []string {
	from, to := l.list.ValueOffsets(i)
	l.buf = l.buf[:0]
	for k := int(from); k < int(to); k++ {
		if l.values.IsNull(k) {
			l.buf = append(l.buf, "null")
		} else {
			l.buf = append(l.buf, l.values.Value(k))
		}
	}
	return l.buf
}

func (t *RegexTokenizer) TransformSchema(in types.Struct) (types.Struct, error) {
	return tokenizerSchema(&t.Base, in)
}

func (t *RegexTokenizer) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := t.TransformSchema(in); err != nil {
		return nil, err
	}
	p := t.Params()
	re, err := regexp.Compile(p.String("pattern"))
	if err != nil {
		return nil, sparkerr.Unsupported("the regular expression %q, which is in Java's dialect only,", p.String("pattern"))
	}
	shortest := p.Int("minTokenLength")
	return perString("RegexTokenizer", &t.Base, func(s string) []string {
		if p.Bool("toLowercase") {
			s = strings.ToLower(s)
		}
		var all []string
		if p.Bool("gaps") {
			all = javaSplit(s, re)
		} else {
			all = re.FindAllString(s, -1)
		}
		out := all[:0]
		for _, w := range all {
			if utf8.RuneCountInString(w) >= shortest {
				out = append(out, w)
			}
		}
		return out
	}), nil
}
