package ml

import "slices"

// The rows of parameters that many operators share, with Spark's documentation and defaults.

// InputColParam is the column to read.
func InputColParam() Param {
	return Param{Name: "inputCol", Doc: "input column name", Type: ParamString}
}

// OutputColParam is the column to make.
func OutputColParam() Param {
	return Param{Name: "outputCol", Doc: "output column name", Type: ParamString, Default: OutputSuffix}
}

// InputColsParam is the columns to read.
func InputColsParam() Param {
	return Param{Name: "inputCols", Doc: "input column names", Type: ParamStringArray}
}

// OutputColsParam is the columns to make.
func OutputColsParam() Param {
	return Param{Name: "outputCols", Doc: "output column names", Type: ParamStringArray}
}

// FeaturesColParam, LabelColParam, PredictionColParam and WeightColParam are the columns that
// predictors read and make.
func FeaturesColParam() Param {
	return Param{Name: "featuresCol", Doc: "features column name", Type: ParamString, Default: "features"}
}

func LabelColParam() Param {
	return Param{Name: "labelCol", Doc: "label column name", Type: ParamString, Default: "label"}
}

func PredictionColParam() Param {
	return Param{Name: "predictionCol", Doc: "prediction column name", Type: ParamString, Default: "prediction"}
}

func WeightColParam() Param {
	return Param{Name: "weightCol", Doc: "weight column name. If this is not set or empty, we treat all instance weights as 1.0", Type: ParamString}
}

// RawPredictionColParam, ProbabilityColParam and ThresholdsParam are a classifier's.
func RawPredictionColParam() Param {
	return Param{Name: "rawPredictionCol", Doc: "raw prediction (a.k.a. confidence) column name", Type: ParamString, Default: "rawPrediction"}
}

func ProbabilityColParam() Param {
	return Param{Name: "probabilityCol", Doc: "Column name for predicted class conditional probabilities. Note: Not all models output well-calibrated probability estimates! These probabilities should be treated as confidences, not precise probabilities", Type: ParamString, Default: "probability"}
}

func ThresholdsParam() Param {
	return Param{Name: "thresholds", Doc: "Thresholds in multi-class classification to adjust the probability of predicting each class. Array must have length equal to the number of classes, with values > 0 excepting that at most one value may be 0. The class with largest value p/t is predicted, where p is the original probability of that class and t is the class's threshold",
		Type: ParamDoubleArray, Check: func(v any) bool {
			zeros := 0
			for _, t := range v.([]float64) {
				if !(t >= 0) {
					return false
				}
				if t == 0 {
					zeros++
				}
			}
			return zeros <= 1
		}}
}

// MaxIterParam bounds the iterations of an optimizer.
func MaxIterParam(def int) Param {
	return Param{Name: "maxIter", Doc: "maximum number of iterations (>= 0)", Type: ParamInt, Default: def, Check: IntAtLeast(0)}
}

// TolParam is the convergence tolerance of an optimizer.
func TolParam(def float64) Param {
	return Param{Name: "tol", Doc: "the convergence tolerance for iterative algorithms (>= 0)", Type: ParamDouble, Default: def, Check: AtLeast(0)}
}

// SeedParam is the seed of a class's random numbers.
func SeedParam(class string) Param {
	return Param{Name: "seed", Doc: "random seed", Type: ParamLong, Default: SeedDefault(class)}
}

// HandleInvalidParam says what becomes of invalid rows: one of the options.
func HandleInvalidParam(doc, def string, options ...string) Param {
	return Param{Name: "handleInvalid", Doc: doc, Type: ParamString, Default: def, Check: OneOf(options...)}
}

// OneOf accepts the given strings.
func OneOf(options ...string) func(any) bool {
	return func(v any) bool { return slices.Contains(options, v.(string)) }
}

// AtLeast accepts doubles not below lo.
func AtLeast(lo float64) func(any) bool { return func(v any) bool { return v.(float64) >= lo } }

// MoreThan accepts doubles above lo.
func MoreThan(lo float64) func(any) bool { return func(v any) bool { return v.(float64) > lo } }

// InRange accepts doubles between lo and hi, both included.
func InRange(lo, hi float64) func(any) bool {
	return func(v any) bool { f := v.(float64); return f >= lo && f <= hi }
}

// IntAtLeast accepts whole numbers not below lo.
func IntAtLeast(lo int) func(any) bool { return func(v any) bool { return v.(int) >= lo } }
