package feature_test

import (
	"testing"

	_ "github.com/millpond/millpond/internal/ml/feature"
	"github.com/millpond/millpond/internal/ml/mltest"
)

func TestRecorded(t *testing.T) {
	for _, class := range []string{"Imputer", "StringIndexer", "IndexToString", "OneHotEncoder", "VectorAssembler",
		"StandardScaler", "MinMaxScaler", "Bucketizer", "QuantileDiscretizer", "PCA", "MaxAbsScaler", "RobustScaler",
		"Normalizer", "ElementwiseProduct", "Binarizer", "VectorSlicer", "Tokenizer", "RegexTokenizer", "NGram", "IDF",
		"HashingTF", "StopWordsRemover", "VectorIndexer", "PolynomialExpansion", "Interaction"} {
		mltest.Run(t, class, mltest.Close)
	}
}
