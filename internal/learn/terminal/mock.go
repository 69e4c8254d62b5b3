package terminal

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/millpond/millpond/internal/learn"
	"github.com/millpond/millpond/internal/learn/exam"
)

// errStop is the learner's q: the same as the end of input.
var errStop = io.EOF

// mockHelp names the commands: none of them is the letter of an option, A to F.
const mockHelp = "Letters to answer; n next, p back, m mark for review, g NUMBER go to, l list, x end the exam, q leave."

func clock(seconds int) string {
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

// mock goes on with the mock that runs, or starts one.
func (u *ui) mock(ctx context.Context, args []string) error {
	m, err := u.runningMock(ctx, args)
	if err != nil {
		return err
	}
	if u.json {
		return u.printJSON(m)
	}
	u.say("%d questions, %s left. A wrong answer costs nothing: answer every one.", len(m.Questions), clock(m.Remaining))
	u.say("%s The clock runs on while you are away.", mockHelp)
	for at := firstOpen(m); ; {
		q := &m.Questions[at]
		u.say("")
		flag := ""
		if q.Flagged {
			flag = " · marked"
		}
		u.question(q.Question, fmt.Sprintf("Question %d of %d · %d answered · %s left%s", at+1, len(m.Questions), answeredIn(m), clock(m.Remaining), flag), q.Chosen)
		text, err := u.ask("> ")
		if err != nil && !ended(err) {
			return err
		}
		text = strings.ToLower(text)
		switch {
		case ended(err), text == "q":
			u.say("The exam waits, its clock does not. Go on with: millpond learn mock")
			return nil
		case text == "x":
			if done, err := u.endMock(ctx, m); done || err != nil {
				return err
			}
		case text == "l":
			u.listMock(m)
		default:
			next, over, err := u.mockStep(ctx, m, at, text)
			if err != nil {
				return err
			}
			if over {
				u.say("The time is over.")
				return u.finishMock(ctx, m)
			}
			at = next
		}
	}
}

func (u *ui) runningMock(ctx context.Context, args []string) (*learn.MockView, error) {
	var list learn.MocksResponse
	if err := u.api.get(ctx, "/mocks", &list); err != nil {
		return nil, err
	}
	m := &learn.MockView{}
	for _, x := range list.Mocks {
		if x.Finished == nil {
			return m, u.api.get(ctx, "/mocks/"+x.ID, m)
		}
	}
	in := body{}
	if len(args) == 1 {
		in["map"] = args[0]
	}
	return m, u.api.post(ctx, "/mocks", in, m)
}

func firstOpen(m *learn.MockView) int {
	for i, q := range m.Questions {
		if len(q.Chosen) == 0 {
			return i
		}
	}
	return 0
}

func answeredIn(m *learn.MockView) int {
	n := 0
	for _, q := range m.Questions {
		if len(q.Chosen) > 0 {
			n++
		}
	}
	return n
}

// mockStep does what was typed at a question, and says where to go on; over means that the time is.
func (u *ui) mockStep(ctx context.Context, m *learn.MockView, at int, text string) (next int, over bool, err error) {
	q, last := &m.Questions[at], len(m.Questions)-1
	in := body{}
	switch {
	case text == "n" || text == "":
		return min(at+1, last), false, nil
	case text == "p":
		return max(at-1, 0), false, nil
	case strings.HasPrefix(text, "g"):
		if n, err := strconv.Atoi(strings.TrimSpace(text[1:])); err == nil && n >= 1 && n <= len(m.Questions) {
			return n - 1, false, nil
		}
		u.say("g 12 goes to question 12.")
		return at, false, nil
	case text == "m":
		in["flagged"], next = !q.Flagged, at
	default:
		chosen, ok := letters(q.Question, text)
		if !ok {
			u.say(mockHelp)
			return at, false, nil
		}
		in["chosen"], next = chosen, min(at+1, last)
	}
	var r learn.MarkResponse
	err = u.api.post(ctx, "/mocks/"+m.ID+"/questions/"+strconv.Itoa(q.Place), in, &r)
	if isOver(err) {
		return at, true, nil
	}
	if err != nil {
		return at, false, err
	}
	m.Remaining = r.Remaining
	if c, ok := in["chosen"].([]int); ok {
		q.Chosen = c
	}
	if f, ok := in["flagged"].(bool); ok {
		q.Flagged = f
	}
	return next, false, nil
}

func (u *ui) listMock(m *learn.MockView) {
	var b strings.Builder
	for i, q := range m.Questions {
		mark := "·"
		if len(q.Chosen) > 0 {
			mark = "✓"
		}
		if q.Flagged {
			mark += "!"
		}
		fmt.Fprintf(&b, "%d%s ", i+1, mark)
	}
	u.line("", b.String())
	u.say("✓ answered, ! marked for review")
}

func (u *ui) endMock(ctx context.Context, m *learn.MockView) (bool, error) {
	open := len(m.Questions) - answeredIn(m)
	text, err := u.ask(fmt.Sprintf("End the exam with %d questions open and %s left? [y/N] ", open, clock(m.Remaining)))
	if err != nil || !strings.HasPrefix(strings.ToLower(text), "y") {
		return false, nil
	}
	return true, u.finishMock(ctx, m)
}

func (u *ui) finishMock(ctx context.Context, m *learn.MockView) error {
	var r learn.ReviewResponse
	if err := u.api.post(ctx, "/mocks/"+m.ID+"/finish", nil, &r); err != nil {
		return err
	}
	u.result(r.Result)
	text, err := u.ask("Look at the questions that were not right? [Y/n] ")
	if err != nil || strings.HasPrefix(strings.ToLower(text), "n") {
		return nil
	}
	for _, q := range r.Review {
		if q.Correct {
			continue
		}
		u.say("")
		u.question(q.Question, fmt.Sprintf("Question %d", q.Place+1), q.Chosen)
		u.explain(q.Question, q.Chosen, q.Explained, false)
		if _, err := u.ask("Enter for the next. "); err != nil {
			return nil
		}
	}
	return nil
}

func (u *ui) result(r *exam.Result) {
	u.say("")
	verdict := u.style.wrap(u.style.bad, "not passed")
	if r.Passed {
		verdict = u.style.wrap(u.style.good, "passed")
	}
	u.title(fmt.Sprintf("%d of %d right, %d %%: %s (%d %% are needed)", r.Right, r.Total, r.Percent, verdict, r.Mark))
	for _, d := range r.Domains {
		mark := u.style.wrap(u.style.bad, "✗")
		if d.Passed {
			mark = u.style.wrap(u.style.good, "✓")
		}
		u.say("  %s %-46s %d of %d", mark, d.Title, d.Right, d.Total)
	}
	u.say("")
}
