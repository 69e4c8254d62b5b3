package native

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// paths read JSON text: get_json_object's paths, and from_json's and to_json's conversions.
func paths() []Func {
	return []Func{
		{Name: "spark_json_path", Args: []Kind{Text, Text}, Result: Text, Call: func(a []Value) (Value, error) { return jsonPath(a[0].S, a[1].S), nil }},
		{Name: "spark_json_length", Args: []Kind{Text}, Result: Int, Call: func(a []Value) (Value, error) {
			var list []json.RawMessage
			if json.Unmarshal([]byte(a[0].S), &list) != nil || list == nil {
				return null(), nil
			}
			return i(int64(len(list))), nil
		}},
		{Name: "spark_json_keys", Args: []Kind{Text}, Result: Texts, Call: func(a []Value) (Value, error) {
			keys, _, ok := object([]byte(a[0].S))
			if !ok {
				return null(), nil
			}
			return texts(keys), nil
		}},
		{Name: "spark_from_json", Args: []Kind{Text, Text, Text}, Result: Text, Call: func(a []Value) (Value, error) { return fromJSON(a[0].S, a[1].S, a[2].S) }},
		{Name: "spark_json_records", Args: []Kind{Text, Text, Text}, Result: Texts, Call: func(a []Value) (Value, error) { return jsonRecords(a[0].S, a[1].S, a[2].S) }},
		{Name: "spark_json_sample", Args: []Kind{Text}, Result: Text, Call: func(a []Value) (Value, error) { return sampleJSON(a[0].S), nil }},
		{Name: "spark_to_json", Args: []Kind{Text, Text, Text}, Result: Text, Call: func(a []Value) (Value, error) { return toJSON(a[0].S, a[1].S, a[2].S) }},
		{Name: "spark_from_csv", Args: []Kind{Text, Text, Text}, Result: Text, Call: func(a []Value) (Value, error) { return fromCSV(a[0].S, a[1].S, a[2].S) }},
		{Name: "spark_to_csv", Args: []Kind{Text, Text, Text}, Result: Text, Call: func(a []Value) (Value, error) { return toCSV(a[0].S, a[1].S, a[2].S) }},
		{Name: "spark_xpath", Args: []Kind{Text, Text}, Result: Texts, Call: func(a []Value) (Value, error) { return xpathTexts(a[0].S, a[1].S) }},
	}
}

// object reads an object's keys and values in order.
func object(raw []byte) (keys []string, values []json.RawMessage, ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, false
	}
	keys = []string{}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, nil, false
		}
		name, isText := k.(string)
		var v json.RawMessage
		if !isText || d.Decode(&v) != nil {
			return nil, nil, false
		}
		keys, values = append(keys, name), append(values, v)
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, false
	}
	return keys, values, true
}

// step is one step of a path: a name, an index, or any (*).
type step struct {
	name  string
	index int
	kind  byte // 'n', 'i', '*' (of a list), '.' (of an object)
}

func readPath(path string) ([]step, bool) {
	if !strings.HasPrefix(path, "$") {
		return nil, false
	}
	var out []step
	for p := path[1:]; p != ""; {
		switch {
		case strings.HasPrefix(p, ".*"):
			out, p = append(out, step{kind: '.'}), p[2:]
		case p[0] == '.':
			end := strings.IndexAny(p[1:], ".[")
			if end < 0 {
				end = len(p) - 1
			}
			if end == 0 {
				return nil, false
			}
			out, p = append(out, step{kind: 'n', name: p[1 : 1+end]}), p[1+end:]
		case p[0] == '[':
			end := strings.IndexByte(p, ']')
			if end < 0 {
				return nil, false
			}
			inner := p[1:end]
			p = p[end+1:]
			switch n, err := strconv.Atoi(inner); {
			case inner == "*":
				out = append(out, step{kind: '*'})
			case err == nil:
				out = append(out, step{kind: 'i', index: n})
			case len(inner) >= 2 && inner[0] == '\'':
				name := strings.Trim(inner, "'")
				if name == "*" {
					out = append(out, step{kind: '.'})
				} else {
					out = append(out, step{kind: 'n', name: name})
				}
			default:
				return nil, false
			}
		default:
			return nil, false
		}
	}
	return out, true
}

func jsonPath(text, path string) Value {
	steps, ok := readPath(path)
	if !ok || !json.Valid([]byte(text)) {
		return null()
	}
	found, wild := follow(json.RawMessage(text), steps)
	if len(found) == 0 {
		return null()
	}
	if !wild || len(found) == 1 {
		raw := bytes.TrimSpace(found[0])
		if string(raw) == "null" {
			return null()
		}
		var t string
		if !wild && len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &t) == nil {
			return s(t)
		}
		return s(compactJSON(raw))
	}
	parts := make([]string, len(found))
	for k, x := range found {
		parts[k] = compactJSON(x)
	}
	return s("[" + strings.Join(parts, ",") + "]")
}

func compactJSON(raw []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}

// follow finds what a path leads to; wild says whether there may be several.
func follow(raw json.RawMessage, steps []step) (found []json.RawMessage, wild bool) {
	if len(steps) == 0 {
		return []json.RawMessage{raw}, false
	}
	st, rest := steps[0], steps[1:]
	switch st.kind {
	case 'n', '.':
		keys, values, ok := object(raw)
		if !ok {
			return nil, false
		}
		for k := range keys {
			if st.kind == '.' {
				more, _ := follow(values[k], rest)
				found, wild = append(found, more...), true
			} else if keys[k] == st.name {
				return follow(values[k], rest)
			}
		}
		return found, wild
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil, false
	}
	if st.kind == 'i' {
		if st.index >= len(list) || st.index < 0 {
			return nil, false
		}
		return follow(list[st.index], rest)
	}
	for _, x := range list {
		more, _ := follow(x, rest)
		found = append(found, more...)
	}
	return found, true
}
