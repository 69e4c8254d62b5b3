package trace

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

type (
	assessRequest struct {
		TraceID    string      `json:"trace_id"`
		Assessment *Assessment `json:"assessment" mlflow:"required"`
	}
	assessmentRequest struct {
		TraceID      string `json:"trace_id"`
		AssessmentID string `json:"assessment_id"`
	}
	updateAssessmentRequest struct {
		TraceID      string      `json:"trace_id"`
		AssessmentID string      `json:"assessment_id"`
		Assessment   *Assessment `json:"assessment" mlflow:"required"`
		UpdateMask   string      `json:"update_mask" mlflow:"required"`
	}
	assessmentResponse struct {
		Assessment Assessment `json:"assessment"`
	}
)

// The kinds of assessments.
const (
	feedback    = "feedback"
	expectation = "expectation"
	issue       = "issue"
)

// kind tells what an assessment is, "" if it is nothing or several things.
func (a *Assessment) kind() string {
	kind, n := "", 0
	for name, is := range map[string]bool{feedback: a.Feedback != nil, expectation: a.Expectation != nil, issue: a.Issue != nil} {
		if is {
			kind, n = name, n+1
		}
	}
	if n != 1 {
		return ""
	}
	return kind
}

func (a *Assessment) check() error {
	if a.Name == "" {
		return rest.MissingParameter("assessment.assessment_name")
	}
	if a.kind() == "" {
		return rest.Invalid("An assessment is either feedback, an expectation or a reference to an issue.")
	}
	if a.Source != nil {
		name, ok := a.Source.SourceType.Resolve(sourceTypes)
		if !ok {
			return rest.InvalidValue("assessment.source.source_type", string(a.Source.SourceType), "")
		}
		a.Source.SourceType = rest.Enum(name)
	}
	return nil
}

// stored fills in what the server knows.
func (a Assessment) stored(traceID string, now int64) Assessment {
	at := Timestamp(now)
	a.TraceID = traceID
	if a.AssessmentID == "" {
		a.AssessmentID = "a-" + strings.ReplaceAll(uuid.NewString(), "-", "")
	}
	if a.CreateTime == nil {
		a.CreateTime = &at
	}
	if a.LastUpdateTime == nil {
		a.LastUpdateTime = &at
	}
	valid := true
	a.Valid = &valid
	return a
}

func (s *Service) createAssessment(ctx context.Context, in *assessRequest) (*assessmentResponse, error) {
	if err := in.Assessment.check(); err != nil {
		return nil, err
	}
	a := in.Assessment.stored(in.TraceID, s.millis())
	err := s.writeTrace(ctx, in.TraceID, func(ctx context.Context, q db.Querier, r row) error {
		if a.Overrides != "" {
			found, err := setValid(ctx, q, r.id, a.Overrides, false)
			if err != nil {
				return err
			}
			if !found {
				return noAssessment(a.Overrides, in.TraceID)
			}
		}
		return insertAssessment(ctx, q, r.id, a)
	})
	if err != nil {
		return nil, err
	}
	return &assessmentResponse{a}, nil
}

func (s *Service) getAssessment(ctx context.Context, in *assessmentRequest) (*assessmentResponse, error) {
	var a Assessment
	err := s.db.View(ctx, func(ctx context.Context, q db.Querier) error {
		r, err := traceByID(ctx, q, in.TraceID)
		if err == nil {
			a, err = assessmentByID(ctx, q, r, in.AssessmentID)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &assessmentResponse{a}, nil
}

func (s *Service) updateAssessment(ctx context.Context, in *updateAssessmentRequest) (*assessmentResponse, error) {
	mask := strings.Split(in.UpdateMask, ",")
	var a Assessment
	err := s.writeTrace(ctx, in.TraceID, func(ctx context.Context, q db.Querier, r row) error {
		var err error
		if a, err = assessmentByID(ctx, q, r, in.AssessmentID); err != nil {
			return err
		}
		if err := a.merge(in.Assessment, mask); err != nil {
			return err
		}
		now := Timestamp(s.millis())
		a.LastUpdateTime = &now
		return replaceAssessment(ctx, q, r.id, a)
	})
	if err != nil {
		return nil, err
	}
	return &assessmentResponse{a}, nil
}

// merge takes over what the mask names. A client may write names in camel case.
func (a *Assessment) merge(change *Assessment, mask []string) error {
	old := a.kind()
	for _, path := range mask {
		switch strings.TrimSpace(path) {
		case "assessment_name", "assessmentName":
			a.Name = change.Name
		case feedback:
			if old == expectation {
				return rest.Invalid("Cannot update feedback value on an Expectation assessment.")
			}
			a.Feedback = change.Feedback
		case expectation:
			if old != expectation {
				return rest.Invalid("Cannot update expectation value on a Feedback assessment.")
			}
			a.Expectation = change.Expectation
		case "rationale":
			a.Rationale = change.Rationale
		case "metadata":
			if a.Metadata == nil {
				a.Metadata = map[string]string{}
			}
			for k, v := range change.Metadata {
				a.Metadata[k] = v
			}
		default:
			return rest.Invalid("The field '%s' of an assessment cannot be updated.", path)
		}
	}
	if a.kind() != old {
		return rest.Invalid("The update mask names a field that the assessment in the request lacks.")
	}
	return a.check()
}

func (s *Service) deleteAssessment(ctx context.Context, in *assessmentRequest) (*empty, error) {
	return nil, s.writeTrace(ctx, in.TraceID, func(ctx context.Context, q db.Querier, r row) error {
		a, err := assessmentByID(ctx, q, r, in.AssessmentID)
		if rest.IsCode(err, rest.ResourceDoesNotExist) {
			return nil // as MLflow: what is gone is deleted
		}
		if err != nil {
			return err
		}
		if a.Overrides != "" {
			if _, err := setValid(ctx, q, r.id, a.Overrides, true); err != nil {
				return err
			}
		}
		_, err = q.ExecContext(ctx, `DELETE FROM assessments WHERE trace = ? AND assessment_id = ?`, r.id, in.AssessmentID)
		return err
	})
}

func noAssessment(id, traceID string) error {
	return rest.NotFound("Assessment with ID '%s' not found for trace '%s'", id, traceID)
}

// assessmentRow is how an assessment lies in its table.
type assessmentRow struct {
	kind, body, metadata string
	value                *string
	number               *float64
	source               AssessmentSource
}

func (a *Assessment) row() (assessmentRow, error) {
	r := assessmentRow{kind: a.kind()}
	var body any
	var value json.RawMessage
	switch r.kind {
	case feedback:
		body, value = a.Feedback, a.Feedback.Value
	case expectation:
		body, value = a.Expectation, a.Expectation.Value
		if sv := a.Expectation.SerializedValue; sv != nil {
			value = json.RawMessage(sv.Value)
		}
	default:
		body = a.Issue
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return r, err
	}
	r.body = string(raw)
	r.value, r.number = searchable(value)
	if a.Source != nil {
		r.source = *a.Source
	}
	if len(a.Metadata) > 0 {
		if raw, err = json.Marshal(a.Metadata); err != nil {
			return r, err
		}
		r.metadata = string(raw)
	}
	return r, nil
}

// searchable is a value as text, without the quotes of a string, and as a number.
func searchable(value json.RawMessage) (*string, *float64) {
	if len(value) == 0 {
		return nil, nil
	}
	text := string(value)
	if json.Unmarshal(value, &text) == nil { // a string
		return &text, nil
	}
	if text == "true" || text == "false" { // as MLflow counts them
		n := float64(oneIf(text == "true"))
		return &text, &n
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return &text, nil
	}
	return &text, &n
}

func insertAssessment(ctx context.Context, q db.Querier, trace int64, a Assessment) error {
	r, err := a.row()
	if err != nil {
		return err
	}
	_, err = q.ExecContext(ctx, `INSERT INTO assessments (trace, assessment_id, name, kind, span_id, source_type, source_id, body, value, number,
		rationale, metadata, overrides, valid, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (trace, assessment_id) DO UPDATE SET body = excluded.body, value = excluded.value, number = excluded.number, updated_ms = excluded.updated_ms`,
		trace, a.AssessmentID, a.Name, r.kind, a.SpanID, string(r.source.SourceType), r.source.SourceID, r.body, r.value, r.number,
		a.Rationale, r.metadata, a.Overrides, oneIf(*a.Valid), int64(*a.CreateTime), int64(*a.LastUpdateTime))
	return err
}

func replaceAssessment(ctx context.Context, q db.Querier, trace int64, a Assessment) error {
	r, err := a.row()
	if err != nil {
		return err
	}
	_, err = q.ExecContext(ctx, `UPDATE assessments SET name = ?, body = ?, value = ?, number = ?, rationale = ?, metadata = ?, updated_ms = ?
		WHERE trace = ? AND assessment_id = ?`, a.Name, r.body, r.value, r.number, a.Rationale, r.metadata, int64(*a.LastUpdateTime), trace, a.AssessmentID)
	return err
}

func setValid(ctx context.Context, q db.Querier, trace int64, id string, valid bool) (bool, error) {
	res, err := q.ExecContext(ctx, `UPDATE assessments SET valid = ? WHERE trace = ? AND assessment_id = ?`, oneIf(valid), trace, id)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

const assessmentColumns = `a.trace, t.trace_id, a.assessment_id, a.name, a.kind, a.span_id, a.source_type, a.source_id, a.body, a.rationale, a.metadata,
	a.overrides, a.valid, a.created_ms, a.updated_ms FROM assessments a JOIN traces t ON t.id = a.trace`

func scanAssessment(scan func(...any) error) (trace int64, a Assessment, err error) {
	var kind, body, metadata string
	var valid int64
	source, created, updated := AssessmentSource{}, Timestamp(0), Timestamp(0)
	err = scan(&trace, &a.TraceID, &a.AssessmentID, &a.Name, &kind, &a.SpanID, (*string)(&source.SourceType), &source.SourceID, &body, &a.Rationale,
		&metadata, &a.Overrides, &valid, (*int64)(&created), (*int64)(&updated))
	if err != nil {
		return 0, a, err
	}
	isValid := valid != 0
	a.CreateTime, a.LastUpdateTime, a.Valid = &created, &updated, &isValid
	if source != (AssessmentSource{}) {
		a.Source = &source
	}
	var into any
	switch kind {
	case feedback:
		a.Feedback = &Feedback{}
		into = a.Feedback
	case expectation:
		a.Expectation = &Expectation{}
		into = a.Expectation
	default:
		a.Issue = &IssueReference{}
		into = a.Issue
	}
	if err = json.Unmarshal([]byte(body), into); err == nil && metadata != "" {
		err = json.Unmarshal([]byte(metadata), &a.Metadata)
	}
	return trace, a, err
}

func assessmentByID(ctx context.Context, q db.Querier, r row, id string) (Assessment, error) {
	_, a, err := scanAssessment(q.QueryRowContext(ctx, `SELECT `+assessmentColumns+` WHERE a.trace = ? AND a.assessment_id = ?`, r.id, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = noAssessment(id, r.info.TraceID)
	}
	return a, err
}

func assessmentsOf(ctx context.Context, q db.Querier, list string) (map[int64][]Assessment, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+assessmentColumns+` WHERE a.trace IN (`+list+`) ORDER BY a.created_ms, a.id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64][]Assessment{}
	for rows.Next() {
		trace, a, err := scanAssessment(rows.Scan)
		if err != nil {
			return nil, err
		}
		out[trace] = append(out[trace], a)
	}
	return out, rows.Err()
}
