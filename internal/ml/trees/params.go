// Package trees is what Spark ML's tree learners share: their parameters, how a frame becomes
// binned training data, models of one tree or many, their text, their files. The estimators
// themselves lie in regression and classification, one to a file; the growing is done by
// kernel/tree. It never sees a plan or a connection.
package trees

import (
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/kernel/tree"
	"github.com/millpond/millpond/internal/ml"
)

// Common are the parameters of every tree learner. impurities are those it may use, the first
// being the default.
func Common(class string, impurity string, impurities ...string) []ml.Param {
	return []ml.Param{
		{Name: "cacheNodeIds", Doc: "If false, the algorithm will pass trees to executors to match instances with nodes. If true, the algorithm will cache node IDs for each instance. Caching can speed up training of deeper trees.", Type: ml.ParamBool, Default: false},
		{Name: "checkpointInterval", Doc: "set checkpoint interval (>= 1) or disable checkpoint (-1). E.g. 10 means that the cache will get checkpointed every 10 iterations. Note: this setting will be ignored if the checkpoint directory is not set in the SparkContext", Type: ml.ParamInt, Default: 10,
			Check: func(v any) bool { n := v.(int); return n == -1 || n >= 1 }},
		ml.FeaturesColParam(),
		{Name: "impurity", Doc: "Criterion used for information gain calculation (case-insensitive). Supported options: " + strings.Join(impurities, ", "), Type: ml.ParamString, Default: impurity, Check: lowerOneOf(impurities...)},
		ml.LabelColParam(),
		{Name: "leafCol", Doc: "Leaf indices column name. Predicted leaf index of each instance in each tree by preorder", Type: ml.ParamString, Default: ""},
		{Name: "maxBins", Doc: "Max number of bins for discretizing continuous features.  Must be at least 2 and at least number of categories for any categorical feature.", Type: ml.ParamInt, Default: 32, Check: ml.IntAtLeast(2)},
		{Name: "maxDepth", Doc: "Maximum depth of the tree. (Nonnegative) E.g., depth 0 means 1 leaf node; depth 1 means 1 internal node + 2 leaf nodes. Must be in range [0, 30].", Type: ml.ParamInt, Default: 5,
			Check: func(v any) bool { n := v.(int); return n >= 0 && n <= 30 }},
		{Name: "maxMemoryInMB", Doc: "Maximum memory in MB allocated to histogram aggregation.", Type: ml.ParamInt, Default: 256, Check: ml.IntAtLeast(0)},
		{Name: "minInfoGain", Doc: "Minimum information gain for a split to be considered at a tree node.", Type: ml.ParamDouble, Default: 0.0, Check: ml.AtLeast(0)},
		{Name: "minInstancesPerNode", Doc: "Minimum number of instances each child must have after split.  If a split causes the left or right child to have fewer than minInstancesPerNode, the split will be discarded as invalid. Must be at least 1.", Type: ml.ParamInt, Default: 1, Check: ml.IntAtLeast(1)},
		{Name: "minWeightFractionPerNode", Doc: "Minimum fraction of the weighted sample count that each child must have after split. If a split causes the fraction of the total weight in the left or right child to be less than minWeightFractionPerNode, the split will be discarded as invalid. Should be in interval [0.0, 0.5)", Type: ml.ParamDouble, Default: 0.0,
			Check: func(v any) bool { f := v.(float64); return f >= 0 && f < 0.5 }},
		ml.PredictionColParam(), ml.SeedParam(class), ml.WeightColParam(),
	}
}

// Sampled are the parameters of learners of many trees; subset is the default strategy.
func Sampled(subset string) []ml.Param {
	return []ml.Param{
		{Name: "featureSubsetStrategy", Doc: "The number of features to consider for splits at each tree node. Supported options: auto, all, onethird, sqrt, log2, (0.0-1.0], [1-n].", Type: ml.ParamString, Default: subset, Check: validSubset},
		{Name: "subsamplingRate", Doc: "Fraction of the training data used for learning each decision tree, in range (0, 1].", Type: ml.ParamDouble, Default: 1.0,
			Check: func(v any) bool { f := v.(float64); return f > 0 && f <= 1 }},
	}
}

// Forest are a random forest's own parameters.
func Forest() []ml.Param {
	return append(Sampled("auto"),
		ml.Param{Name: "bootstrap", Doc: "Whether bootstrap samples are used when building trees.", Type: ml.ParamBool, Default: true},
		ml.Param{Name: "numTrees", Doc: "Number of trees to train (at least 1)", Type: ml.ParamInt, Default: 20, Check: ml.IntAtLeast(1)})
}

// Boosted are gradient boosting's own parameters; losses are those it may use, the first being
// the default.
func Boosted(losses ...string) []ml.Param {
	return append(Sampled("all"),
		ml.Param{Name: "lossType", Doc: "Loss function which GBT tries to minimize (case-insensitive). Supported options: " + strings.Join(losses, ", "), Type: ml.ParamString, Default: losses[0], Check: lowerOneOf(losses...)},
		ml.MaxIterParam(20),
		ml.Param{Name: "stepSize", Doc: "Step size (a.k.a. learning rate) in interval (0, 1] for shrinking the contribution of each estimator.", Type: ml.ParamDouble, Default: 0.1,
			Check: func(v any) bool { f := v.(float64); return f > 0 && f <= 1 }},
		ml.Param{Name: "validationIndicatorCol", Doc: "name of the column that indicates whether each row is for training or for validation. False indicates training; true indicates validation.", Type: ml.ParamString},
		ml.Param{Name: "validationTol", Doc: "Threshold for stopping early when fit with validation is used.If the error rate on the validation input changes by less than the validationTol,then learning will stop early (before `maxIter`).This parameter is ignored when fit without validation is used.", Type: ml.ParamDouble, Default: 0.01, Check: ml.AtLeast(0)})
}

// Classifier are the parameters of classifiers.
func Classifier() []ml.Param {
	return []ml.Param{ml.ProbabilityColParam(), ml.RawPredictionColParam(), ml.ThresholdsParam()}
}

// PruneTree says whether equal sibling leaves are merged.
func PruneTree() ml.Param {
	return ml.Param{Name: "pruneTree", Doc: "If true, the trained tree will undergo a pruning process after training, in which sibling leaf nodes with the same prediction are merged into their parent. The resulting tree will be smaller and have faster predictions. Class probabilities remain available after pruning. If false, no pruning is applied after training.", Type: ml.ParamBool, Default: true}
}

func lowerOneOf(options ...string) func(any) bool {
	return func(v any) bool { return slices.Contains(options, strings.ToLower(v.(string))) }
}

func validSubset(v any) bool {
	s := strings.ToLower(v.(string))
	switch s {
	case "auto", "all", "onethird", "sqrt", "log2":
		return true
	}
	if n, err := strconv.Atoi(s); err == nil {
		return n > 0
	}
	f, err := strconv.ParseFloat(s, 64)
	return err == nil && f > 0 && f <= 1
}

// Settings turns parameters into what the kernel wants. classes is 0 for regression.
func Settings(p *ml.Params, features, classes, trees int) tree.Config {
	c := tree.Config{
		Classes: classes, MaxBins: p.Int("maxBins"), MaxDepth: p.Int("maxDepth"),
		MinInstances: p.Int("minInstancesPerNode"), MinWeightFraction: p.Double("minWeightFractionPerNode"),
		MinInfoGain: p.Double("minInfoGain"), Trees: trees, MemoryMB: p.Int("maxMemoryInMB"),
		KeepTwins: p.Spec().Param("pruneTree") != nil && !p.Bool("pruneTree"),
		Threads:   Threads(),
	}
	if classes > 0 {
		c.Impurity = tree.Gini
		if strings.EqualFold(p.String("impurity"), "entropy") {
			c.Impurity = tree.Entropy
		}
	}
	c.FeaturesPerNode = tree.FeaturesPerNode(strings.ToLower(p.String("featureSubsetStrategy")), features, trees, classes > 0)
	return c
}

// Threads is how many goroutines a fit may use.
func Threads() int { return runtime.GOMAXPROCS(0) }
