package trace

import (
	"context"

	otlp "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/millpond/millpond/internal/db"
)

// Restore stores a trace as it was elsewhere, with its spans and assessments,
// in an experiment and with files at an address here. It leaves one alone that
// is here already, and says so.
func Restore(ctx context.Context, q db.Querier, experiment int64, location string, info *Info, spans []*otlp.Span) (made bool, err error) {
	id, made, err := insertTrace(ctx, q, experiment, info)
	if err != nil || !made {
		return false, err
	}
	if info.Tags == nil {
		info.Tags = map[string]string{}
	}
	info.Tags[locationTag] = location
	if err := setPairs(ctx, q, tagTable, id, info.Tags); err != nil {
		return false, err
	}
	if err := setPairs(ctx, q, metadataTable, id, info.TraceMetadata); err != nil {
		return false, err
	}
	b := &batch{traceID: info.TraceID, tags: map[string]string{}}
	for _, span := range spans {
		if err := b.add(span); err != nil {
			return false, err
		}
	}
	if err := b.insert(ctx, q, id); err != nil {
		return false, err
	}
	for _, a := range info.Assessments {
		kept := a.stored(info.TraceID, 0)
		kept.Valid = a.Valid
		if err := insertAssessment(ctx, q, id, kept); err != nil {
			return false, err
		}
	}
	return true, nil
}
