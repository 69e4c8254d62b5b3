package engine

import (
	"context"
	"fmt"
	"os"

	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/ml/feature"
	"github.com/millpond/millpond/internal/ml/stat"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

// helperID is the object that clients call for what belongs to no model.
const helperID = "______ML_CONNECT_HELPER______"

// helper is a method of the helper object: how many arguments it takes, at least, and its work.
type helper struct {
	args int
	call func(ctx context.Context, s *Session, a arguments) (any, error)
}

// helpers are the methods of the helper object.
var helpers = map[string]helper{
	"handleOverwrite": {2, func(_ context.Context, s *Session, a arguments) (any, error) {
		return s.handleOverwrite(a.text(0), a.truth(1))
	}},
	"stopWordsRemoverLoadDefaultStopWords": {1, func(_ context.Context, _ *Session, a arguments) (any, error) {
		return feature.StopWords(a.text(0))
	}},
	"stopWordsRemoverGetDefaultOrUS": {0, func(context.Context, *Session, arguments) (any, error) { return "en_US", nil }},
	"stringIndexerModelFromLabels": {2, func(_ context.Context, s *Session, a arguments) (any, error) {
		return s.indexerFromLabels(a, [][]string{stringsOf(a[1])})
	}},
	"stringIndexerModelFromLabelsArray": {2, func(_ context.Context, s *Session, a arguments) (any, error) {
		var all [][]string
		list, _ := a[1].([]any)
		for _, l := range list {
			all = append(all, stringsOf(l))
		}
		return s.indexerFromLabels(a, all)
	}},
	"correlation": {3, func(ctx context.Context, _ *Session, a arguments) (any, error) {
		data, err := ml.Arg[ml.Frame]("correlation", a, 0)
		if err != nil {
			return nil, err
		}
		return stat.Correlation(ctx, data, a.text(1), a.text(2))
	}},
	"chiSquareTest": {4, func(ctx context.Context, _ *Session, a arguments) (any, error) {
		data, err := ml.Arg[ml.Frame]("chiSquareTest", a, 0)
		if err != nil {
			return nil, err
		}
		return stat.ChiSquareTest(ctx, data, a.text(1), a.text(2), a.truth(3))
	}},
	"kolmogorovSmirnovTest": {4, func(ctx context.Context, _ *Session, a arguments) (any, error) {
		data, err := ml.Arg[ml.Frame]("kolmogorovSmirnovTest", a, 0)
		if err != nil {
			return nil, err
		}
		return stat.KolmogorovSmirnovTest(ctx, data, a.text(1), a.text(2), numbersOf(a[3]))
	}},
}

// arguments are what a client gives to a helper.
type arguments []any

func (a arguments) text(i int) string { s, _ := a[i].(string); return s }
func (a arguments) truth(i int) bool  { b, _ := a[i].(bool); return b }

func numbersOf(v any) []float64 {
	switch v := v.(type) {
	case []float64:
		return v
	case []any:
		out := make([]float64, len(v))
		for i, x := range v {
			out[i], _ = x.(float64)
		}
		return out
	}
	return nil
}

func stringsOf(v any) []string {
	list, _ := v.([]any)
	out := make([]string, len(list))
	for i, x := range list {
		out[i], _ = x.(string)
	}
	return out
}

// indexerFromLabels makes a StringIndexerModel that was not fitted; a[0] is its uid.
func (s *Session) indexerFromLabels(a arguments, labels [][]string) (any, error) {
	spec, err := ml.Lookup("org.apache.spark.ml.feature.StringIndexerModel")
	if err != nil {
		return nil, err
	}
	id, err := s.models.add(feature.StringIndexerModelFromLabels(a.text(0), ml.NewParams(spec), labels))
	return ModelID(id), err
}

// helper calls a method of the helper object.
func (s *Session) helper(ctx context.Context, methods []plan.Method) (any, error) {
	if len(methods) != 1 {
		return nil, sparkerr.New(sparkerr.ClassSpark, "CONNECT_ML.UNSUPPORTED_EXCEPTION", "message", "the helper object takes one method")
	}
	m := methods[0]
	h, ok := helpers[m.Name]
	if !ok || len(m.Args) < h.args {
		return nil, sparkerr.New(sparkerr.ClassSpark, "CONNECT_ML.UNSUPPORTED_EXCEPTION", "message", m.Name+" is not supported by Millpond yet")
	}
	args, err := s.fetchArgs(ctx, m.Args)
	if err != nil {
		return nil, err
	}
	return h.call(ctx, s, args)
}

// handleOverwrite clears the way for saving to a path.
func (s *Session) handleOverwrite(path string, overwrite bool) (any, error) {
	local, err := localPath(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(local); err != nil {
		return true, nil
	}
	if !overwrite {
		return nil, sparkerr.Plain("java.io.IOException", "Path %s already exists. To overwrite it, please use write.overwrite().save(path) for Scala and use write().overwrite().save(path) for Java and Python.", path)
	}
	if err := os.RemoveAll(local); err != nil {
		return nil, fmt.Errorf("remove %s: %w", path, err)
	}
	return true, nil
}
