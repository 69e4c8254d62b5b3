package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/millpond/millpond/internal/learn/terminal"
	"github.com/millpond/millpond/internal/runtime"
)

func learnCommand() *cobra.Command {
	return terminal.Command(terminal.Options{Server: "http://" + defaultHTTP, Python: labPython, Serve: serveBehind})
}

// labPython is the managed runtime's Python: it has the clients that labs need.
func labPython() (string, error) {
	s, err := runtimes("")
	if err != nil {
		return "", err
	}
	r, err := s.Get(runtime.Default)
	if errors.Is(err, runtime.ErrNone) {
		return "", errors.New("labs need Python with pyspark and MLflow; `millpond runtime create` makes it (a minute or two), or name yours with --python")
	}
	return r.Executable(), err
}

const startPatience = 30 * time.Second

// serveBehind starts a server that outlives this command, with the settings that serve has.
func serveBehind(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if err := os.MkdirAll(defaultDataDir, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	logFile := filepath.Join(defaultDataDir, "serve.log")
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("open the server's log: %w", err)
	}
	defer log.Close()
	c := exec.Command(self, "serve", "--data-dir", defaultDataDir)
	c.Stdout, c.Stderr, c.SysProcAttr = log, log, &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		return fmt.Errorf("start a server: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for deadline := time.Now().Add(startPatience); time.Now().Before(deadline); {
		select {
		case err := <-ended:
			return fmt.Errorf("the server ended (%w); %s says why", err, logFile)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
		if res, err := http.Get("http://" + defaultHTTP + "/health"); err == nil {
			res.Body.Close()
			fmt.Printf("A server runs (process %d); end it with: kill %d\n\n", c.Process.Pid, c.Process.Pid)
			return nil
		}
	}
	return fmt.Errorf("the server does not answer; %s says why", logFile)
}
