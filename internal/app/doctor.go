package app

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	"github.com/millpond/millpond/internal/doctor"
)

// errUnwell makes the program exit with 1; what is wrong has been printed.
var errUnwell = errors.New("something that is needed is missing; see the commands above")

func doctorCommand() *cobra.Command {
	v := viper.New()
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look at this machine and say what is missing, and how to mend it",
		Long: `Look at Python and its packages, the managed runtimes, the data directory, the ports,
memory and disk, with the settings that serve would have. The exit code is 1 if
something is missing without which Millpond or its Python functions do not work.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			store, err := runtimes(v.GetString("runtimes-dir"))
			if err != nil {
				return err
			}
			found := doctor.Run(c.Context(), doctor.Options{DataDir: v.GetString("data-dir"), Layout: layoutVersion, Connect: v.GetString("connect"),
				HTTP: v.GetString("http"), Python: v.GetString("python"), Runtimes: store})
			if asJSON {
				err = printJSON(c.OutOrStdout(), found)
			} else {
				err = printFindings(c.OutOrStdout(), found)
			}
			if err == nil && !doctor.Healthy(found) {
				err = errUnwell
			}
			return err
		},
	}
	f := c.Flags()
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.String("data-dir", defaultDataDir, "the server's data directory")
	f.String("connect", defaultConnect, "the server's address of Spark Connect")
	f.String("http", defaultHTTP, "the server's address of MLflow")
	f.String("python", "", "the Python named to serve")
	f.String("runtimes-dir", "", "directory of the runtimes")
	bindEnv(v, f)
	return c
}

// printFindings prints a line a check, and below those that are not well how to mend them.
func printFindings(w io.Writer, list []doctor.Finding) error {
	var b strings.Builder
	for _, f := range list {
		fmt.Fprintf(&b, "%-8s %-15s %s\n", f.Status, f.Name, f.Text)
		if f.Mend != "" {
			fmt.Fprintf(&b, "%-8s %-15s   %s\n", "", "", f.Mend)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
