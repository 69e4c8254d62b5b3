package doctor

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func checkDataDir(_ context.Context, e *exam) Finding {
	dir, err := filepath.Abs(e.DataDir)
	if err != nil {
		return Finding{Status: Missing, Text: err.Error()}
	}
	elsewhere := "millpond serve --data-dir ~/millpond-data"
	place, err := existing(dir)
	if err != nil {
		return Finding{Status: Missing, Text: err.Error(), Mend: elsewhere}
	}
	f, err := os.CreateTemp(place, ".millpond-doctor-*")
	if err != nil {
		return Finding{Status: Missing, Text: place + " cannot be written to", Mend: elsewhere}
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return Finding{Status: Missing, Text: err.Error(), Mend: elsewhere}
	}
	if place != dir {
		return Finding{Status: OK, Text: dir + ", to be made"}
	}
	text, err := os.ReadFile(filepath.Join(dir, "VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return Finding{Status: OK, Text: dir}
	}
	if err != nil {
		return Finding{Status: Missing, Text: err.Error(), Mend: elsewhere}
	}
	first, _, _ := strings.Cut(string(text), "\n")
	n, err := strconv.Atoi(strings.TrimSpace(first))
	switch {
	case err != nil:
		return Finding{Status: Missing, Text: fmt.Sprintf("%s is damaged: its file VERSION begins with %q", dir, first), Mend: elsewhere}
	case n > e.Layout:
		return Finding{Status: Missing, Text: fmt.Sprintf("%s belongs to a newer millpond (layout %d, this program knows %d)", dir, n, e.Layout), Mend: elsewhere}
	}
	return Finding{Status: OK, Text: fmt.Sprintf("%s, layout %d", dir, n)}
}

// existing gives the nearest directory above a path, or the path itself, that is there.
func existing(path string) (string, error) {
	for p := path; ; p = filepath.Dir(p) {
		info, err := os.Stat(p)
		if err == nil && !info.IsDir() {
			return "", fmt.Errorf("%s is no directory", p)
		}
		if err == nil {
			return p, nil
		}
		if !errors.Is(err, os.ErrNotExist) || p == filepath.Dir(p) {
			return "", err
		}
	}
}

const gib = 1 << 30

func checkDisk(_ context.Context, e *exam) Finding {
	dir, err := filepath.Abs(e.DataDir)
	if err == nil {
		dir, err = existing(dir)
	}
	if err != nil {
		return Finding{Status: Note, Text: err.Error()}
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return Finding{Status: Note, Text: "the free space is not known: " + err.Error()}
	}
	free := float64(s.Bavail) * float64(s.Bsize) / gib
	text := fmt.Sprintf("%.1f GiB free for %s", free, dir)
	mend := "millpond serve --data-dir PATH, on a larger disk"
	switch {
	case free < 0.5:
		return Finding{Status: Missing, Text: text, Mend: mend}
	case free < 5:
		return Finding{Status: Note, Text: text + "; queries that outgrow memory need some", Mend: mend}
	}
	return Finding{Status: OK, Text: text}
}

// server is what a running millpond says of itself.
type server struct {
	Version string `json:"version"`
	Connect string `json:"connect"`
}

// ask gives the millpond that listens at an address, if one does.
func ask(ctx context.Context, addr string) (server, bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/api/millpond/version", nil)
	if err != nil {
		return server{}, false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return server{}, false
	}
	defer resp.Body.Close()
	var s server
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&s); err != nil {
		return server{}, false
	}
	return s, s.Version != ""
}

func checkHTTP(ctx context.Context, e *exam) Finding {
	return checkPort(ctx, e, e.HTTP, "--http", func(server) bool { return true })
}

func checkConnect(ctx context.Context, e *exam) Finding {
	return checkPort(ctx, e, e.Connect, "--connect", func(s server) bool { return samePort(s.Connect, e.Connect) })
}

// checkPort looks whether an address is free, or taken by a millpond.
func checkPort(ctx context.Context, e *exam, addr, flag string, isIt func(server) bool) Finding {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		_ = l.Close() // nothing was sent
		return Finding{Status: OK, Text: addr + " is free"}
	}
	if s, ok := ask(ctx, e.HTTP); ok && isIt(s) {
		return Finding{Status: OK, Text: fmt.Sprintf("%s: millpond %s is running there", addr, s.Version)}
	}
	text := addr + " is taken by another program"
	if !errors.Is(err, syscall.EADDRINUSE) {
		text = err.Error()
	}
	return Finding{Status: Missing, Text: text, Mend: fmt.Sprintf("millpond serve %s %s", flag, freeAddress(addr))}
}

func samePort(a, b string) bool {
	_, p, err1 := net.SplitHostPort(a)
	_, q, err2 := net.SplitHostPort(b)
	return err1 == nil && err2 == nil && p == q
}

// freeAddress gives an address near a taken one that is free now.
func freeAddress(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	n, aerr := strconv.Atoi(port)
	if err == nil && aerr == nil {
		for k := n + 1; k < min(n+100, 1<<16); k++ {
			near := net.JoinHostPort(host, strconv.Itoa(k))
			if l, err := net.Listen("tcp", near); err == nil {
				_ = l.Close() // nothing was sent
				return near
			}
		}
	}
	return "127.0.0.1:0"
}

func checkMemory(_ context.Context, _ *exam) Finding {
	cores := fmt.Sprintf("%d cores", goruntime.NumCPU())
	total, free, err := memory()
	if err != nil {
		return Finding{Status: OK, Text: cores}
	}
	text := fmt.Sprintf("%.1f GiB, %.1f free; %s", total, free, cores)
	if free < 1 {
		return Finding{Status: Note, Text: text, Mend: "millpond serve --memory 512MiB"}
	}
	return Finding{Status: OK, Text: text}
}

// memory gives the machine's memory in GiB, where the system has a file that tells.
func memory() (total, free float64, err error) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, 0, fmt.Errorf("read the memory's size: %w", err)
	}
	defer f.Close()
	values := map[string]*float64{"MemTotal:": &total, "MemAvailable:": &free}
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Fields(s.Text())
		if len(fields) < 2 || values[fields[0]] == nil {
			continue
		}
		kib, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			return 0, 0, fmt.Errorf("read the memory's size: %w", err)
		}
		*values[fields[0]] = kib / (1 << 20)
	}
	if total == 0 {
		return 0, 0, errors.New("the memory's size is not told")
	}
	return total, free, nil
}

func checkGit(ctx context.Context, _ *exam) Finding {
	v, err := versionOf(ctx, "git", "--version")
	if err != nil {
		return Finding{Status: Note, Text: "not there; MLflow notes the commit of runs with it", Mend: installer("git")}
	}
	return Finding{Status: OK, Text: strings.TrimPrefix(v, "git version ")}
}
