package trees

import (
	"context"

	"github.com/millpond/millpond/internal/kernel/tree"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/progress"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// Schema checks an estimator's input and gives the schema with its model's output columns.
func Schema(in types.Struct, p *ml.Params, classifier bool) (types.Struct, error) {
	if err := CheckInput(in, p); err != nil {
		return in, err
	}
	var out []types.Field
	if classifier {
		for _, param := range []string{"rawPredictionCol", "probabilityCol"} {
			if name := p.String(param); name != "" {
				out = append(out, ml.VectorField(name, -1))
			}
		}
	}
	if name := p.String("predictionCol"); name != "" {
		out = append(out, ml.PredictionField(name, 0))
	}
	for _, param := range []string{"varianceCol", "leafCol"} {
		if name := p.String(param); name != "" {
			out = append(out, types.Field{Name: name, Type: types.Double})
		}
	}
	return AppendOutputs(in, p, out)
}

// Grow grows a single tree or a forest. bootstrap draws rows with replacement.
func Grow(ctx context.Context, t *Training, p *ml.Params, classes, numTrees int, bootstrap bool) ([]*tree.Tree, error) {
	c := Settings(p, len(t.Table.Columns), classes, numTrees)
	tasks := int64(numTrees) * int64(max(c.MaxDepth, 1)) // the levels of the trees
	stage := progress.Start(ctx, tasks)
	defer stage.End()
	done := int64(0)
	c.Worked = func(share float64) {
		if now := int64(share * float64(tasks)); now > done {
			stage.Add(now - done)
			done = now
		}
	}
	seed := p.Long("seed")
	var counts []uint8
	rate := 1.0
	if p.Spec().Param("subsamplingRate") != nil {
		rate = p.Double("subsamplingRate")
	}
	if bootstrap || rate < 1 {
		counts = t.Bag(numTrees, rate, bootstrap, seed)
	}
	g := tree.NewGrower(tree.Data{Table: t.Table, Weights: t.Weights}, c)
	return g.Grow(ctx, seed, t.Labels, counts)
}

// CheckThresholds demands a threshold for each class, if there are any.
func CheckThresholds(name string, p *ml.Params, classes int) error {
	if t := p.Doubles("thresholds"); p.IsDefined("thresholds") && len(t) != classes {
		return sparkerr.Require("%s.train() called with non-matching numClasses and thresholds.length. numClasses=%d, but thresholds has length %d", name, classes, len(t))
	}
	return nil
}

// Ones are the weights of trees that all count the same.
func Ones(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}
