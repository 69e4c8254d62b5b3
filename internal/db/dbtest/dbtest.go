// Package dbtest gives tests a database of each kind.
//
// In comes a test; out comes the address of a new, empty database: a SQLite
// file, or a database of a PostgreSQL server that runs for these tests alone.
// A package that keeps records calls [OnPostgres] from one test, which runs all
// its tests again on PostgreSQL: each test then passes on both. Where
// PostgreSQL is not installed that test is skipped and says so. The package
// never opens a database.
package dbtest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
)

// onServer holds the socket-free address of the server in a run on PostgreSQL.
const onServer = "MILLPOND_TEST_POSTGRES"

// Address is that of a new database, which is SQLite's unless [OnPostgres] runs
// the test.
func Address(t testing.TB) string {
	t.Helper()
	if server := os.Getenv(onServer); server != "" {
		return newDatabase(t, server)
	}
	return filepath.Join(t.TempDir(), "odd ?#% name.db")
}

// IsPostgres reports whether the tests run on PostgreSQL.
func IsPostgres() bool { return os.Getenv(onServer) != "" }

// OnPostgres runs the package's tests again, on PostgreSQL.
func OnPostgres(t *testing.T) {
	t.Helper()
	if IsPostgres() {
		return // this is the second run
	}
	if testing.Short() {
		t.Skip("starts processes")
	}
	server := Postgres(t)
	args := []string{"-test.count=1", "-test.v", "-test.timeout=3m"}
	c := exec.CommandContext(t.Context(), os.Args[0], args...)
	c.Env = append(os.Environ(), onServer+"="+server)
	out, err := c.CombinedOutput()
	if err == nil && bytes.Contains(out, []byte("--- PASS")) {
		t.Logf("%d tests pass on PostgreSQL", bytes.Count(out, []byte("\n--- PASS")))
		return
	}
	t.Errorf("on PostgreSQL: %v\n%s", err, failures(string(out)))
}

// failures leaves out what passed.
func failures(out string) string {
	var kept []string
	for line := range strings.Lines(out) {
		trimmed := strings.TrimSpace(line)
		if !strings.HasPrefix(trimmed, "=== ") && !strings.HasPrefix(trimmed, "--- PASS") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// Postgres starts a server for the test and returns its address, without a
// database. It skips the test if PostgreSQL is not installed.
func Postgres(t testing.TB) string {
	t.Helper()
	bin := binaries(t)
	dir, err := os.MkdirTemp("", "millpond-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	who := unprivileged(t, dir)
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(t.Context(), filepath.Join(bin, "initdb"), "-D", data, "-U", "millpond", "--auth=trust", "--no-sync", "--locale=C.UTF-8", "--encoding=UTF8")
	initdb.SysProcAttr, initdb.Dir = who, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	port := freePort(t)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	// The server ends with the pipe to its shell, so also with a test that is killed.
	c := exec.Command("sh", "-c", `"$@" & server=$!; cat >/dev/null; kill -INT $server; wait $server`, "sh",
		filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(port), "-h", "127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=200", "-c", "log_min_messages=warning")
	c.SysProcAttr, c.Dir, c.Stdout, c.Stderr = who, dir, log, log
	stop, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop.Close()
		_ = c.Wait() // the shell's exit code says nothing
	})
	server := fmt.Sprintf("postgres://millpond@127.0.0.1:%d", port)
	awaitServer(t, server, log.Name())
	return server
}

// binaries is the directory of the newest PostgreSQL.
func binaries(t testing.TB) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is good
	if len(found) == 0 {
		if path, err := exec.LookPath("initdb"); err == nil {
			found = []string{path}
		}
	}
	if len(found) == 0 {
		t.Skip("PostgreSQL is not installed (Debian: apt-get install --no-install-recommends postgresql)")
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1])
}

// unprivileged gives the directory to a user that PostgreSQL agrees to run as.
func unprivileged(t testing.TB, dir string) *syscall.SysProcAttr {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		t.Skip("PostgreSQL does not run as root, and there is no user postgres or nobody")
	}
	uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
	if uerr != nil || gerr != nil {
		t.Fatalf("user %s has the ids %s, %s", u.Username, u.Uid, u.Gid)
	}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func awaitServer(t testing.TB, server, log string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		out, err := psql(t, server, "SELECT 1")
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(log)
			t.Fatalf("PostgreSQL does not start: %v\n%s\n%s", err, out, said)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func newDatabase(t testing.TB, server string) string {
	t.Helper()
	name := "t" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if out, err := psql(t, server, "CREATE DATABASE "+name+" STRATEGY file_copy"); err != nil {
		t.Fatalf("create database: %v\n%s", err, out)
	}
	return server + "/" + name
}

func psql(t testing.TB, server, command string) ([]byte, error) {
	t.Helper()
	c := exec.Command(filepath.Join(binaries(t), "psql"), "-X", "-q", server+"/postgres", "-c", command)
	c.Stdin = io.LimitReader(nil, 0)
	return c.CombinedOutput()
}
