package engine

import (
	"context"
	"sort"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/millpond/millpond/internal/evidence"
	"github.com/millpond/millpond/internal/ml"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
)

// Limits of a session's model cache, Spark's defaults.
const (
	maxModelBytes = 1 << 30
	maxCacheBytes = 2 << 30
)

// models keeps a session's fitted models by id.
type models struct {
	mu        sync.Mutex
	byID      map[string]ml.Model
	summaries map[string]ml.Summary
	size      int64
}

func newModels() *models {
	return &models{byID: map[string]ml.Model{}, summaries: map[string]ml.Summary{}}
}

func (m *models) addSummary(s ml.Summary) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := uuid.NewString()
	m.summaries[id] = s
	return id
}

// object finds a model or a summary.
func (m *models) object(id string) (any, error) {
	m.mu.Lock()
	s, ok := m.summaries[id]
	m.mu.Unlock()
	if ok {
		return s, nil
	}
	return m.get(id)
}

func (m *models) add(model ml.Model) (string, error) {
	n := model.SizeBytes()
	if n > maxModelBytes {
		return "", sparkerr.New(sparkerr.ClassSpark, "CONNECT_ML.MODEL_SIZE_OVERFLOW_EXCEPTION", "modelSize", ml.FormatValue(n), "modelMaxSize", ml.FormatValue(maxModelBytes))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.size+n > maxCacheBytes {
		return "", sparkerr.New(sparkerr.ClassSpark, "CONNECT_ML.ML_CACHE_SIZE_OVERFLOW_EXCEPTION", "mlCacheMaxSize", ml.FormatValue(maxCacheBytes))
	}
	id := uuid.NewString()
	m.byID[id] = model
	m.size += n
	return id, nil
}

func (m *models) get(id string) (ml.Model, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if model, ok := m.byID[id]; ok {
		return model, nil
	}
	return nil, sparkerr.New(sparkerr.ClassSpark, "CONNECT_ML.CACHE_INVALID", "objectName", id, "evictTimeoutInMinutes", "60")
}

func (m *models) remove(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.summaries[id]; ok {
		delete(m.summaries, id)
		return true
	}
	model, ok := m.byID[id]
	if ok {
		m.size -= model.SizeBytes()
		delete(m.byID, id)
	}
	return ok
}

func (m *models) clear() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.byID) + len(m.summaries)
	m.byID, m.summaries, m.size = map[string]ml.Model{}, map[string]ml.Summary{}, 0
	return n
}

// operatorOf makes an operator of a class with parameters.
func operatorOf(class, uid string, params map[string]any) (ml.Operator, error) {
	spec, err := ml.Lookup(class)
	if err != nil {
		return nil, err
	}
	if spec.New == nil {
		return nil, sparkerr.New(sparkerr.ClassSpark, "CONNECT_ML.UNSUPPORTED_EXCEPTION", "message", class+" cannot be made without fitting or loading")
	}
	p := ml.NewParams(spec)
	for k, v := range params {
		if err := p.Set(uid, k, v); err != nil {
			return nil, err
		}
	}
	return spec.New(uid, p), nil
}

// withParams gives a cached model with the client's parameters.
func withParams(model ml.Model, params map[string]any) (ml.Model, error) {
	if len(params) == 0 {
		return model, nil
	}
	p := model.Params().Copy()
	for k, v := range params {
		if model.Spec().Param(k) == nil {
			continue // a parameter of the estimator that its model does not have
		}
		if err := p.Set(model.UID(), k, v); err != nil {
			return nil, err
		}
	}
	return model.WithParams(p), nil
}

// Fit fits an estimator and answers the new model's id.
func (s *Session) Fit(ctx context.Context, class, uid string, params map[string]any, data plan.Relation) (string, error) {
	op, err := operatorOf(class, uid, params)
	if err != nil {
		return "", err
	}
	est, ok := op.(ml.Estimator)
	if !ok {
		return "", sparkerr.New(sparkerr.ClassSpark, "CONNECT_ML.UNSUPPORTED_EXCEPTION", "message", class+" is not an estimator")
	}
	f, err := s.frameOf(ctx, data)
	if err != nil {
		return "", err
	}
	if _, err := est.TransformSchema(f.Schema()); err != nil {
		return "", err
	}
	told := s.watchFrame(f)
	model, err := est.Fit(ctx, f)
	if err != nil {
		return "", err
	}
	told(data, func(in evidence.Input) evidence.Event {
		return evidence.Fit{Estimator: est.Spec().ShortName(), UID: uid, Params: est.Params().All(), Input: in}
	})
	return s.models.add(model)
}

// Evaluate scores predictions.
func (s *Session) Evaluate(ctx context.Context, class, uid string, params map[string]any, data plan.Relation) (float64, error) {
	op, err := operatorOf(class, uid, params)
	if err != nil {
		return 0, err
	}
	ev, ok := op.(ml.Evaluator)
	if !ok {
		return 0, sparkerr.New(sparkerr.ClassSpark, "CONNECT_ML.UNSUPPORTED_EXCEPTION", "message", class+" is not an evaluator")
	}
	f, err := s.frameOf(ctx, data)
	if err != nil {
		return 0, err
	}
	told := s.watchFrame(f)
	value, err := ev.Evaluate(ctx, f)
	if err != nil {
		return 0, err
	}
	told(data, func(in evidence.Input) evidence.Event {
		return evidence.Evaluation{Evaluator: ev.Spec().ShortName(), Metric: ev.Params().String("metricName"), Value: value, Params: ev.Params().All(), Input: in}
	})
	return value, nil
}

// DeleteModels forgets models and answers the ids that were there.
func (s *Session) DeleteModels(ids []string) []string {
	var gone []string
	for _, id := range ids {
		if s.models.remove(id) {
			gone = append(gone, id)
		}
	}
	return gone
}

// ClearModels forgets all models and answers how many there were.
func (s *Session) ClearModels() int { return s.models.clear() }

// ModelInfo lists the cached models.
func (s *Session) ModelInfo() []string {
	s.models.mu.Lock()
	defer s.models.mu.Unlock()
	var out []string
	for id, m := range s.models.byID {
		out = append(out, "id: "+id+", obj: "+m.Spec().ShortName()+", size: "+ml.FormatValue(m.SizeBytes()))
	}
	sort.Strings(out)
	return out
}

// ModelSize estimates a model's memory in bytes.
func (s *Session) ModelSize(id string) (int64, error) {
	m, err := s.models.get(id)
	if err != nil {
		return 0, err
	}
	return m.SizeBytes(), nil
}

// ModelID is an answer that is a cached model; ModelIDs one that is several; SummaryID one that
// is a summary made on demand.
type (
	ModelID   string
	ModelIDs  []string
	SummaryID string
)

// Fetch answers an attribute of an ML object: an ml.Value, a frame, ModelID or ModelIDs.
func (s *Session) Fetch(ctx context.Context, id string, methods []plan.Method) (any, error) {
	if id == helperID {
		return s.helper(ctx, methods)
	}
	cur, err := s.models.object(strings.TrimSuffix(id, ".summary"))
	if err != nil {
		return nil, err
	}
	for _, m := range methods {
		args, err := s.fetchArgs(ctx, m.Args)
		if err != nil {
			return nil, err
		}
		if cur, err = s.step(ctx, cur, m.Name, args); err != nil {
			return nil, err
		}
	}
	switch v := cur.(type) {
	case ml.Model:
		id, err := s.models.add(v)
		return ModelID(id), err
	case ml.Summary:
		return SummaryID(s.models.addSummary(v)), nil
	case []ml.Model:
		ids := make(ModelIDs, len(v))
		for i, m := range v {
			if ids[i], err = s.models.add(m); err != nil {
				return nil, err
			}
		}
		return ids, nil
	}
	return cur, nil
}

func (s *Session) step(ctx context.Context, cur any, name string, args []any) (any, error) {
	switch v := cur.(type) {
	case ml.Model:
		if name == "summary" && len(args) == 0 {
			sum := v.Summary()
			if sum == nil {
				return nil, sparkerr.New(sparkerr.ClassSpark, "CONNECT_ML.MODEL_SUMMARY_LOST", "objectName", v.UID())
			}
			return sum, nil
		}
		return v.Attr(ctx, name, args)
	case ml.Summary:
		return v.Attr(ctx, name, args)
	}
	return nil, sparkerr.New(sparkerr.ClassSpark, "CONNECT_ML.ATTRIBUTE_NOT_ALLOWED", "attribute", name, "className", "a value")
}

func (s *Session) fetchArgs(ctx context.Context, args []any) ([]any, error) {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = a
		if r, ok := a.(plan.Relation); ok {
			f, err := s.frameOf(ctx, r)
			if err != nil {
				return nil, err
			}
			out[i] = ml.Frame(f)
		}
	}
	return out, nil
}

// WriteModel saves a cached model (by id) or an operator of a class.
func (s *Session) WriteModel(id, class, uid string, params map[string]any, path string, overwrite bool) error {
	var op ml.Operator
	if id != "" {
		model, err := s.models.get(id)
		if err != nil {
			return err
		}
		if op, err = withParams(model, params); err != nil {
			return err
		}
	} else {
		var err error
		if op, err = operatorOf(class, uid, params); err != nil {
			return err
		}
	}
	local, err := localPath(path)
	if err != nil {
		return err
	}
	return ml.Save(op, local, overwrite)
}

// Loaded is an operator read from disk; ID is set for models.
type Loaded struct {
	ID, Class, UID string
	Params         map[string]any
}

// ReadModel loads an operator of a class.
func (s *Session) ReadModel(class, path string) (*Loaded, error) {
	if _, err := ml.Lookup(class); err != nil {
		return nil, err
	}
	local, err := localPath(path)
	if err != nil {
		return nil, err
	}
	op, err := ml.Load(local, class)
	if err != nil {
		return nil, err
	}
	s.tell(func() evidence.Event { return evidence.Loaded{Class: op.Spec().ShortName(), Path: path} })
	out := &Loaded{Class: class, UID: op.UID(), Params: op.Params().Explicit()}
	if model, ok := op.(ml.Model); ok {
		if out.ID, err = s.models.add(model); err != nil {
			return nil, err
		}
	}
	return out, nil
}
