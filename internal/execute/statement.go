package execute

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/millpond/millpond/internal/column"
	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/progress"
)

// statement is a running SQL statement whose rows come as they are made.
type statement struct {
	conn    *connection
	query   *compile.Query
	attrs   []plan.Attr
	res     duck.Result
	opts    duck.ArrowOptions
	schema  *arrow.Schema
	sources []*source
	stop    func()
	stage   *progress.Stage
	ctx     context.Context
	closed  bool
	ended   bool
}

func columnName(at plan.Attr) string { return compile.Column(at.ID) }

// query starts a statement; its sources are streams under names, and again opens one anew: the
// engine reads a source of a correlated subquery more than once.
func (d *Database) query(ctx context.Context, settings map[string]string, q *compile.Query, sources map[string]Stream, again map[string]func() (Stream, error)) (*statement, error) {
	conn, err := d.connect(settings)
	if err != nil {
		closeAll(sources)
		return nil, err
	}
	s := &statement{conn: conn, query: q, attrs: q.Attrs, ctx: ctx}
	for name, in := range sources {
		delete(sources, name)
		src, err := openSource(ctx, conn, name, in)
		if err != nil {
			in.Close()
			s.Close()
			closeAll(sources)
			return nil, err
		}
		src.again = again[name]
		s.sources = append(s.sources, src)
	}
	s.stop = conn.interruptOn(ctx)
	s.stage = progress.Start(ctx, 0)
	s.stage.Poll(conn.progress)
	if err := s.start(); err != nil {
		err = s.failure(err)
		s.Close()
		return nil, err
	}
	return s, nil
}

func closeAll(sources map[string]Stream) {
	for _, s := range sources {
		s.Close()
	}
}

func (s *statement) start() error {
	var stmt duck.PreparedStatement
	defer duck.DestroyPrepare(&stmt)
	if duck.Prepare(s.conn.c, s.query.SQL, &stmt) == duck.StateError {
		return engineError(duck.PrepareError(stmt), s.query)
	}
	var pending duck.PendingResult
	defer duck.DestroyPending(&pending)
	if duck.PendingPreparedStreaming(stmt, &pending) == duck.StateError {
		return engineError(duck.PendingError(pending), s.query)
	}
	if err := finish(pending, &s.res, s.query); err != nil {
		return err
	}
	s.opts = duck.ResultGetArrowOptions(&s.res)
	n := duck.ColumnCount(&s.res)
	names, kinds := make([]string, n), make([]duck.LogicalType, n)
	for i := range n {
		names[i], kinds[i] = fmt.Sprint(i), duck.ColumnLogicalType(&s.res, i)
	}
	defer func() {
		for i := range kinds {
			duck.DestroyLogicalType(&kinds[i])
		}
	}()
	schema, ed := duck.NewArrowSchema(s.opts, kinds, names)
	s.schema = schema
	return dataError(ed)
}

func dataError(ed duck.ErrorData) error {
	defer duck.DestroyErrorData(&ed)
	if duck.ErrorDataHasError(ed) {
		return errors.New(duck.ErrorDataMessage(ed))
	}
	return nil
}

// failure prefers the error of a source, or the context's, to what DuckDB made of it.
func (s *statement) failure(err error) error {
	for _, src := range s.sources {
		if e := src.failed(); e != nil {
			return e
		}
	}
	if s.ctx.Err() != nil {
		return s.ctx.Err()
	}
	return err
}

func (s *statement) Columns() []plan.Attr { return s.attrs }

// Next gathers chunks of 2,048 rows to a batch in Go memory.
func (s *statement) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if s.ended {
		return nil, io.EOF
	}
	var chunks []arrow.RecordBatch
	defer func() {
		for _, c := range chunks {
			c.Release()
		}
	}()
	rows := int64(0)
	for rows < BatchRows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		chunk := duck.FetchChunk(s.res)
		if chunk.Ptr == nil {
			if text := duck.ResultError(&s.res); text != "" {
				return nil, s.failure(engineError(text, s.query))
			}
			s.ended = true
			break
		}
		rec, ed := duck.DataChunkToArrowArray(s.opts, s.schema, chunk)
		duck.DestroyDataChunk(&chunk)
		if err := dataError(ed); err != nil {
			return nil, err
		}
		chunks = append(chunks, rec)
		rows += rec.NumRows()
	}
	if e := s.failure(nil); e != nil {
		return nil, e
	}
	if rows == 0 {
		return nil, io.EOF
	}
	return s.gather(chunks, rows)
}

func (s *statement) gather(chunks []arrow.RecordBatch, rows int64) (arrow.RecordBatch, error) {
	names := map[string]int{}
	for i := range s.schema.NumFields() {
		names[duck.ColumnName(&s.res, duck.IdxT(i))] = i
	}
	cols := make([]arrow.Array, len(s.attrs))
	for i, at := range s.attrs {
		place, ok := names[columnName(at)]
		if !ok {
			return nil, fmt.Errorf("statement lacks column %s (%s)", columnName(at), at.Name)
		}
		parts := make([]arrow.Array, len(chunks))
		for k, c := range chunks {
			parts[k] = c.Column(place)
		}
		joined, err := array.Concatenate(parts, memory.DefaultAllocator)
		if err != nil {
			return nil, fmt.Errorf("gather column %s: %w", at.Name, err)
		}
		if cols[i], err = column.Conform(joined, at.Type); err != nil {
			return nil, fmt.Errorf("column %s: %w", at.Name, err)
		}
	}
	return Batch(s.attrs, cols, rows)
}

func (s *statement) Close() {
	if s.closed {
		return
	}
	s.closed = true
	s.stage.End()
	if s.stop != nil {
		s.stop()
	}
	if s.schema != nil {
		duck.DestroyArrowOptions(&s.opts)
	}
	duck.DestroyResult(&s.res)
	for _, src := range s.sources {
		src.close()
	}
	s.conn.close()
}
