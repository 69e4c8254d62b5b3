package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// gzipFrom is the size from which an answer is compressed. Below it the work
// costs both ends more than the bytes do.
const gzipFrom = 64 << 10

// Appender is an answer that writes its own JSON: a large one, for which
// reflection takes too long.
type Appender interface {
	AppendJSON(b []byte) []byte
}

// WriteJSON answers 200 with v as JSON, compressed if it is large and the
// client can read that. A client on this machine gets it as it is: there is no
// network to spare.
func WriteJSON(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	if len(body) >= gzipFrom && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && !isHere(r) {
		return writeGzip(w, body)
	}
	h := w.Header()
	h["Content-Type"] = jsonType
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, err = w.Write(body)
	return err
}

// isHere reports whether a request comes from this machine, and not from further
// through a proxy on it.
func isHere(r *http.Request) bool {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && at.Addr().Unmap().IsLoopback() && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == ""
}

var jsonType = []string{"application/json"}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := encode(v)
	if err != nil {
		body, status = []byte(`{"error_code":"INTERNAL_ERROR","message":"answer could not be encoded"}`), http.StatusInternalServerError
	}
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have gone: nobody is left to tell
}

// encode is json.Marshal without the escaping of <, > and &, which is meant
// for JSON inside HTML and only makes answers longer.
func encode(v any) ([]byte, error) {
	if a, ok := v.(Appender); ok {
		return a.AppendJSON(nil), nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

var gzipPool = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	return z
}}

func writeGzip(w http.ResponseWriter, body []byte) error {
	z := gzipPool.Get().(*gzip.Writer)
	defer gzipPool.Put(z)
	h := w.Header()
	h["Content-Type"] = jsonType
	h.Set("Content-Encoding", "gzip")
	h.Add("Vary", "Accept-Encoding")
	z.Reset(w)
	if _, err := z.Write(body); err != nil {
		return err
	}
	return z.Close()
}
