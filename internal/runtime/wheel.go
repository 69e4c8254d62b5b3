package runtime

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"path"
	"regexp"

	"github.com/millpond/millpond/python"
)

var versionLine = regexp.MustCompile(`(?m)^version = "([^"]+)"`)

// packed is a file of a wheel.
type packed struct {
	path string
	text []byte
}

// wheel builds the installable form of our own Python package, and its file name. A wheel of pure
// Python is a zip of the modules and three files about them, so no build tool is needed; this one
// also holds the .pth file that makes the runtime import the package when it starts.
func wheel() (name string, content []byte, err error) {
	project, err := python.Files.ReadFile("pyproject.toml")
	if err != nil {
		return "", nil, fmt.Errorf("our Python package: %w", err)
	}
	m := versionLine.FindSubmatch(project)
	if m == nil {
		return "", nil, fmt.Errorf("our Python package: pyproject.toml tells no version")
	}
	version := string(m[1])
	info := "millpond-" + version + ".dist-info/"
	files := []packed{{"millpond.pth", []byte("import millpond\n")}}
	modules, err := fs.Glob(python.Files, "src/millpond/*.py")
	if err != nil {
		return "", nil, fmt.Errorf("our Python package: %w", err)
	}
	for _, f := range modules {
		text, err := python.Files.ReadFile(f)
		if err != nil {
			return "", nil, fmt.Errorf("our Python package: %w", err)
		}
		files = append(files, packed{"millpond/" + path.Base(f), text})
	}
	files = append(files,
		packed{info + "METADATA", []byte("Metadata-Version: 2.1\nName: millpond\nVersion: " + version + "\nRequires-Python: >=3.11\n")},
		packed{info + "WHEEL", []byte("Wheel-Version: 1.0\nGenerator: millpond\nRoot-Is-Purelib: true\nTag: py3-none-any\n")})
	content, err = zipped(files, info+"RECORD")
	return "millpond-" + version + "-py3-none-any.whl", content, err
}

// zipped packs files and a record of them.
func zipped(files []packed, recordPath string) ([]byte, error) {
	var out, record bytes.Buffer
	for _, f := range files {
		sum := sha256.Sum256(f.text)
		fmt.Fprintf(&record, "%s,sha256=%s,%d\n", f.path, base64.RawURLEncoding.EncodeToString(sum[:]), len(f.text))
	}
	fmt.Fprintf(&record, "%s,,\n", recordPath)
	z := zip.NewWriter(&out)
	for _, f := range append(files, packed{recordPath, record.Bytes()}) {
		w, err := z.Create(f.path)
		if err == nil {
			_, err = w.Write(f.text)
		}
		if err != nil {
			return nil, fmt.Errorf("pack our Python package: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack our Python package: %w", err)
	}
	return out.Bytes(), nil
}
