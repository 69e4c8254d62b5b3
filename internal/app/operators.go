package app

// The operators register themselves with package ml when they are imported.
import (
	_ "github.com/millpond/millpond/internal/ml/classification"
	_ "github.com/millpond/millpond/internal/ml/clustering"
	_ "github.com/millpond/millpond/internal/ml/evaluation"
	_ "github.com/millpond/millpond/internal/ml/feature"
	_ "github.com/millpond/millpond/internal/ml/regression"
)
