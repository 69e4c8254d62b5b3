package feature

import (
	"strings"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/types"
)

// NGram joins neighbouring words.
type NGram struct{ ml.Base }

var ngramSpec = ml.Register(&ml.Spec{Class: pkg + "NGram", Kind: ml.KindTransformer,
	Params: []ml.Param{ml.InputColParam(), ml.OutputColParam(),
		{Name: "n", Doc: "number of elements per n-gram (>=1)", Type: ml.ParamInt, Default: 2, Check: ml.IntAtLeast(1)}}})

func init() {
	ngramSpec.New = func(uid string, p *ml.Params) ml.Operator { return &NGram{ml.NewBase(ngramSpec, uid, p)} }
}

func (t *NGram) TransformSchema(in types.Struct) (types.Struct, error) {
	return checkStringList(&t.Base, in)
}

func (t *NGram) Bind(in types.Struct) (*ml.Transform, error) {
	if _, err := t.TransformSchema(in); err != nil {
		return nil, err
	}
	n := t.Params().Int("n")
	return perList("NGram", &t.Base, func(words []string) []string {
		var out []string
		for i := 0; i+n <= len(words); i++ {
			out = append(out, strings.Join(words[i:i+n], " "))
		}
		return out
	}), nil
}
