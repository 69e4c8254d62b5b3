// Package python holds the source of the pip package millpond, which managed runtimes install. It
// has the files and nothing else.
package python

import "embed"

// Files are the package's metadata and its modules under src/millpond.
//
//go:embed pyproject.toml src/millpond/*.py
var Files embed.FS
