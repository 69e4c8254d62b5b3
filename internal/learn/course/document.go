package course

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Problem is a fault of the content, where it is.
type Problem struct {
	File string
	Line int
	Text string
}

func (p Problem) Error() string { return fmt.Sprintf("content/%s:%d: %s", p.File, p.Line, p.Text) }

// document is a YAML file (or a Markdown file's front matter) whose lines are known.
type document struct {
	file string
	text []byte     // YAML
	root *yaml.Node // of text, once somebody asks for lines
	body string     // Markdown after the front matter
	from int        // the line that body starts on
}

// loader reads files and gathers their problems.
type loader struct {
	files    fs.FS
	problems []error
}

func (l *loader) problem(file string, line int, format string, args ...any) {
	l.problems = append(l.problems, Problem{file, line, fmt.Sprintf(format, args...)})
}

// read decodes a file into v, which has all keys that the file may have.
func (l *loader) read(file string, v any) (*document, bool) {
	text, err := fs.ReadFile(l.files, file)
	if err != nil {
		l.problem(file, 1, "cannot be read: %v", err)
		return nil, false
	}
	d := &document{file: file}
	if strings.HasSuffix(file, ".md") {
		if text, err = d.cut(text); err != nil {
			l.problem(file, 1, "%v", err)
			return nil, false
		}
	}
	d.text = text
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(v); err != nil {
		l.malformed(file, err)
		return nil, false
	}
	return d, true
}

const fence = "---\n"

// cut takes the front matter off a Markdown file. Its first line stays as an empty one, so that
// lines keep their numbers.
func (d *document) cut(text []byte) ([]byte, error) {
	rest, ok := strings.CutPrefix(string(text), fence)
	if !ok {
		return nil, errors.New("does not start with a line of three dashes and the topic's front matter")
	}
	front, body, ok := strings.Cut(rest, "\n"+fence)
	if !ok {
		return nil, errors.New("its front matter is not closed by a line of three dashes")
	}
	d.body, d.from = body, strings.Count(front, "\n")+4
	return []byte("\n" + front + "\n"), nil
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)

// malformed tells what the YAML library found.
func (l *loader) malformed(file string, err error) {
	texts := []string{err.Error()}
	var te *yaml.TypeError
	if errors.As(err, &te) {
		texts = te.Errors
	}
	for _, t := range texts {
		line := 1
		if m := yamlLine.FindStringSubmatch(t); m != nil {
			line, _ = strconv.Atoi(m[1])
			t = m[2]
		}
		l.problem(file, line, "%s", t)
	}
}

// line finds the line of a place in the document, such as "options", 2, "why"; of the nearest
// part that is there if it is not.
func (d *document) line(at ...any) int {
	if d.root == nil {
		d.root = &yaml.Node{}
		if err := yaml.Unmarshal(d.text, d.root); err != nil {
			return 1 // not so: it was decoded before
		}
	}
	n := d.root
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = n.Content[0]
	}
	line := max(n.Line, 1)
	for _, step := range at {
		key, next := child(n, step)
		if next == nil {
			return line
		}
		n, line = next, key.Line
	}
	return line
}

// child finds a key's or a place's node, and the node that names it.
func child(n *yaml.Node, step any) (key, value *yaml.Node) {
	switch s := step.(type) {
	case string:
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == s {
				return n.Content[i], n.Content[i+1]
			}
		}
	case int:
		if n.Kind == yaml.SequenceNode && s < len(n.Content) {
			return n.Content[s], n.Content[s]
		}
	}
	return nil, nil
}
