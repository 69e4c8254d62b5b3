package classification_test

import (
	"testing"

	_ "github.com/millpond/millpond/internal/ml/classification"
	"github.com/millpond/millpond/internal/ml/mltest"
)

func TestRecorded(t *testing.T) {
	mltest.Run(t, "LogisticRegression", mltest.Options{Rel: 1e-7, Abs: 1e-9,
		Known: map[string]string{"text label": "Spark Connect fails with less clear words, in its size estimate"}})
}
