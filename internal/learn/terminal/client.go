package terminal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/millpond/millpond/internal/learn"
	"github.com/millpond/millpond/internal/rest"
)

// client asks the course's API.
type client struct {
	base, learner string
	token         string // of a server whose users sign in, "" for others
}

// body is the fields of a request.
type body map[string]any

// alive says whether a server answers.
func (c *client) alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/health", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// get asks for a path; query is names and values by turns, of which empty ones are left out.
func (c *client) get(ctx context.Context, path string, out any, query ...string) error {
	q := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		if query[i+1] != "" {
			q.Set(query[i], query[i+1])
		}
	}
	if c.learner != "" {
		q.Set("learner", c.learner)
	}
	return c.do(ctx, http.MethodGet, path+"?"+q.Encode(), nil, out)
}

func (c *client) post(ctx context.Context, path string, in body, out any) error {
	if in == nil {
		in = body{}
	}
	if _, set := in["learner"]; !set && c.learner != "" {
		in["learner"] = c.learner
	}
	return c.do(ctx, http.MethodPost, path, in, out)
}

func (c *client) do(ctx context.Context, method, path string, in body, out any) error {
	var sent bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&sent).Encode(in); err != nil {
			return fmt.Errorf("encode a request: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+learn.Prefix+path, &sent)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	defer res.Body.Close()
	dec := json.NewDecoder(res.Body)
	if res.StatusCode != http.StatusOK {
		e := &rest.Failure{Status: res.StatusCode}
		if err := dec.Decode(e); err != nil || e.Message == "" {
			return fmt.Errorf("%s answered %s: is it a Millpond with the course?", c.base, res.Status)
		}
		return e
	}
	if out == nil {
		return nil
	}
	if err := dec.Decode(out); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}

// isMissing says whether an error is the server's "there is no such thing".
func isMissing(err error) bool {
	var e *rest.Failure
	return errors.As(err, &e) && e.Status == http.StatusNotFound
}
