package compile

import (
	"github.com/millpond/millpond/internal/function"
	"github.com/millpond/millpond/internal/types"
)

// TypeSQL names a Spark type in DuckDB's words.
func TypeSQL(t types.Type) string { return function.TypeSQL(t) }
