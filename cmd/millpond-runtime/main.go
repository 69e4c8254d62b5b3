// Command millpond-runtime makes the managed runtime without the rest of the program. It is for
// building from source: it compiles in seconds, so that packages can be installed while the
// engine is compiled. Everyone else has `millpond runtime create`, which does the same.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/millpond/millpond/internal/runtime"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "millpond-runtime:", err)
		os.Exit(1)
	}
}

func run() error {
	var o runtime.CreateOptions
	dir := flag.String("runtimes-dir", os.Getenv("MILLPOND_RUNTIMES_DIR"), "directory of the runtimes")
	flag.StringVar(&o.Python, "python", "", "Python to make it with")
	flag.Parse()
	if *dir == "" {
		var err error
		if *dir, err = runtime.DefaultDir(); err != nil {
			return err
		}
	}
	o.Progress = os.Stderr
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, _, err := runtime.Store{Dir: *dir}.Create(ctx, o)
	if err != nil {
		return err
	}
	fmt.Printf("runtime %s: Python %s, pyspark %s\n", r.Name, r.Python, r.PySpark)
	return nil
}
