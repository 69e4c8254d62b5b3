package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/millpond/millpond/internal/runtime"
)

// What serve has unless it is set; clients in a runtime get the addresses.
const (
	defaultDataDir = "./millpond-data"
	defaultConnect = "127.0.0.1:15002"
	defaultHTTP    = "127.0.0.1:5000"
)

func runtimeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "runtime",
		Short: "Make and use Python environments with pyspark, MLflow and the usual learners",
		Long: `A runtime is a Python environment in which notebooks and Python functions run:
pyspark, MLflow, scikit-learn, XGBoost, LightGBM, Hyperopt, Optuna, pandas,
Jupyter, all in versions fixed by this program. Functions that clients send run
in the runtime that has the client's version of Python.

Runtimes are kept in ~/.local/share/millpond/runtimes, or where --runtimes-dir or
MILLPOND_RUNTIMES_DIR says.`,
		Args: cobra.NoArgs,
	}
	dir := c.PersistentFlags().String("runtimes-dir", "", "directory of the runtimes")
	store := func() (runtime.Store, error) { return runtimes(*dir) }
	c.AddCommand(runtimeCreateCommand(store), runtimeListCommand(store), runtimeRunCommand(store))
	return c
}

// runtimes gives the runtimes of a directory: the named one, the environment's, the default one.
func runtimes(dir string) (runtime.Store, error) {
	if dir == "" {
		dir = os.Getenv("MILLPOND_RUNTIMES_DIR")
	}
	if dir == "" {
		def, err := runtime.DefaultDir()
		return runtime.Store{Dir: def}, err
	}
	abs, err := filepath.Abs(dir)
	return runtime.Store{Dir: abs}, err
}

type storeFunc func() (runtime.Store, error)

func runtimeCreateCommand(store storeFunc) *cobra.Command {
	var o runtime.CreateOptions
	c := &cobra.Command{
		Use:   "create [NAME]",
		Short: "Make a runtime, or bring one up to date",
		Long: `Make a runtime called NAME (default: "default"). With uv on the PATH it takes
about a minute, without it uv is installed into the runtime first. A runtime that is
there and current is left alone; one that was made by another version of this
program is made anew, and stays as it was if that fails.`,
		Example: `  millpond runtime create
  millpond runtime create py312 --python python3.12`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := store()
			if err != nil {
				return err
			}
			if len(args) > 0 {
				o.Name = args[0]
			}
			o.Progress = c.ErrOrStderr()
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			r, made, err := s.Create(ctx, o)
			if err != nil {
				return err
			}
			if !made {
				fmt.Fprintf(c.ErrOrStderr(), "runtime %s is current (--force makes it anew)\n", r.Name)
			}
			fmt.Fprintln(c.OutOrStdout(), r.Path)
			return nil
		},
	}
	c.Flags().StringVar(&o.Python, "python", "", "Python to make it with, such as python3.12 (default: python3)")
	c.Flags().BoolVar(&o.Force, "force", false, "make it anew though it is current")
	return c
}

func runtimeListCommand(store storeFunc) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the runtimes", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := store()
			if err != nil {
				return err
			}
			list, damaged := s.List()
			if asJSON {
				if list == nil {
					list = []runtime.Runtime{}
				}
				return errors.Join(printJSON(c.OutOrStdout(), list), damaged)
			}
			if len(list) == 0 && damaged == nil {
				fmt.Fprintf(c.ErrOrStderr(), "no runtimes in %s; `millpond runtime create` makes one\n", s.Dir)
				return nil
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tPYTHON\tPYSPARK\tMLFLOW\tCURRENT\tPATH")
			for _, r := range list {
				current := "yes"
				if !r.Current {
					current = "no: millpond runtime create " + r.Name
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.Python, r.PySpark, r.MLflow, current, r.Path)
			}
			return errors.Join(w.Flush(), damaged)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func runtimeRunCommand(store storeFunc) *cobra.Command {
	return &cobra.Command{
		Use:   "run [NAME] -- COMMAND [ARG...]",
		Short: "Run a command in a runtime",
		Long: `Run a command in a runtime: its programs come first on the PATH, and SPARK_REMOTE
and MLFLOW_TRACKING_URI lead to the server at its default addresses unless they are
set. The command takes this process's place, so signals and the exit code are its own.`,
		Example: `  millpond runtime run -- python my_notebook.py
  millpond runtime run py312 -- jupyter lab`,
		RunE: func(c *cobra.Command, args []string) error {
			name, command, err := splitRun(args, c.ArgsLenAtDash())
			if err != nil {
				return err
			}
			s, err := store()
			if err != nil {
				return err
			}
			r, err := s.Get(name)
			if errors.Is(err, runtime.ErrNone) {
				return fmt.Errorf("%w; `millpond runtime create %s` makes it", err, name)
			}
			if err != nil {
				return err
			}
			env := runtimeEnv(r, os.Environ())
			program, err := inPath(command[0], filepath.Join(r.Path, "bin"))
			if err != nil {
				return err
			}
			return fmt.Errorf("run %s: %w", program, syscall.Exec(program, command, env))
		},
	}
}

// splitRun takes the runtime's name and the command apart; dash is where "--" was, -1 for nowhere.
func splitRun(args []string, dash int) (name string, command []string, err error) {
	switch dash {
	case 0:
		name, command = runtime.Default, args
	case 1:
		name, command = args[0], args[1:]
	default:
		return "", nil, errors.New("write it as: millpond runtime run [NAME] -- COMMAND")
	}
	if len(command) == 0 {
		return "", nil, errors.New("there is no command after --")
	}
	return name, command, nil
}

// runtimeEnv is the environment of a command in a runtime.
func runtimeEnv(r runtime.Runtime, env []string) []string {
	vars := map[string]string{}
	var order []string
	for _, e := range env {
		k, v, _ := strings.Cut(e, "=")
		if _, ok := vars[k]; !ok {
			order = append(order, k)
		}
		vars[k] = v
	}
	set := func(k, v string, always bool) {
		old, ok := vars[k]
		if !ok {
			order = append(order, k)
		}
		if always || old == "" {
			vars[k] = v
		}
	}
	set("PATH", filepath.Join(r.Path, "bin")+string(os.PathListSeparator)+vars["PATH"], true)
	set("VIRTUAL_ENV", r.Path, true)
	set("SPARK_REMOTE", "sc://"+defaultConnect, false)
	set("MLFLOW_TRACKING_URI", "http://"+defaultHTTP, false)
	out := make([]string, 0, len(order))
	for _, k := range order {
		if k != "PYTHONHOME" { // it would lead the environment's Python to another one's modules
			out = append(out, k+"="+vars[k])
		}
	}
	return out
}

// inPath finds a program as a shell with dir first on its PATH would.
func inPath(name, dir string) (string, error) {
	if !strings.ContainsRune(name, filepath.Separator) {
		if p, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return p, nil
		}
	}
	p, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("run %s: %w", name, err)
	}
	return filepath.Abs(p)
}
