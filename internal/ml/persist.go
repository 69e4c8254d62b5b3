package ml

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/millpond/millpond/internal/sparkerr"
)

// SparkVersion is the version of Spark that saved operators say they are from.
const SparkVersion = "4.3.0"

// Metadata is what Spark keeps in an operator's metadata/ directory: one JSON object.
type Metadata struct {
	Class           string
	Timestamp       int64 // milliseconds since 1970
	SparkVersion    string
	UID             string
	ParamMap        map[string]any // explicitly set values as JSON gives them, numbers as json.Number
	DefaultParamMap map[string]any
	Extra           map[string]any // other keys of the object (numFeatures, treesMetadata...)
}

// Saver is an operator that keeps more than its parameters: it writes the directories beside
// metadata/ in Spark's own layout and returns what else belongs in the metadata object.
type Saver interface {
	Save(dir string) (extra map[string]any, err error)
}

// Save writes an operator to dir as Spark does, so that Spark can load it. A directory that
// exists is an error unless overwrite, and is then replaced only after all was written.
func Save(op Operator, dir string, overwrite bool) error {
	dir = LocalPath(dir)
	if _, err := os.Stat(dir); err == nil && !overwrite {
		return sparkerr.Plain("java.io.IOException", "Path %s already exists. To overwrite it, please use "+
			"write.overwrite().save(path) for Scala and use write().overwrite().save(path) for Java and Python.", dir)
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("save %s: %w", op.UID(), err)
	}
	tmp, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+"-")
	if err != nil {
		return fmt.Errorf("save %s: %w", op.UID(), err)
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return fmt.Errorf("save %s: %w", op.UID(), err)
	}
	var extra map[string]any
	if s, ok := op.(Saver); ok {
		if extra, err = s.Save(tmp); err != nil {
			return fmt.Errorf("save %s: %w", op.UID(), err)
		}
	}
	if err := WriteMetadata(op, tmp, extra); err != nil {
		return fmt.Errorf("save %s: %w", op.UID(), err)
	}
	if overwrite {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("save %s: %w", op.UID(), err)
		}
	}
	return os.Rename(tmp, dir)
}

// Load reads an operator of the given class that Spark or Save wrote to dir. class may be "" for
// whatever is there.
func Load(dir, class string) (Operator, error) {
	dir = LocalPath(dir)
	meta, err := ReadMetadata(dir)
	if err != nil {
		return nil, err
	}
	if class != "" && meta.Class != class {
		return nil, sparkerr.Require("Error loading metadata: Expected class name %s but found class name %s", class, meta.Class)
	}
	spec, err := Lookup(meta.Class)
	if err != nil {
		return nil, err
	}
	if spec.Load != nil {
		op, err := spec.Load(dir, meta)
		if err != nil {
			return nil, fmt.Errorf("load %s from %s: %w", spec.ShortName(), dir, err)
		}
		return op, nil
	}
	p, err := meta.Params(spec)
	if err != nil {
		return nil, err
	}
	return spec.New(meta.UID, p), nil
}

// LocalPath strips the file scheme that Spark's clients may put before a path.
func LocalPath(path string) string {
	if rest, ok := strings.CutPrefix(path, "file:"); ok {
		return "/" + strings.TrimLeft(rest, "/")
	}
	return path
}

// Params gives the parameters of the metadata under spec, set ones and defaults, which may not
// be the spec's: Python's clients make up a seed of their own, older versions had others.
func (m Metadata) Params(spec *Spec) (*Params, error) {
	p := NewParams(spec)
	p.uid = m.UID
	for name, v := range m.ParamMap {
		d := spec.Param(name)
		if d == nil {
			return nil, sparkerr.Plain(sparkerr.ClassNoSuchElement, "Param %s does not exist.", name)
		}
		x, err := paramFromJSON(d.Type, v)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", name, err)
		}
		if err := p.Set(m.UID, name, x); err != nil {
			return nil, err
		}
	}
	for name, v := range m.DefaultParamMap {
		d := spec.Param(name)
		if d == nil {
			continue
		}
		x, err := paramFromJSON(d.Type, v)
		if err != nil {
			return nil, fmt.Errorf("default of parameter %s: %w", name, err)
		}
		if c, ok := coerce(d.Type, x); ok && FormatValue(c) != FormatValue(p.Default(name)) {
			if err := p.SetDefault(m.UID, name, x); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// Base gives the Base of an operator that is being loaded.
func (m Metadata) Base(spec *Spec) (Base, error) {
	p, err := m.Params(spec)
	if err != nil {
		return Base{}, err
	}
	return NewBase(spec, m.UID, p), nil
}

// ExtraInt gives a whole number of the metadata's other keys.
func (m Metadata) ExtraInt(key string) (int, error) {
	n, ok := m.Extra[key].(json.Number)
	if !ok {
		return 0, fmt.Errorf("metadata has no number %q", key)
	}
	i, err := n.Int64()
	return int(i), err
}

// WriteMetadata writes dir/metadata for op; extra are further keys of the object.
func WriteMetadata(op Operator, dir string, extra map[string]any) error {
	b, err := encodeMetadata(op, extra, time.Now().UnixMilli())
	if err != nil {
		return err
	}
	sub := filepath.Join(dir, "metadata")
	if err := os.MkdirAll(sub, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(sub, "part-00000"), append(b, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(sub, "_SUCCESS"), nil, 0o644)
}

func encodeMetadata(op Operator, extra map[string]any, now int64) ([]byte, error) {
	p, spec := op.Params(), op.Spec()
	set, defaults := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for name, v := range p.Explicit() {
		set[name] = paramToJSON(v, spec.Param(name).Type)
	}
	for _, d := range spec.Params {
		if v := p.Default(d.Name); v != nil {
			defaults[d.Name] = paramToJSON(v, d.Type)
		}
	}
	var b bytes.Buffer
	b.WriteByte('{')
	put := func(key string, v any) error {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:", key)
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			return err
		}
		b.Truncate(b.Len() - 1) // Encode's newline
		return nil
	}
	for _, kv := range []struct {
		key string
		v   any
	}{{"class", spec.Class}, {"timestamp", now}, {"sparkVersion", SparkVersion}, {"uid", op.UID()},
		{"paramMap", set}, {"defaultParamMap", defaults}} {
		if err := put(kv.key, kv.v); err != nil {
			return nil, err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(extra)) {
		if err := put(key, extra[key]); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// ReadMetadata reads dir/metadata.
func ReadMetadata(dir string) (Metadata, error) {
	sub := filepath.Join(dir, "metadata")
	names, err := dataFiles(sub)
	if errors.Is(err, fs.ErrNotExist) {
		return Metadata{}, sparkerr.Analysis("PATH_NOT_FOUND", "path", "file:"+sub)
	}
	if err != nil {
		return Metadata{}, fmt.Errorf("read metadata: %w", err)
	}
	for _, name := range names {
		line, err := firstLine(filepath.Join(sub, name))
		if err != nil {
			return Metadata{}, fmt.Errorf("read metadata: %w", err)
		}
		if len(line) > 0 {
			return ParseMetadata(line)
		}
	}
	return Metadata{}, sparkerr.IllegalArgument("no metadata in %s", sub)
}

func firstLine(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return bytes.TrimSpace(line), nil
}

// dataFiles lists the files of a directory that hold data: not those that start with . or _.
func dataFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if n := e.Name(); !e.IsDir() && n[0] != '.' && n[0] != '_' {
			names = append(names, n)
		}
	}
	return names, nil
}

// ParseMetadata reads the metadata object.
func ParseMetadata(text []byte) (Metadata, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var all map[string]any
	if err := d.Decode(&all); err != nil {
		return Metadata{}, sparkerr.IllegalArgument("cannot read metadata as JSON: %v", err)
	}
	m := Metadata{Extra: map[string]any{}}
	for k, v := range all {
		ok := true
		switch k {
		case "class":
			m.Class, ok = v.(string)
		case "uid":
			m.UID, ok = v.(string)
		case "sparkVersion":
			m.SparkVersion, ok = v.(string)
		case "timestamp":
			var n json.Number
			if n, ok = v.(json.Number); ok {
				t, err := n.Int64()
				m.Timestamp, ok = t, err == nil
			}
		case "paramMap":
			m.ParamMap, ok = v.(map[string]any)
		case "defaultParamMap":
			m.DefaultParamMap, ok = v.(map[string]any)
		default:
			m.Extra[k] = v
		}
		if !ok {
			return Metadata{}, sparkerr.IllegalArgument("metadata: %s has the wrong type", k)
		}
	}
	if m.Class == "" || m.UID == "" {
		return Metadata{}, sparkerr.IllegalArgument("metadata has no class or no uid")
	}
	return m, nil
}

// jsonDouble prints a double as Spark's JSON does; Spark reads a double only if it has a point.
func jsonDouble(v float64) json.RawMessage {
	switch {
	case math.IsNaN(v):
		return json.RawMessage(`"NaN"`)
	case math.IsInf(v, 1):
		return json.RawMessage(`"Inf"`)
	case math.IsInf(v, -1):
		return json.RawMessage(`"-Inf"`)
	}
	return json.RawMessage(FormatDouble(v))
}
