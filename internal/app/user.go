package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	"github.com/millpond/millpond/internal/access"
)

// withAccess runs fn on the users of a data directory, beside a server that may be running.
func withAccess(c *cobra.Command, v *viper.Viper, version string, fn func(ctx context.Context, s *access.Service) error) (err error) {
	if err := ensureDataDir(v.GetString("data-dir"), version); err != nil {
		return err
	}
	st, err := openStores(c.Context(), v.GetString("data-dir"), v.GetString("store"), "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	s, err := access.New(st.db, access.Options{})
	if err != nil {
		return err
	}
	return fn(c.Context(), s)
}

// accessCommand makes a command that works on users.
func accessCommand(version string, c *cobra.Command, run func(ctx context.Context, s *access.Service, c *cobra.Command, args []string) error) *cobra.Command {
	v := viper.New()
	c.RunE = func(c *cobra.Command, args []string) error {
		return withAccess(c, v, version, func(ctx context.Context, s *access.Service) error { return run(ctx, s, c, args) })
	}
	c.Flags().String("data-dir", defaultDataDir, "the data directory of the server")
	c.Flags().String("store", "", storeUsage)
	bindEnv(v, c.Flags())
	return c
}

func userCommand(version string) *cobra.Command {
	c := &cobra.Command{Use: "user", Short: "Make, list and remove users", Args: cobra.NoArgs,
		Long: `Users are asked for where a server can be reached from other machines, or runs
with --access on. A user has tokens (millpond token create), and a password if one
is given. The server may be running.`}
	var admin, password bool
	add := accessCommand(version, &cobra.Command{Use: "add NAME", Short: "Make a user", Args: cobra.ExactArgs(1),
		Example: `  millpond user add alice --admin
  millpond user add bob@example.com --password-stdin < password.txt`},
		func(ctx context.Context, s *access.Service, c *cobra.Command, args []string) error {
			secret := ""
			if password {
				line, err := bufio.NewReader(c.InOrStdin()).ReadString('\n')
				if err != nil && !errors.Is(err, io.EOF) {
					return fmt.Errorf("read the password: %w", err)
				}
				if secret = strings.TrimRight(line, "\r\n"); secret == "" {
					return errors.New("there is no password on the standard input")
				}
			}
			_, err := s.AddUser(ctx, args[0], secret, admin)
			return err
		})
	add.Flags().BoolVar(&admin, "admin", false, "the user may do everything")
	add.Flags().BoolVar(&password, "password-stdin", false, "read a password from the standard input")
	var asJSON bool
	list := accessCommand(version, &cobra.Command{Use: "list", Short: "List the users", Args: cobra.NoArgs},
		func(ctx context.Context, s *access.Service, c *cobra.Command, _ []string) error {
			users, err := s.Users(ctx)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), users)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tADMIN\tTOKENS\tMADE")
			for _, u := range users {
				fmt.Fprintf(w, "%s\t%t\t%d\t%s\n", u.Name, u.Admin, u.Tokens, when(u.Created))
			}
			return w.Flush()
		})
	list.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	remove := accessCommand(version, &cobra.Command{Use: "remove NAME", Short: "Remove a user with all tokens and permissions", Args: cobra.ExactArgs(1)},
		func(ctx context.Context, s *access.Service, _ *cobra.Command, args []string) error {
			return s.RemoveUser(ctx, args[0])
		})
	c.AddCommand(add, list, remove)
	return c
}

func tokenCommand(version string) *cobra.Command {
	c := &cobra.Command{Use: "token", Short: "Make, list and revoke tokens", Args: cobra.NoArgs,
		Long: `A token stands for a user: MLFLOW_TRACKING_TOKEN for MLflow's clients,
DATABRICKS_TOKEN for Databricks', sc://host:port/;token=... for Spark Connect's.
It is shown once; only a hash of it is kept. The server may be running.`}
	var user, comment string
	var expires time.Duration
	create := accessCommand(version, &cobra.Command{Use: "create", Short: "Make a token and print it", Args: cobra.NoArgs,
		Example: `  export MLFLOW_TRACKING_TOKEN=$(millpond token create --user alice --expires 720h)`},
		func(ctx context.Context, s *access.Service, c *cobra.Command, _ []string) error {
			if user == "" {
				return errors.New("name the user with --user")
			}
			secret, _, err := s.NewToken(ctx, user, comment, expires)
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), secret)
			return nil
		})
	create.Flags().StringVar(&user, "user", "", "whose token (required)")
	create.Flags().StringVar(&comment, "comment", "", "what it is for")
	create.Flags().DurationVar(&expires, "expires", 0, "how long it lives (default: for ever)")
	var asJSON bool
	var of string
	list := accessCommand(version, &cobra.Command{Use: "list", Short: "List the tokens", Args: cobra.NoArgs},
		func(ctx context.Context, s *access.Service, c *cobra.Command, _ []string) error {
			tokens, err := s.Tokens(ctx, of)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), tokens)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "ID\tUSER\tCOMMENT\tMADE\tEXPIRES")
			for _, t := range tokens {
				fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", t.ID, t.User, t.Comment, when(t.CreationTime), when(t.ExpiryTime))
			}
			return w.Flush()
		})
	list.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	list.Flags().StringVar(&of, "user", "", "the tokens of this user alone")
	revoke := accessCommand(version, &cobra.Command{Use: "revoke ID", Short: "End a token at once", Args: cobra.ExactArgs(1)},
		func(ctx context.Context, s *access.Service, _ *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return fmt.Errorf("%q is no number of a token: see `millpond token list`", args[0])
			}
			return s.RevokeToken(ctx, id, "")
		})
	c.AddCommand(create, list, revoke)
	return c
}

// when is a time in milliseconds as a person reads it.
func when(ms int64) string {
	if ms < 0 {
		return "never"
	}
	return time.UnixMilli(ms).Format(time.DateTime)
}
