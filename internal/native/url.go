package native

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/sparkerr"
)

func itoa(n int) string { return strconv.Itoa(n) }

func urls() []Func {
	return []Func{
		{Name: "spark_url_encode", Args: []Kind{Text}, Result: Text, Call: func(a []Value) (Value, error) {
			out := strings.ReplaceAll(url.QueryEscape(a[0].S), "%2A", "*")
			return s(strings.ReplaceAll(out, "~", "%7E")), nil
		}},
		{Name: "spark_url_decode", Args: []Kind{Text}, Result: Text, Call: func(a []Value) (Value, error) {
			out, err := url.QueryUnescape(a[0].S)
			if err != nil {
				return null(), sparkerr.Raised("CANNOT_DECODE_URL", a[0].S)
			}
			return s(out), nil
		}},
		{Name: "spark_try_url_decode", Args: []Kind{Text}, Result: Text, Call: func(a []Value) (Value, error) {
			out, err := url.QueryUnescape(a[0].S)
			if err != nil {
				return null(), nil
			}
			return s(out), nil
		}},
		{Name: "spark_parse_url", Args: []Kind{Text, Text, Text}, Result: Text, SeesNull: true, Call: func(a []Value) (Value, error) { return parseURL(a, true) }},
		{Name: "spark_try_parse_url", Args: []Kind{Text, Text, Text}, Result: Text, SeesNull: true, Call: func(a []Value) (Value, error) { return parseURL(a, false) }},
	}
}

func parseURL(a []Value, strict bool) (Value, error) {
	if a[0].Null || a[1].Null {
		return null(), nil
	}
	u, err := url.Parse(a[0].S)
	if err != nil || strings.ContainsAny(a[0].S, " ") {
		if strict {
			return null(), sparkerr.Raised("INVALID_URL", a[0].S)
		}
		return null(), nil
	}
	orNull := func(t string) (Value, error) {
		if t == "" {
			return null(), nil
		}
		return s(t), nil
	}
	switch a[1].S {
	case "HOST":
		return orNull(u.Hostname())
	case "PATH":
		return s(u.EscapedPath()), nil
	case "QUERY":
		if a[2].Null {
			return orNull(u.RawQuery)
		}
		for _, pair := range strings.Split(u.RawQuery, "&") {
			if k, v, ok := strings.Cut(pair, "="); ok && k == a[2].S {
				return s(v), nil
			}
		}
		return null(), nil
	case "REF":
		return orNull(u.EscapedFragment())
	case "PROTOCOL":
		return orNull(u.Scheme)
	case "FILE":
		if u.RawQuery != "" {
			return s(u.EscapedPath() + "?" + u.RawQuery), nil
		}
		return s(u.EscapedPath()), nil
	case "AUTHORITY":
		text := u.Host
		if u.User != nil {
			text = u.User.String() + "@" + text
		}
		return orNull(text)
	case "USERINFO":
		if u.User == nil {
			return null(), nil
		}
		return orNull(u.User.String())
	}
	return null(), nil
}
