package conformance

import (
	_ "github.com/millpond/millpond/internal/ml/clustering"
	_ "github.com/millpond/millpond/internal/ml/evaluation"
)
