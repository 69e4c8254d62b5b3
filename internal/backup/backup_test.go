package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millpond/millpond/internal/db"
)

// dataDir is a data directory with records and files; its database stays open.
func dataDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	for name, content := range map[string]string{"VERSION": "1\n", "LOCK": "", "artifacts/1/r/artifacts/odd ü #%.txt": "artifact", "artifacts/.uploads/u": "half",
		"warehouse/t/part.parquet": strings.Repeat("p", 100_000), "tmp/x": "passing", "empty": ""} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, err := db.Open(t.Context(), filepath.Join(dir, records), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	err = d.Write(t.Context(), func(ctx context.Context, q db.Querier) error {
		_, err := q.ExecContext(ctx, `INSERT INTO experiments (name, artifact_location, creation_time, last_update_time) VALUES ('kept', '', 0, 0)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestBackupAndRestore(t *testing.T) {
	dir := dataDir(t)
	file := filepath.Join(t.TempDir(), "b.tar.gz")
	m, err := Create(t.Context(), dir, file, Options{Version: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Files) != 5 {
		t.Errorf("holds %v", m.Files)
	}
	if _, err := Create(t.Context(), dir, file, Options{}); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("overwrote a backup: %v", err)
	}
	to := filepath.Join(t.TempDir(), "new", "data")
	if _, err := Restore(t.Context(), file, to, Options{}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"VERSION": "1\n", "artifacts/1/r/artifacts/odd ü #%.txt": "artifact", "empty": ""} {
		if got, err := os.ReadFile(filepath.Join(to, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"LOCK", "tmp", "artifacts/.uploads", manifestName} {
		if _, err := os.Stat(filepath.Join(to, name)); err == nil {
			t.Errorf("%s was restored", name)
		}
	}
	d, err := db.Open(t.Context(), filepath.Join(to, records), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var name string
	if err := d.Reader().QueryRowContext(t.Context(), `SELECT name FROM experiments`).Scan(&name); err != nil || name != "kept" {
		t.Errorf("%q, %v", name, err)
	}
}

func TestRestoreOverwritesOnlyByForce(t *testing.T) {
	dir := dataDir(t)
	file := filepath.Join(t.TempDir(), "b.tar.gz")
	if _, err := Create(t.Context(), dir, file, Options{}); err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	mine := filepath.Join(to, "mine")
	if err := os.WriteFile(mine, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), file, to, Options{}); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error("it is gone")
	}
	if _, err := Restore(t.Context(), file, to, Options{Force: true}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(mine); err == nil {
		t.Error("the old and the new are mixed")
	}
}

// TestDamagedBackupsChangeNothing damages a backup in every part and offers
// made-up ones.
func TestDamagedBackupsChangeNothing(t *testing.T) {
	dir := dataDir(t)
	file := filepath.Join(t.TempDir(), "b.tar.gz")
	made, err := Create(t.Context(), dir, file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	bad := map[string][]byte{"empty": nil, "text": []byte("no backup"), "no manifest": archive(t, &tar.Header{Name: "a", Typeflag: tar.TypeReg}),
		"climbs": archive(t, &tar.Header{Name: "../a", Typeflag: tar.TypeReg}), "absolute": archive(t, &tar.Header{Name: "/tmp/a", Typeflag: tar.TypeReg}),
		"link": archive(t, &tar.Header{Name: "a", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink})}
	for i := 1; i < 8; i++ {
		at := len(whole) * i / 8
		bad[fmt.Sprint("cut at ", at)] = whole[:at]
		flipped := bytes.Clone(whole)
		flipped[at] ^= 0x55
		bad[fmt.Sprint("flipped at ", at)] = flipped
	}
	for name, content := range bad {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		parent := t.TempDir()
		m, err := Restore(t.Context(), file, filepath.Join(parent, "data"), Options{Force: true})
		if err == nil {
			// Some bits of a compressed file may change and mean the same.
			if !strings.HasPrefix(name, "flipped") || cmp.Diff(made, m) != "" {
				t.Errorf("%s: restored", name)
			}
			continue
		}
		if left, _ := os.ReadDir(parent); len(left) != 0 {
			t.Errorf("%s: left %v", name, left)
		}
	}
}

func archive(t *testing.T, h *tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, err := range []error{w.WriteHeader(h), w.Close(), z.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}
