package native

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// element is a node of an XML document.
type element struct {
	name  string
	attrs map[string]string
	kids  []*element
	text  string
}

func readXML(text string) (*element, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	root := &element{}
	stack := []*element{root}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			e := &element{name: t.Name.Local, attrs: map[string]string{}}
			for _, a := range t.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			top.kids = append(top.kids, e)
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
	if len(root.kids) == 0 {
		return nil, fmt.Errorf("no element")
	}
	return root, nil
}

func (e *element) content() string {
	out := e.text
	for _, k := range e.kids {
		out += k.content()
	}
	return out
}

func (e *element) under() []*element {
	var out []*element
	for _, k := range e.kids {
		out = append(append(out, k), k.under()...)
	}
	return out
}

// xpathTexts answers what a path finds: the common part of XPath 1.0 (names, *, //, [n], [@a="v"],
// [name="v"], @attribute, text(), sum(), count()). A number or truth value is a list of one.
func xpathTexts(text, path string) (Value, error) {
	root, err := readXML(text)
	if err != nil {
		return null(), sparkerr.Raised("USER_RAISED_EXCEPTION", "Error loading expression '"+path+"': "+err.Error())
	}
	path = strings.TrimSpace(path)
	for _, call := range []string{"sum", "count", "boolean"} {
		if inner, ok := strings.CutPrefix(path, call+"("); ok && strings.HasSuffix(inner, ")") {
			found, err := xpath(root, strings.TrimSuffix(inner, ")"))
			if err != nil {
				return null(), err
			}
			switch call {
			case "count":
				return texts([]string{itoa(len(found))}), nil
			case "boolean":
				return texts([]string{strconv.FormatBool(len(found) > 0)}), nil
			}
			total := 0.0
			for _, f := range found {
				v, err := strconv.ParseFloat(strings.TrimSpace(f), 64)
				if err != nil {
					return texts([]string{"NaN"}), nil
				}
				total += v
			}
			return texts([]string{types.FormatDouble(total, 64)}), nil
		}
	}
	found, err := xpath(root, path)
	if found == nil {
		found = []string{}
	}
	return texts(found), err
}

func xpath(root *element, path string) ([]string, error) {
	at := []*element{root}
	for rest := path; rest != ""; {
		deep := strings.HasPrefix(rest, "//")
		rest = strings.TrimLeft(rest, "/")
		end, depth := 0, 0
		for end < len(rest) && (rest[end] != '/' || depth > 0) {
			switch rest[end] {
			case '[':
				depth++
			case ']':
				depth--
			}
			end++
		}
		st := rest[:end]
		rest = rest[end:]
		if name, ok := strings.CutPrefix(st, "@"); ok || st == "text()" {
			var out []string
			for _, e := range at {
				pool := []*element{e}
				if deep {
					pool = append(pool, e.under()...)
				}
				for _, x := range pool {
					if v, there := x.attrs[name]; ok && there {
						out = append(out, v)
					} else if !ok && strings.TrimSpace(x.text) != "" {
						out = append(out, x.text)
					}
				}
			}
			return out, nil
		}
		next, err := xstep(at, st, deep)
		if err != nil {
			return nil, err
		}
		at = next
	}
	var out []string
	for _, e := range at {
		out = append(out, e.content())
	}
	return out, nil
}

// xstep takes one step by name with conditions.
func xstep(at []*element, st string, deep bool) ([]*element, error) {
	name, conditions, _ := strings.Cut(st, "[")
	var out []*element
	for _, e := range at {
		pool := e.kids
		if deep {
			pool = e.under()
		}
		var same []*element
		for _, k := range pool {
			if name == "*" || k.name == name {
				same = append(same, k)
			}
		}
		for c := conditions; c != ""; {
			cond, more, ok := strings.Cut(c, "]")
			if !ok {
				return nil, sparkerr.Raised("USER_RAISED_EXCEPTION", "the XPath step "+st+" is not supported")
			}
			c = strings.TrimPrefix(more, "[")
			same = keepElements(same, cond)
		}
		out = append(out, same...)
	}
	return out, nil
}

func keepElements(list []*element, cond string) []*element {
	if n, err := strconv.Atoi(cond); err == nil {
		if n >= 1 && n <= len(list) {
			return list[n-1 : n]
		}
		return nil
	}
	key, want, compare := strings.Cut(cond, "=")
	want = strings.Trim(strings.TrimSpace(want), `"'`)
	var out []*element
	for _, e := range list {
		got, there := "", false
		if name, ok := strings.CutPrefix(strings.TrimSpace(key), "@"); ok {
			got, there = e.attrs[name]
		} else {
			for _, k := range e.kids {
				if k.name == strings.TrimSpace(key) {
					got, there = k.content(), true
				}
			}
		}
		if there && (!compare || got == want) {
			out = append(out, e)
		}
	}
	return out
}
