// Package app wires the packages together: configuration in, a running Millpond out. It is the
// only package that may import everything, and it decides nothing but who gets what.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"google.golang.org/grpc"

	"github.com/millpond/millpond/internal/access"
	"github.com/millpond/millpond/internal/artifact"
	"github.com/millpond/millpond/internal/connect"
	"github.com/millpond/millpond/internal/databricks"
	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/engine"
	"github.com/millpond/millpond/internal/evaluation"
	"github.com/millpond/millpond/internal/evidence"
	"github.com/millpond/millpond/internal/registry"
	"github.com/millpond/millpond/internal/rest"
	"github.com/millpond/millpond/internal/seal"
	"github.com/millpond/millpond/internal/trace"
	"github.com/millpond/millpond/internal/tracking"
	"github.com/millpond/millpond/internal/ui"
	"github.com/millpond/millpond/internal/webhook"
)

// Config is everything that can be set.
type Config struct {
	DataDir           string
	Store             string // address of the records, "" for a file in DataDir
	ArtifactRoot      string // s3://bucket/prefix of the artifacts, "" for a directory in DataDir
	Connect           string // address of Spark Connect, host:port
	HTTP              string // address of MLflow and the pages
	Python            string // the workers' Python, "" to find one
	RuntimesDir       string // of managed runtimes, "" for none
	CourseDir         string // the study course's content, "" for what is built in
	ClientFiles       string // directory below which Spark clients may copy files, "" for none
	Threads           int
	MemoryBytes       int64
	SessionIdle       time.Duration
	Version           string
	Logger            *slog.Logger
	Access            string // auto, on or off
	DefaultPermission string // on what has none of its own
	OIDC              access.OIDC
	// WebhooksPrivate lets webhooks go to loopback and private addresses.
	WebhooksPrivate bool
	// SecretKey seals secrets in the records; "" for the key of a file in DataDir.
	SecretKey string
}

// App is a running Millpond.
type App struct {
	cfg        Config
	log        *slog.Logger
	dir        *dataDir
	store      *db.DB
	files      *artifact.Store
	engine     *engine.Engine
	connect    *connect.Server
	grpc       *grpc.Server
	http       *http.Server
	ui         *ui.UI
	webhooks   *webhook.Service
	access     *access.Service // nil if everybody may do everything
	telemetry  *telemetry      // nil if nobody asked for traces
	heard      *evidence.Log   // what the sessions of labs do
	python     *engine.PythonWorkers
	warm       sync.Once
	ctx        context.Context // ends with the app
	cancel     context.CancelFunc
	background sync.WaitGroup
	lisRPC     net.Listener
	lisHTTP    net.Listener
}

// Open takes the addresses and the data directory and makes everything ready to serve.
func Open(ctx context.Context, cfg Config) (a *App, err error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	a = &App{cfg: cfg, log: cfg.Logger, heard: evidence.NewLog()}
	a.ctx, a.cancel = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			a.Close()
		}
	}()
	if a.lisRPC, err = listen("--connect", cfg.Connect); err != nil {
		return a, err
	}
	if a.lisHTTP, err = listen("--http", cfg.HTTP); err != nil {
		return a, err
	}
	if a.dir, err = openDataDir(cfg.DataDir, cfg.Version); err != nil {
		return a, err
	}
	if err = a.openStores(ctx); err != nil {
		return a, err
	}
	if a.telemetry, err = openTelemetry(ctx, cfg.Version); err != nil {
		return a, err
	}
	if err = a.openAccess(ctx); err != nil {
		return a, err
	}
	if err = a.openEngine(); err != nil {
		return a, err
	}
	return a, a.routes(ctx)
}

func (a *App) openStores(ctx context.Context) error {
	var err error
	if a.store, err = db.Open(ctx, recordsAddress(a.cfg.Store, a.dir.path), db.Options{Logger: a.log}); err != nil {
		return fmt.Errorf("open the record store: %w", err)
	}
	if a.cfg.ArtifactRoot != "" {
		a.files, err = artifact.OpenS3(ctx, a.cfg.ArtifactRoot)
	} else {
		a.files, err = artifact.Open(filepath.Join(a.dir.path, "artifacts"))
	}
	if err != nil {
		return fmt.Errorf("open the artifact store: %w", err)
	}
	return nil
}

// openAccess controls access if it is asked for, or if the server can be reached from elsewhere.
func (a *App) openAccess(ctx context.Context) error {
	switch a.cfg.Access {
	case "off":
		return nil
	case "", "auto":
		if access.IsLocal(a.cfg.Connect) && access.IsLocal(a.cfg.HTTP) {
			return nil
		}
	case "on":
	default:
		return fmt.Errorf("--access %q is none of auto, on, off", a.cfg.Access)
	}
	var err error
	if a.access, err = access.New(a.store, access.Options{Default: a.cfg.DefaultPermission, OIDC: a.cfg.OIDC, Logger: a.log}); err != nil {
		return fmt.Errorf("--default-permission: %w", err)
	}
	users, err := a.access.Users(ctx)
	if err != nil {
		return fmt.Errorf("read the users: %w", err)
	}
	if len(users) == 0 {
		a.log.Warn("access is controlled and there are no users yet: make one with `millpond user add NAME --admin` and a token with `millpond token create --user NAME`")
	}
	return nil
}

func (a *App) openEngine() error {
	var err error
	a.engine, err = engine.Open(engine.Options{DataDir: a.dir.path, Threads: a.cfg.Threads, MemoryBytes: a.cfg.MemoryBytes, TimeZone: localZone(), Python: a.openPython(), Evidence: a.heard})
	if err != nil {
		return fmt.Errorf("open the engine: %w", err)
	}
	a.connect = connect.New(a.engine, connect.Options{Logger: a.log, SessionIdle: a.cfg.SessionIdle, OnSession: a.warmPython, ClientFiles: a.cfg.ClientFiles})
	var options []grpc.ServerOption
	if a.access != nil {
		options = connect.Authenticate(a.access.Token)
	}
	if a.telemetry != nil {
		options = append(options, a.telemetry.grpc())
	}
	a.grpc = connect.GRPC(options...)
	a.connect.Register(a.grpc)
	return nil
}

func (a *App) routes(ctx context.Context) error {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	a.gauges(reg)
	pages := http.NewServeMux()
	options := rest.MuxOptions{Observer: rest.Prometheus(reg), Logger: a.log, Fallback: pages}
	if a.access != nil {
		options.Guard = a.access
	}
	if a.telemetry != nil {
		options.Observer = named(options.Observer)
	}
	mux := rest.NewMux(options)
	t, err := tracking.New(ctx, a.store, a.files, tracking.Options{})
	if err != nil {
		return fmt.Errorf("open tracking: %w", err)
	}
	t.Mount(mux)
	if err := a.openWebhooks(ctx); err != nil {
		return err
	}
	a.webhooks.Mount(mux)
	models := registry.New(a.store, t, registry.Options{Events: a.webhooks, Logger: a.log})
	models.Mount(mux)
	traces := trace.New(a.store, t, trace.Options{})
	traces.Mount(mux)
	evaluation.New(a.store, t, evaluation.Options{CheckFilter: trace.CheckFilter}).Mount(mux)
	var clients databricks.Clients
	if a.access != nil {
		clients = a.access
	}
	databricks.New(t, models, traces, a.files, clients).Mount(mux)
	if a.ui, err = ui.New(ui.Options{API: mux, Status: a.status, Storage: a.dir.size, Logger: a.log}); err != nil {
		return err
	}
	a.pages(pages, reg)
	handler, err := a.openLearn(mux)
	if err != nil {
		return err
	}
	if a.access != nil {
		a.access.Mount(mux)
		handler = a.access.Handler(handler)
	}
	if a.telemetry != nil {
		handler = a.telemetry.http(handler)
	}
	mux.Handle(rest.Raw("GET", "/api/millpond/openapi.json", "getAPI", mux.Document("Millpond", a.cfg.Version)))
	a.http = &http.Server{Handler: handler, ReadHeaderTimeout: 30 * time.Second, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn)}
	a.http.RegisterOnShutdown(t.StopListening)
	return nil
}

func (a *App) openWebhooks(ctx context.Context) error {
	secrets, err := seal.New(a.cfg.SecretKey, filepath.Join(a.dir.path, "secret.key"))
	if err != nil {
		return fmt.Errorf("--secret-key: %w", err)
	}
	a.webhooks = webhook.New(a.store, webhook.Options{AllowPrivate: a.cfg.WebhooksPrivate, Secrets: secrets, Logger: a.log})
	if err := a.webhooks.SealOld(ctx); err != nil {
		return fmt.Errorf("seal the secrets of webhooks: %w", err)
	}
	return nil
}

func listen(flag, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s (%s): %w; another server may be running there, choose another address with %s", addr, flag, err, flag)
	}
	return l, nil
}

// ConnectAddr and HTTPAddr are where the servers listen, ports filled in.
func (a *App) ConnectAddr() string { return a.lisRPC.Addr().String() }
func (a *App) HTTPAddr() string    { return a.lisHTTP.Addr().String() }

// Serve serves until ctx ends, then lets running work finish for a while.
func (a *App) Serve(ctx context.Context) error {
	failed := make(chan error, 2)
	go func() { failed <- a.grpc.Serve(a.lisRPC) }()
	go func() { failed <- a.http.Serve(a.lisHTTP) }()
	go a.connect.Expire(ctx)
	a.background.Go(func() { a.webhooks.Run(a.ctx) })
	if a.access != nil {
		a.background.Go(func() { a.access.Run(a.ctx) })
	}
	a.background.Go(func() { a.giveBack(a.ctx) })
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	a.log.Info("shutting down")
	return a.shutdown()
}

const graceTime = 10 * time.Second

func (a *App) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), graceTime)
	defer cancel()
	err := a.http.Shutdown(ctx)
	a.connect.Close() // interrupts what runs, so that streams end
	done := make(chan struct{})
	go func() { a.grpc.GracefulStop(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		a.grpc.Stop()
	}
	return errors.Join(err, a.Close())
}

// Close frees what Open took.
func (a *App) Close() error {
	var errs []error
	a.cancel()
	a.background.Wait() // it uses the records
	if a.connect != nil {
		a.connect.Close()
	}
	if a.engine != nil {
		a.engine.Close()
		a.engine = nil
	}
	if a.python != nil { // after the engine: its queries use the workers
		errs = append(errs, a.python.Close())
		a.python = nil
	}
	if a.files != nil {
		errs = append(errs, a.files.Close())
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	for _, l := range []net.Listener{a.lisRPC, a.lisHTTP} {
		if l != nil {
			_ = l.Close() // a second close of a served listener is not worth telling
		}
	}
	if a.telemetry != nil {
		if err := a.telemetry.close(); err != nil { // the receiver may be away: that is no failure of ours
			a.log.Warn("some traces could not be sent", "error", err)
		}
		a.telemetry = nil
	}
	if a.dir != nil {
		errs = append(errs, a.dir.close())
	}
	return errors.Join(errs...)
}

// localZone is the machine's time zone by name, as new sessions of Spark have it.
func localZone() string {
	if tz := os.Getenv("TZ"); tz != "" {
		if _, err := time.LoadLocation(tz); err == nil {
			return tz
		}
	}
	if link, err := filepath.EvalSymlinks("/etc/localtime"); err == nil {
		const mark = "zoneinfo/"
		for i := 0; i+len(mark) <= len(link); i++ {
			if link[i:i+len(mark)] == mark {
				if _, err := time.LoadLocation(link[i+len(mark):]); err == nil {
					return link[i+len(mark):]
				}
			}
		}
	}
	return "Etc/UTC"
}
