package runtime

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/millpond/millpond/python"
)

// requirements are the packages of a runtime, each with its full version and hashes. lock/lock.sh
// makes the file.
//
//go:embed lock/requirements.lock
var requirements []byte

// Lock names what runtimes are made from now: a runtime with another name is not current.
var Lock = sync.OnceValue(func() string {
	h := sha256.New()
	h.Write(requirements) // a hash never fails to write
	err := fs.WalkDir(python.Files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := python.Files.ReadFile(path)
		fmt.Fprintf(h, "\n%s %d\n", path, len(text))
		h.Write(text)
		return err
	})
	if err != nil {
		panic("runtime: the embedded package cannot be read: " + err.Error()) // the program itself is broken
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
})

// packages is how many packages the lock pins, on some platform.
func packages() int { return bytes.Count(requirements, []byte("==")) }

// lockOf gives the lock's lines for one package, to install it alone.
func lockOf(name string) []byte {
	var out []byte
	in := false
	for line := range strings.Lines(string(requirements)) {
		if !strings.HasPrefix(line, " ") {
			in = strings.HasPrefix(line, name+"==")
		}
		if in {
			out = append(out, line...)
		}
	}
	return out
}
