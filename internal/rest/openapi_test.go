package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

type inner struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
}

type outer struct {
	*inner
	Next *outer `json:"next"`
}

// What a pointer embeds is described as its own fields, a moment as a text, and a type may hold itself.
func TestDocumentOfEmbeddedPointers(t *testing.T) {
	mux := NewMux(MuxOptions{})
	mux.Handle(Op("GET", "/x", "getX", func(context.Context, *struct{}) (*outer, error) { return &outer{}, nil }))
	w := httptest.NewRecorder()
	if err := mux.Document("t", "1")(w, httptest.NewRequest(http.MethodGet, "/", nil)); err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err, w.Body)
	}
	for _, want := range []string{`"name":{"type":"string"}`, `"format":"date-time"`, `"next":{"$ref":"#/components/schemas/rest.outer"}`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s is not in %s", want, w.Body)
		}
	}
}
