// Command millpond is a machine-learning workspace in one program: see `millpond --help`.
package main

import (
	"fmt"
	"os"

	"github.com/millpond/millpond/internal/app"
)

// version is stamped at build time.
var version = "dev"

func main() {
	if err := app.Command(version).Execute(); err != nil {
		if text := err.Error(); text != "" { // else the command has said it all
			fmt.Fprintln(os.Stderr, "millpond:", text)
		}
		os.Exit(1)
	}
}
