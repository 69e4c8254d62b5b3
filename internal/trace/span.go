package trace

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

const (
	maxIDs = 1000
	// How long a client is let to wait for spans that are on their way.
	spansWait = 3 * time.Second
	spansPoll = 100 * time.Millisecond
)

type (
	getRequest struct {
		TraceID      string `json:"trace_id" mlflow:"required"`
		AllowPartial bool   `json:"allow_partial"`
	}
	batchRequest struct {
		TraceIDs      []string `json:"trace_ids"`
		ExperimentIDs []string `json:"experiment_ids"`
	}
	tracesResponse struct {
		Traces []Trace `json:"traces,omitempty"`
	}
	infosResponse struct {
		Infos []Info `json:"trace_infos,omitempty"`
	}
)

// keepSpans stores spans; the traces they belong to are made if they are not there yet.
func (s *Service) keepSpans(ctx context.Context, experiment string, batches []*batch) error {
	id, location, err := s.tracking.ExperimentLocation(ctx, experiment)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		for _, b := range batches {
			if err := b.keep(ctx, q, id, location); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *batch) keep(ctx context.Context, q db.Querier, experiment int64, location string) error {
	made := &Info{TraceID: b.traceID, RequestTime: Timestamp(b.startMS), State: b.state()}
	if b.endMS != nil {
		took := Duration(*b.endMS - b.startMS)
		made.ExecutionDuration = &took
	}
	trace, isNew, err := insertTrace(ctx, q, experiment, made)
	if err != nil {
		return err
	}
	if !isNew {
		if err := kept(ctx, q, trace, experiment, b.traceID); err != nil {
			return err
		}
	} else {
		b.tags[locationTag] = artifactLocation(location, b.traceID)
	}
	if err := b.insert(ctx, q, trace); err != nil {
		return err
	}
	if err := setPairs(ctx, q, tagTable, trace, b.tags); err != nil {
		return err
	}
	return b.settle(ctx, q, trace)
}

// insert stores the spans, over those of the same ids.
func (b *batch) insert(ctx context.Context, q db.Querier, trace int64) error {
	for _, r := range b.spans {
		if _, err := q.ExecContext(ctx, `INSERT INTO spans (trace, span_id, parent_id, name, type, status, start_ns, end_ns, content)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (trace, span_id) DO UPDATE SET parent_id = excluded.parent_id, name = excluded.name,
			type = excluded.type, status = excluded.status, start_ns = excluded.start_ns, end_ns = excluded.end_ns, content = excluded.content`,
			trace, r.id, r.parent, r.name, r.kind, r.status, r.start, r.end, r.content); err != nil {
			return err
		}
	}
	return nil
}

// kept refuses spans for a trace of another experiment: who may write here may
// not write there.
func kept(ctx context.Context, q db.Querier, trace, experiment int64, traceID string) error {
	var in int64
	err := q.QueryRowContext(ctx, `SELECT experiment_id FROM traces WHERE id = ?`, trace).Scan(&in)
	if err == nil && in != experiment {
		err = rest.Invalid("Trace %s is kept in another experiment, %d.", traceID, in)
	}
	return err
}

func (b *batch) state() rest.Enum {
	switch {
	case b.root == nil:
		return "IN_PROGRESS"
	case b.root.Status.GetCode() == otlp.Status_STATUS_CODE_ERROR:
		return "ERROR"
	}
	return "OK"
}

// settle brings the trace up to what its spans say, where its client has not
// said it itself.
func (b *batch) settle(ctx context.Context, q db.Querier, trace int64) error {
	known, err := pairsByTrace(ctx, q, metadataTable, strconv.FormatInt(trace, 10))
	if err != nil {
		return err
	}
	metadata := known[trace]
	final := metadata[finalKey] != ""
	if !final {
		// The span of time that all spans cover.
		if _, err := q.ExecContext(ctx, `UPDATE traces SET timestamp_ms = t.first, execution_ms = t.last - t.first
			FROM (SELECT MIN(start_ns) / 1000000 AS first, MAX(end_ns) / 1000000 AS last FROM spans WHERE trace = ?) t WHERE id = ?`, trace, trace); err != nil {
			return err
		}
	}
	if b.root != nil {
		if _, err := q.ExecContext(ctx, `UPDATE traces SET state = CASE WHEN state IN ('IN_PROGRESS', 'STATE_UNSPECIFIED') THEN ? ELSE state END,
			request_preview = COALESCE(request_preview, ?), response_preview = COALESCE(response_preview, ?) WHERE id = ?`,
			string(b.state()), preview(b.root, inputsAttr), preview(b.root, outputsAttr), trace); err != nil {
			return err
		}
	}
	add := map[string]string{}
	if b.session != "" && metadata[sessionKey] == "" {
		add[sessionKey] = b.session
	}
	if b.user != "" && metadata[userKey] == "" {
		add[userKey] = b.user
	}
	if b.usage && (!final || metadata[usageKey] == "") {
		total, err := tokenUsage(ctx, q, trace)
		if err != nil {
			return err
		}
		if total != "" {
			add[usageKey] = total
		}
	}
	return setPairs(ctx, q, metadataTable, trace, add)
}

// tokenUsage adds up the tokens of a trace's spans. A span that tells them
// counts for all below it: it is their sum.
func tokenUsage(ctx context.Context, q db.Querier, trace int64) (string, error) {
	rows, err := q.QueryContext(ctx, `SELECT span_id, parent_id, content FROM spans WHERE trace = ?`, trace)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	parents := map[string]string{}
	usage := map[string]map[string]float64{}
	for rows.Next() {
		var id, parent, content string
		if err := rows.Scan(&id, &parent, &content); err != nil {
			return "", err
		}
		parents[id] = parent
		if u := spanUsage(content); u != nil {
			usage[id] = u
		}
	}
	if err := rows.Err(); err != nil || len(usage) == 0 {
		return "", err
	}
	total := map[string]float64{}
	for id, u := range usage {
		if !covered(id, parents, usage) {
			for k, v := range u {
				total[k] += v
			}
		}
	}
	raw, err := json.Marshal(total)
	return string(raw), err
}

// covered reports whether a span above this one tells tokens. Spans that claim
// to be each other's parents end the search too.
func covered(id string, parents map[string]string, usage map[string]map[string]float64) bool {
	for range len(parents) {
		id = parents[id]
		if id == "" {
			return false
		}
		if usage[id] != nil {
			return true
		}
	}
	return false
}

func spanUsage(content string) map[string]float64 {
	var span otlp.Span
	if protojson.Unmarshal([]byte(content), &span) != nil {
		return nil
	}
	v := attribute(&span, usageAttr)
	if v == nil {
		return nil
	}
	var out map[string]float64
	if json.Unmarshal([]byte(plainText(v)), &out) != nil {
		return nil
	}
	return out
}

// spans are those of a trace, its root first.
func (s *Service) spans(ctx context.Context, traceID string) ([]json.RawMessage, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT s.content FROM spans s JOIN traces t ON t.id = s.trace WHERE t.trace_id = ?
		ORDER BY CASE WHEN s.parent_id = '' THEN 0 ELSE 1 END, s.start_ns, s.span_id`, traceID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []json.RawMessage{}
	for rows.Next() {
		var content string
		if err := rows.Scan(&content); err != nil {
			return nil, err
		}
		out = append(out, json.RawMessage(content))
	}
	return out, rows.Err()
}

// whole reads a trace with its spans; ready tells whether all have come that
// its client has told of.
func (s *Service) whole(ctx context.Context, info *Info) (t Trace, ready bool, err error) {
	if info.Tags[spansTag] != spansHere {
		return Trace{Info: *info}, false, nil
	}
	spans, err := s.spans(ctx, info.TraceID)
	var stats struct {
		Spans int `json:"num_spans"`
	}
	if text := info.TraceMetadata[sizeStatsKey]; text != "" && json.Unmarshal([]byte(text), &stats) != nil {
		stats.Spans = 0 // a client's own text
	}
	return Trace{Info: *info, Spans: spans}, len(spans) > 0 && len(spans) >= stats.Spans, err
}

// get answers with a trace and its spans. A client sends the two apart, so
// that they may still be on their way.
func (s *Service) get(ctx context.Context, in *getRequest) (*traceResponse, error) {
	for deadline := time.Now().Add(spansWait); ; {
		info, err := s.read(ctx, in.TraceID)
		if err != nil {
			return nil, err
		}
		trace, ready, err := s.whole(ctx, info)
		switch {
		case err != nil:
			return nil, err
		case ready || in.AllowPartial:
			return &traceResponse{&trace}, nil
		case time.Now().After(deadline):
			return nil, rest.NotFound("Trace with ID %s is not fully exported yet, please try again later.", in.TraceID)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(spansPoll):
		}
	}
}

// infosOf reads traces in the order of their ids; those that are not there are left out.
func (s *Service) infosOf(ctx context.Context, in *batchRequest) ([]Info, error) {
	if len(in.TraceIDs) == 0 {
		return nil, nil
	}
	if len(in.TraceIDs) > maxIDs {
		return nil, rest.Invalid("At most %d traces can be named in one request.", maxIDs)
	}
	var infos []Info
	err := s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		tail, args := `WHERE r.trace_id IN (`+db.Marks(len(in.TraceIDs))+`)`, db.Args(in.TraceIDs)
		if len(in.ExperimentIDs) > 0 {
			ids, err := experimentIDs(in.ExperimentIDs)
			if err != nil {
				return err
			}
			tail, args = tail+` AND r.experiment_id IN (`+db.Marks(len(ids))+`)`, append(args, db.Args(ids)...)
		}
		rows, err := selectTraces(ctx, q, tail, args...)
		if err == nil {
			infos, err = complete(ctx, q, rows)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	byID := make(map[string]Info, len(infos))
	for _, i := range infos {
		byID[i.TraceID] = i
	}
	out := infos[:0]
	for _, id := range in.TraceIDs {
		if i, ok := byID[id]; ok {
			out = append(out, i)
			delete(byID, id) // a trace that is named twice is answered once
		}
	}
	return out, nil
}

func (s *Service) batchInfos(ctx context.Context, in *batchRequest) (*infosResponse, error) {
	infos, err := s.infosOf(ctx, in)
	return &infosResponse{infos}, err
}

func (s *Service) batchGet(ctx context.Context, in *batchRequest) (*tracesResponse, error) {
	infos, err := s.infosOf(ctx, in)
	if err != nil {
		return nil, err
	}
	var out tracesResponse
	for i := range infos {
		trace, ready, err := s.whole(ctx, &infos[i])
		if err != nil {
			return nil, err
		}
		if ready {
			out.Traces = append(out.Traces, trace)
		}
	}
	return &out, nil
}
