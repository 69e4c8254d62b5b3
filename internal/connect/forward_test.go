package connect

import (
	"os"
	"path/filepath"
	"testing"
)

func TestForwardTo(t *testing.T) {
	for _, c := range []struct{ dir, name, want string }{
		{"/srv/files", "forward_to_fs/srv/files/a/b.txt", "a/b.txt"},
		{"/srv/files", "forward_to_fs/srv/files", ""},
		{"/srv/files", "forward_to_fs/srv/filesx/b.txt", ""},
		{"/srv/files", "forward_to_fs/etc/passwd", ""},
		{"", "forward_to_fs/srv/files/a.txt", ""},
	} {
		got, err := forwardTo(c.dir, c.name)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s below %q: %q, %v", c.name, c.dir, got, err)
		}
	}
}

func TestForwardedFileReplaces(t *testing.T) {
	dir := t.TempDir()
	files := &artifacts{dir: t.TempDir(), forward: dir}
	for _, text := range []string{"one", "two"} {
		f, commit, err := files.create("forward_to_fs" + filepath.ToSlash(dir) + "/sub/a.txt")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := commit(); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, "sub", "a.txt"))
		if err != nil || string(got) != text {
			t.Fatalf("%q, %v", got, err)
		}
	}
	left, err := os.ReadDir(filepath.Join(dir, "sub"))
	if err != nil || len(left) != 1 {
		t.Fatalf("%v beside the file, %v", left, err)
	}
}
