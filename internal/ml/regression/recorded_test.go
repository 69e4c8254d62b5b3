package regression_test

import (
	"testing"

	"github.com/millpond/millpond/internal/ml/mltest"
	_ "github.com/millpond/millpond/internal/ml/regression"
)

func TestRecorded(t *testing.T) {
	mltest.Run(t, "LinearRegression", mltest.Options{Rel: 1e-7, Abs: 1e-9,
		Known: map[string]string{"text features": "Spark Connect fails with less clear words, in its size estimate"}})
}
