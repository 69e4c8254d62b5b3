// Package learn is the study course as a service: topics, questions by spaced repetition, mock
// exams, labs that the server judges by what happened on it, plans and progress. In come requests
// of the command line and the pages, out go JSON answers; a question's right options leave only
// once it has been answered. What is taught is content (learn/course), what was done is kept by
// learn/progress.
package learn

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/evidence"
	"github.com/millpond/millpond/internal/learn/attempt"
	"github.com/millpond/millpond/internal/learn/course"
	"github.com/millpond/millpond/internal/learn/progress"
	"github.com/millpond/millpond/internal/rest"
)

// Options is what the course needs of the program.
type Options struct {
	Course  *course.Course
	Records *db.DB
	Log     *evidence.Log // hears the sessions of labs
	MLflow  http.Handler  // MLflow's REST API, asked in process
	Connect string        // where Spark Connect listens, host:port
	Now     func() time.Time
	Random  *rand.Rand // nil for one that nobody can foresee
}

// Service answers requests about the course.
type Service struct {
	course   *course.Course
	store    *progress.Store
	attempts *attempt.Attempts
	connect  string
	now      func() time.Time
	random   func() *rand.Rand
}

// New makes the service.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{course: o.Course, store: progress.NewStore(o.Records), connect: o.Connect, now: o.Now,
		attempts: attempt.New(attempt.Options{Log: o.Log, MLflow: o.MLflow, Now: o.Now})}
	s.random = func() *rand.Rand {
		if o.Random != nil {
			return o.Random
		}
		return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	return s
}

// Witness hears the MLflow requests of labs' attempts.
func (s *Service) Witness(next http.Handler) http.Handler { return s.attempts.Witness(next) }

// Prefix is where the course's API stands.
const Prefix = "/api/millpond/learn"

// Mount adds the service's routes to the mux.
func (s *Service) Mount(mux *rest.Mux) { mux.Handle(s.Routes()...) }

// Routes lists the service's endpoints.
func (s *Service) Routes() []rest.Route {
	return rest.Under([]string{Prefix},
		rest.Op("GET", "/course", "getCourse", s.overview),
		rest.Op("GET", "/objectives", "listObjectives", s.objectives),
		rest.Op("GET", "/topics", "listTopics", s.topics),
		rest.Op("GET", "/topics/{topic}", "getTopic", s.topic),
		rest.Op("POST", "/topics/{topic}/finish", "finishTopic", s.finishTopic),
		rest.Op("GET", "/cheatsheets/{domain}", "getCheatSheet", s.cheatSheet),
		rest.Op("GET", "/questions", "chooseQuestions", s.questions),
		rest.Op("POST", "/questions/{question}/answer", "answerQuestion", s.answer),
		rest.Op("GET", "/mocks", "listMocks", s.mocks),
		rest.Op("POST", "/mocks", "startMock", s.startMock),
		rest.Op("GET", "/mocks/{mock}", "getMock", s.mock),
		rest.Op("POST", "/mocks/{mock}/questions/{place}", "markMockQuestion", s.markMock),
		rest.Op("POST", "/mocks/{mock}/finish", "finishMock", s.finishMock),
		rest.Op("GET", "/mocks/{mock}/review", "reviewMock", s.reviewMock),
		rest.Op("GET", "/labs", "listLabs", s.labs),
		rest.Op("GET", "/labs/{lab}", "getLab", s.lab),
		rest.Op("POST", "/labs/{lab}/start", "startLab", s.startLab),
		rest.Op("POST", "/labs/{lab}/hint", "hintLab", s.hintLab),
		rest.Op("POST", "/labs/{lab}/solution", "solveLab", s.solveLab),
		rest.Op("POST", "/labs/{lab}/reset", "resetLab", s.resetLab),
		rest.Op("POST", "/labs/{lab}/attempts", "startAttempt", s.startAttempt),
		rest.Op("GET", "/attempts/{attempt}/evidence", "getEvidence", s.evidence),
		rest.Op("POST", "/attempts/{attempt}/judge", "judgeAttempt", s.judge),
		rest.Op("GET", "/plans", "listPlans", s.plans),
		rest.Op("GET", "/plan", "getAgenda", s.agenda),
		rest.Op("POST", "/plan", "followPlan", s.follow),
		rest.Op("GET", "/progress", "getProgress", s.progress),
		rest.Op("GET", "/export", "exportProgress", s.export),
		rest.Op("POST", "/import", "importProgress", s.importRecord),
	)
}

// defaultLearner is who learns when nobody says: most servers have one learner, who uses the
// command line and the pages.
const defaultLearner = "me"

const maxLearner = 200

// learnerOf says whose record a request is about: that of who is signed in, where access is
// controlled, and there nobody else's.
func learnerOf(ctx context.Context, name string) (string, error) {
	if user := rest.User(ctx); user != rest.LocalUser {
		if name != "" && name != user {
			return "", rest.Errorf(rest.PermissionDenied, "You are signed in as '%s'; the progress of '%s' is not yours.", user, name)
		}
		return user, nil
	}
	if name == "" {
		return defaultLearner, nil
	}
	if len(name) > maxLearner {
		return "", rest.Invalid("The name of a learner has at most %d bytes.", maxLearner)
	}
	return name, nil
}

// record reads what a learner did.
func (s *Service) record(ctx context.Context, learner string) (*progress.Record, error) {
	who, err := learnerOf(ctx, learner)
	if err != nil {
		return nil, err
	}
	return s.store.Record(ctx, who)
}

// empty is an answer that says only that it was done.
type empty struct{}

// answered turns errors of the packages below into answers.
func answered(err error) error {
	switch {
	case errors.Is(err, progress.ErrNoMock), errors.Is(err, progress.ErrNoPlace), errors.Is(err, attempt.ErrUnknown):
		return rest.NotFound("%s", sentence(err))
	case errors.Is(err, progress.ErrFinished):
		return &rest.Error{Code: rest.InvalidState, HTTP: http.StatusConflict, Message: sentence(err)}
	}
	return err
}

func sentence(err error) string {
	text := err.Error()
	return string(text[0]-'a'+'A') + text[1:] + "."
}

type (
	learnerRequest struct {
		Learner string `json:"learner"`
	}
	OverviewResponse struct {
		Maps       []*course.Map `json:"maps"`
		Plans      []PlanInfo    `json:"plans"`
		Objectives int           `json:"objectives"`
		Topics     int           `json:"topics"`
		Questions  int           `json:"questions"`
		Labs       int           `json:"labs"`
	}
	PlanInfo struct {
		ID    string `json:"id"`
		Title string `json:"title"`
		For   string `json:"for"`
		Days  int    `json:"days"`
	}
)

func (s *Service) overview(context.Context, *learnerRequest) (*OverviewResponse, error) {
	c := s.course
	return &OverviewResponse{Maps: c.Maps, Plans: s.planInfos(), Objectives: len(c.Objectives), Topics: len(c.Topics), Questions: len(c.Questions), Labs: len(c.Labs)}, nil
}

func (s *Service) planInfos() []PlanInfo {
	var out []PlanInfo
	for _, p := range s.course.Plans {
		out = append(out, PlanInfo{p.ID, p.Title, p.For, len(p.Days)})
	}
	return out
}
