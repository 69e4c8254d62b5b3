package feature

import (
	"embed"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// StopWordsRemover leaves out words that say little.
type StopWordsRemover struct{ ml.Base }

//go:embed stopwords/*.txt
var stopWordFiles embed.FS

var stopWordsSpec = ml.Register(&ml.Spec{Class: pkg + "StopWordsRemover", Kind: ml.KindTransformer,
	Params: []ml.Param{ml.InputColParam(), ml.OutputColParam(), ml.InputColsParam(), ml.OutputColsParam(),
		{Name: "caseSensitive", Doc: "whether to do a case sensitive comparison over the stop words", Type: ml.ParamBool, Default: false},
		{Name: "locale", Doc: "locale of the input. ignored when case sensitive is true", Type: ml.ParamString, Default: "en_US"},
		{Name: "stopWords", Doc: "The words to be filtered out", Type: ml.ParamStringArray, Default: mustStopWords("english")}}})

func init() {
	stopWordsSpec.New = func(uid string, p *ml.Params) ml.Operator {
		return &StopWordsRemover{ml.NewBase(stopWordsSpec, uid, p)}
	}
}

// StopWords gives the default stop words of a language, for the clients' loadDefaultStopWords.
func StopWords(language string) ([]string, error) {
	b, err := stopWordFiles.ReadFile("stopwords/" + language + ".txt")
	if err != nil || strings.ContainsAny(language, "/.") {
		return nil, sparkerr.Require("%s is not in the supported language list: danish, dutch, english, finnish, french, german, hungarian, italian, norwegian, portuguese, russian, spanish, swedish, turkish.", language)
	}
	return strings.Split(strings.TrimRight(string(b), "\n"), "\n"), nil
}

func mustStopWords(language string) []string {
	words, err := StopWords(language)
	if err != nil {
		panic("feature: " + err.Error()) // embedded at build time
	}
	return words
}

func (t *StopWordsRemover) TransformSchema(in types.Struct) (types.Struct, error) {
	if err := checkSingleVsMulti(t, []string{"outputCol"}, []string{"outputCols"}); err != nil {
		return in, err
	}
	ins, outs := inOutCols(t)
	if len(ins) != len(outs) {
		return in, sparkerr.Require("StopWordsRemover %s has mismatched Params for multi-column transform. Params (inputCols, outputCols) should have equal lengths, but they have different lengths: (%d, %d).", t.UID(), len(ins), len(outs))
	}
	out := in
	for k, name := range ins {
		f, err := ml.Column(in, name)
		if err != nil {
			return in, err
		}
		if a, ok := f.Type.(types.Array); !ok || !isString(a.Elem) {
			return in, sparkerr.Require("Input type must be array<string> but got %s.", ml.CatalogString(f.Type))
		}
		if err := newColumn(in, outs[k]); err != nil {
			return in, err
		}
		out = ml.WithFields(out, listField(outs[k]))
	}
	return out, nil
}

func (t *StopWordsRemover) Bind(in types.Struct) (*ml.Transform, error) {
	out, err := t.TransformSchema(in)
	if err != nil {
		return nil, err
	}
	exact := t.Params().Bool("caseSensitive")
	stop := map[string]bool{}
	for _, w := range t.Params().Strings("stopWords") {
		if !exact {
			w = strings.ToLower(w)
		}
		stop[w] = true
	}
	ins, outs := inOutCols(t)
	one := perList("StopWordsRemover", &t.Base, func(words []string) []string {
		return slices.DeleteFunc(words, func(w string) bool {
			if !exact {
				w = strings.ToLower(w)
			}
			return stop[w]
		})
	})
	if len(ins) == 1 {
		one.Inputs, one.Outputs = ins, []types.Field{out.Fields[out.Index(outs[0])]}
		return one, nil
	}
	return eachColumn(one, ins, outs), nil
}
