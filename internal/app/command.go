package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"github.com/millpond/millpond/internal/access"
)

// Command is the program's command line.
func Command(version string) *cobra.Command {
	root := &cobra.Command{
		Use:   "millpond",
		Short: "Spark, Spark ML and MLflow in one process",
		Long: `Millpond is a machine-learning workspace in one program. Start it with

    millpond serve

and use it with the clients you know: pyspark (sc://127.0.0.1:15002) and
mlflow (http://127.0.0.1:5000). No JVM, no cluster, no account.`,
		SilenceUsage: true, SilenceErrors: true, Version: version,
	}
	root.AddCommand(serveCommand(version), versionCommand(version), runtimeCommand(), doctorCommand(),
		userCommand(version), tokenCommand(version), gcCommand(), backupCommand(version), restoreCommand(), migrateCommand(version), learnCommand())
	return root
}

func versionCommand(version string) *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: cobra.NoArgs, Run: func(c *cobra.Command, _ []string) {
		fmt.Fprintln(c.OutOrStdout(), version)
	}}
}

func serveCommand(version string) *cobra.Command {
	v := viper.New()
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve Spark Connect and MLflow until stopped",
		Long: `Serve Spark Connect (gRPC) and MLflow's tracking and registry (HTTP).

Every flag can also be set in the environment (MILLPOND_DATA_DIR for --data-dir)
or in a YAML file (data-dir: ...) named by --config. A flag wins over the
environment, which wins over the file. The keys and the address of S3 are told
by the usual AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and
AWS_ENDPOINT_URL. Traces of the server's own requests are sent where
OTEL_EXPORTER_OTLP_ENDPOINT says, and nowhere without it.`,
		Example: `  millpond serve
  millpond serve --data-dir ~/millpond --connect 127.0.0.1:15102 --http 127.0.0.1:5100
  MILLPOND_STORE=postgres://me:secret@db.example/millpond millpond serve`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := readConfig(v); err != nil {
				return err
			}
			return serve(c.Context(), v, version)
		},
	}
	f := c.Flags()
	f.String("data-dir", defaultDataDir, "directory for records, artifacts and tables; made if absent")
	f.String("store", "", storeUsage)
	f.String("artifact-root", "", artifactRootUsage)
	f.String("connect", defaultConnect, "address of Spark Connect")
	f.String("http", defaultHTTP, "address of MLflow's REST API and the pages")
	f.String("python", "", "Python for UDFs (default: the managed runtime's, then python3)")
	f.String("runtimes-dir", "", "directory of the managed runtimes (default: ~/.local/share/millpond/runtimes)")
	f.String("course-dir", "", "directory of the study course's content, for its writers (default: the built-in course)")
	f.String("client-files", "", "directory below which spark.copyFromLocalToFs may write (default: none, as in Spark)")
	f.Int("threads", 0, "threads of the engine (default: one a core)")
	f.String("memory", "", "memory limit of the engine, such as 4GiB (default: 80% of the machine's)")
	f.Duration("session-idle", time.Hour, "end a Spark session after this long without requests")
	f.String("access", "auto", "on: users need tokens; off: everybody may do everything; auto: on unless both addresses are of this machine alone")
	f.String("default-permission", "READ", "what users may do with experiments and models on which they have no permission: NO_PERMISSIONS, READ, USE, EDIT or MANAGE")
	f.String("oidc-issuer", "", "OpenID provider by which people log in to the pages, https://...")
	f.String("oidc-client-id", "", "this server's name at the OpenID provider")
	f.String("oidc-client-secret", "", "its secret there; better set in the environment as MILLPOND_OIDC_CLIENT_SECRET")
	f.String("oidc-redirect-url", "", "where the provider sends people back (default: this server's address and /oidc/callback)")
	f.Bool("oidc-new-users", false, "make users of those whom the provider knows")
	f.Bool("webhooks-private", false, "let webhooks go to loopback and private addresses, and over plain HTTP")
	f.String("secret-key", "", "seals webhooks' secrets in the records: 32 bytes as base64 (default: secret.key in the data directory); better set in the environment as MILLPOND_SECRET_KEY or MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY")
	f.String("log-level", "info", "debug, info, warn or error")
	f.String("log-format", "text", "text or json")
	f.String("config", "", "YAML file with these settings")
	bindEnv(v, f)
	// MLflow's own name of the key does too.
	if err := v.BindEnv("secret-key", "MILLPOND_SECRET_KEY", "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"); err != nil {
		panic("app: flags do not bind: " + err.Error()) // a mistake in the program
	}
	return c
}

// bindEnv lets the environment set flags: MILLPOND_DATA_DIR for --data-dir.
func bindEnv(v *viper.Viper, f *pflag.FlagSet) {
	v.SetEnvPrefix("MILLPOND")
	v.SetEnvKeyReplacer(strings.NewReplacer("-", "_"))
	v.AutomaticEnv()
	if err := v.BindPFlags(f); err != nil {
		panic("app: flags do not bind: " + err.Error()) // a mistake in the program
	}
}

func readConfig(v *viper.Viper) error {
	file := v.GetString("config")
	if file == "" {
		return nil
	}
	v.SetConfigFile(file)
	v.SetConfigType("yaml")
	if err := v.ReadInConfig(); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	return nil
}

func logger(level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level %q is none of debug, info, warn, error", level)
	}
	o := &slog.HandlerOptions{Level: l}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(os.Stderr, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(os.Stderr, o)), nil
	}
	return nil, fmt.Errorf("--log-format %q is neither text nor json", format)
}

func serve(ctx context.Context, v *viper.Viper, version string) error {
	log, err := logger(v.GetString("log-level"), v.GetString("log-format"))
	if err != nil {
		return err
	}
	mem, err := byteSize(v.GetString("memory"))
	if err != nil {
		return err
	}
	managed, err := runtimes(v.GetString("runtimes-dir"))
	if err != nil {
		return err
	}
	clientFiles := v.GetString("client-files")
	if clientFiles != "" {
		if clientFiles, err = filepath.Abs(clientFiles); err != nil {
			return fmt.Errorf("--client-files: %w", err)
		}
	}
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	go tellStacks(ctx, os.Stderr)
	a, err := Open(ctx, Config{DataDir: v.GetString("data-dir"), Store: v.GetString("store"), ArtifactRoot: v.GetString("artifact-root"), Connect: v.GetString("connect"), HTTP: v.GetString("http"), Python: v.GetString("python"), RuntimesDir: managed.Dir, CourseDir: v.GetString("course-dir"), ClientFiles: clientFiles,
		Threads: v.GetInt("threads"), MemoryBytes: mem, SessionIdle: v.GetDuration("session-idle"), Version: version, Logger: log,
		WebhooksPrivate: v.GetBool("webhooks-private"), SecretKey: v.GetString("secret-key"), Access: v.GetString("access"), DefaultPermission: v.GetString("default-permission"),
		OIDC: access.OIDC{Issuer: v.GetString("oidc-issuer"), ClientID: v.GetString("oidc-client-id"), ClientSecret: v.GetString("oidc-client-secret"),
			RedirectURL: v.GetString("oidc-redirect-url"), NewUsers: v.GetBool("oidc-new-users")}})
	if err != nil {
		return err
	}
	log.Info("millpond is ready", "spark", "sc://"+a.ConnectAddr(), "mlflow", "http://"+a.HTTPAddr(), "data", a.dir.path, "store", a.store.Name())
	err = a.Serve(ctx)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// byteSize reads "512MiB", "4g", "1000000".
func byteSize(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	units := []struct {
		name string
		n    int64
	}{{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"kb", 1000}, {"mb", 1_000_000}, {"gb", 1_000_000_000}, {"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {"", 1}}
	low := strings.ToLower(strings.TrimSpace(s))
	for _, u := range units {
		body, ok := strings.CutSuffix(low, u.name)
		if !ok {
			continue
		}
		var n float64
		if _, err := fmt.Sscanf(strings.TrimSpace(body)+"\n", "%f\n", &n); err == nil && n > 0 {
			return int64(n * float64(u.n)), nil
		}
		break
	}
	return 0, fmt.Errorf("--memory %q is not a size such as 4GiB", s)
}
