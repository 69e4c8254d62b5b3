package seal

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeyOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret.key")
	box := open(t, "", file)
	if _, err := box.Open("AAAA", "a"); err == nil {
		t.Error("opened without a key")
	}
	if _, err := os.Stat(file); err == nil {
		t.Fatal("a key was made before there was a secret")
	}
	sealed, err := box.Seal([]byte("s3cret"), "a")
	if err != nil || strings.Contains(sealed, "s3cret") {
		t.Fatalf("%s, %v", sealed, err)
	}
	if again, _ := box.Seal([]byte("s3cret"), "a"); again == sealed {
		t.Error("the same secret looks the same")
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
	if secret, err := open(t, "", file).Open(sealed, "a"); err != nil || string(secret) != "s3cret" {
		t.Errorf("opened: %q, %v", secret, err)
	}
	if _, err := box.Open(sealed, "b"); err == nil {
		t.Error("opened at another place")
	}
	if _, err := open(t, "", filepath.Join(t.TempDir(), "none")).Open(sealed, "a"); err == nil {
		t.Error("opened without the file")
	}
	if err := os.WriteFile(file, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, "", file).Seal([]byte("x"), "a"); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged key: %v", err)
	}
}

func TestGivenKey(t *testing.T) {
	raw := []byte(strings.Repeat("\xfb\xff", keySize/2))
	sealed, err := open(t, base64.URLEncoding.EncodeToString(raw), "").Seal([]byte("s"), "p")
	if err != nil {
		t.Fatal(err)
	}
	if secret, err := open(t, base64.StdEncoding.EncodeToString(raw), "").Open(sealed, "p"); err != nil || string(secret) != "s" {
		t.Errorf("opened: %q, %v", secret, err)
	}
	if _, err := open(t, base64.StdEncoding.EncodeToString(make([]byte, keySize)), "").Open(sealed, "p"); err == nil {
		t.Error("opened with another key")
	}
	for _, bad := range []string{"x", "no base64!", base64.StdEncoding.EncodeToString(raw[:16])} {
		if _, err := New(bad, ""); err == nil {
			t.Errorf("%q is taken for a key", bad)
		}
	}
}

func open(t *testing.T, key, file string) *Box {
	t.Helper()
	b, err := New(key, file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
