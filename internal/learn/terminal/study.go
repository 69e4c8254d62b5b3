package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/millpond/millpond/internal/learn"
	"github.com/millpond/millpond/internal/learn/agenda"
	"github.com/millpond/millpond/internal/learn/progress"
	"github.com/millpond/millpond/internal/learn/readiness"
)

func (u *ui) studyCommands() []*cobra.Command {
	topic := &cobra.Command{Use: "topic [TOPIC]", Short: "Read a topic, or list them", Args: cobra.MaximumNArgs(1), RunE: u.run(u.topic)}
	var p practising
	practice := &cobra.Command{Use: "practice", Short: "Answer questions, spaced so that they stay", Args: cobra.NoArgs, RunE: u.run(func(ctx context.Context, _ []string) error { return u.practise(ctx, p) })}
	practice.Flags().StringVar(&p.domain, "domain", "", "only one domain of the map")
	practice.Flags().StringVar(&p.objective, "objective", "", "only one objective")
	practice.Flags().StringVar(&p.tier, "tier", "", "only one tier: 1 must know, 2 should know, 3 recognise")
	practice.Flags().BoolVar(&p.weak, "weak", false, "only what is weak or new")
	practice.Flags().StringVar(&p.count, "count", "10", "how many questions")
	practice.Flags().StringVar(&p.mapID, "map", "", "the exam map: guide or vendor")
	quiz := &cobra.Command{Use: "quiz DOMAIN", Short: "A quick check of one domain: five questions", Args: cobra.ExactArgs(1), RunE: u.run(func(ctx context.Context, args []string) error {
		return u.practise(ctx, practising{domain: args[0], count: "5", quick: true, mapID: p.mapID})
	})}
	quiz.Flags().StringVar(&p.mapID, "map", "", "the exam map: guide or vendor")
	mock := &cobra.Command{Use: "mock [MAP]", Short: "Take a mock exam, or go on with the one that runs", Args: cobra.MaximumNArgs(1), RunE: u.run(u.mock)}
	var start string
	plan := &cobra.Command{Use: "plan [PLAN]", Short: "Today's list; with a name, follow that plan", Args: cobra.MaximumNArgs(1), RunE: u.run(func(ctx context.Context, args []string) error { return u.plan(ctx, args, start) })}
	plan.Flags().StringVar(&start, "start", "", "the plan's first day, such as 2026-11-26 (default: today)")
	var mapID string
	prog := &cobra.Command{Use: "progress", Short: "How ready you are, by domain, and the checklist", Args: cobra.NoArgs, RunE: u.run(func(ctx context.Context, _ []string) error { return u.progress(ctx, mapID) })}
	prog.Flags().StringVar(&mapID, "map", "", "the exam map: guide or vendor (default: the plan's)")
	sheet := &cobra.Command{Use: "cheatsheet DOMAIN", Short: "All that is to be remembered of a domain", Args: cobra.ExactArgs(1), RunE: u.run(u.cheatSheet)}
	export := &cobra.Command{Use: "export [FILE]", Short: "Write all progress as JSON", Args: cobra.MaximumNArgs(1), RunE: u.run(u.export)}
	imp := &cobra.Command{Use: "import FILE", Short: "Put exported progress in the place of what is there", Args: cobra.ExactArgs(1), RunE: u.run(u.importFile)}
	return []*cobra.Command{topic, quiz, practice, mock, plan, prog, sheet, export, imp}
}

// home says where the learner is and what to do next.
func (u *ui) home(ctx context.Context, _ []string) error {
	var p learn.ProgressResponse
	if err := u.api.get(ctx, "/progress", &p); err != nil {
		return err
	}
	if u.json {
		return u.printJSON(p)
	}
	u.title("Learn")
	u.say("")
	n := p.Counts
	u.say("topics %d of %d · questions %d of %d · labs %d of %d · readiness %s", n["topics"].Done, n["topics"].Of, n["questions"].Done, n["questions"].Of,
		n["labs"].Done, n["labs"].Of, percents(p.Score))
	u.say("")
	if p.Mock != nil {
		u.say("A mock exam runs: %s left, %d answered. Go on with: millpond learn mock", clock(p.Mock.Remaining), p.Mock.Answered)
		u.say("")
	}
	if n["topics"].Done+n["questions"].Done+n["labs"].Done == 0 && p.Mock == nil {
		u.welcome(p.NextLab)
		return nil
	}
	var a agenda.Agenda
	switch err := u.api.get(ctx, "/plan", &a); {
	case isMissing(err):
		u.say("Choose a plan with `millpond learn plan`, or simply go on:")
		u.next(&p)
	case err != nil:
		return err
	default:
		u.agenda(&a)
	}
	return nil
}

func (u *ui) welcome(lab string) {
	u.show("Welcome. Solve a first lab, it takes five minutes: a small script with a hole, which the server checks by what the script did.\n\n" +
		"    millpond learn start " + lab + "\n    millpond learn check\n\n" +
		"Or choose a plan (`millpond learn plan`), read (`millpond learn topic`), answer questions (`millpond learn practice`), take a mock exam (`millpond learn mock`).")
}

func (u *ui) next(p *learn.ProgressResponse) {
	if p.Due > 0 {
		u.say("  millpond learn practice        %d questions are due", p.Due)
	}
	if p.NextLab != "" {
		u.say("  millpond learn start %s", p.NextLab)
	}
	u.say("  millpond learn mock            a mock exam")
	u.say("  millpond learn progress        what is missing")
}

// percents prints a score with its interval.
func percents(s readiness.Score) string {
	if s.Evidence == 0 {
		return "not known yet"
	}
	return fmt.Sprintf("%.0f %% (%.0f to %.0f)", 100*s.Mean, 100*s.Low, 100*s.High)
}

func (u *ui) topic(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return u.topics(ctx)
	}
	var t learn.TopicResponse
	if err := u.api.get(ctx, "/topics/"+args[0], &t); err != nil {
		return err
	}
	if err := u.api.post(ctx, "/topics/"+args[0]+"/finish", nil, nil); err != nil {
		return err
	}
	if u.json {
		return u.printJSON(t)
	}
	u.title(t.Title)
	u.say("%s", u.style.wrap(u.style.dim, fmt.Sprintf("%s · about %d minutes · facts checked %s", tiers[t.Tier], t.Minutes, t.Checked)))
	u.say("")
	u.show(t.Body)
	u.say("")
	u.title("Remember")
	for _, r := range t.Remember {
		u.line("- ", r)
	}
	u.say("")
	u.line("Sources: ", strings.Join(t.Sources, "; "))
	for _, o := range t.Objectives {
		u.say("Practise:  millpond learn practice --objective %s", o)
	}
	for _, l := range t.Labs {
		u.say("Lab:       millpond learn start %s", l)
	}
	return nil
}

var tiers = map[int]string{1: "must know", 2: "should know", 3: "recognise"}

func (u *ui) topics(ctx context.Context) error {
	var list learn.TopicsResponse
	if err := u.api.get(ctx, "/topics", &list); err != nil {
		return err
	}
	if u.json {
		return u.printJSON(list)
	}
	domain := ""
	for _, t := range list.Topics {
		if t.Domain != domain {
			domain = t.Domain
			u.say("")
			u.title(domain)
		}
		mark := "  "
		if t.Finished != nil {
			mark = u.style.wrap(u.style.good, "✓ ")
		}
		u.say("%s%-28s %s", mark, t.ID, t.Title)
	}
	u.say("\nRead one with: millpond learn topic TOPIC")
	return nil
}

func (u *ui) cheatSheet(ctx context.Context, args []string) error {
	var c learn.CheatSheetResponse
	if err := u.api.get(ctx, "/cheatsheets/"+args[0], &c); err != nil {
		return err
	}
	if u.json {
		return u.printJSON(c)
	}
	u.title(c.Title)
	for _, p := range c.Parts {
		u.say("")
		u.title(p.Title)
		for _, l := range p.Lines {
			u.line("- ", l)
		}
	}
	return nil
}

func (u *ui) plan(ctx context.Context, args []string, start string) error {
	var a agenda.Agenda
	var err error
	if len(args) == 1 {
		err = u.api.post(ctx, "/plan", body{"plan": args[0], "start": start}, &a)
	} else if err = u.api.get(ctx, "/plan", &a); isMissing(err) {
		return u.plans(ctx)
	}
	if err != nil {
		return err
	}
	if u.json {
		return u.printJSON(a)
	}
	u.agenda(&a)
	return nil
}

func (u *ui) plans(ctx context.Context) error {
	var list learn.PlansResponse
	if err := u.api.get(ctx, "/plans", &list); err != nil {
		return err
	}
	if u.json {
		return u.printJSON(list)
	}
	u.say("You follow no plan yet. Choose one:")
	for _, p := range list.Plans {
		u.say("")
		u.say("  millpond learn plan %-10s %s", p.ID, p.Title)
		u.line("      ", p.For+".")
	}
	return nil
}

func (u *ui) agenda(a *agenda.Agenda) {
	if a.Number > len(a.Days) {
		u.title(a.Title + ": all its days are over")
	} else if a.Number < 1 {
		u.title(fmt.Sprintf("%s begins on %s", a.Title, a.Start))
	} else {
		u.title(fmt.Sprintf("%s, day %d of %d: %s", a.Title, a.Number, len(a.Days), a.Days[a.Number-1].Title))
	}
	u.items("Today", a.Today)
	u.items("Overdue", a.Overdue)
	if len(a.Weak) > 0 {
		u.say("")
		u.say("Weak, so it comes forward")
		for _, w := range a.Weak {
			u.line("  ! ", w.Text)
			u.say("    millpond learn practice --objective %s", w.Objective)
		}
	}
}

func (u *ui) items(title string, list []agenda.Item) {
	if len(list) == 0 {
		return
	}
	u.say("")
	u.say("%s", title)
	for _, it := range list {
		mark := "  · "
		if it.Done {
			mark = u.style.wrap(u.style.good, "  ✓ ")
		}
		text := map[string]string{agenda.Topic: "read: " + it.Title, agenda.Lab: "lab: " + it.Title, agenda.Questions: fmt.Sprintf("answer %d questions", it.Count), agenda.Mock: "a mock exam: " + it.Title}[it.Kind]
		command := map[string]string{agenda.Topic: "topic " + it.ID, agenda.Lab: "start " + it.ID, agenda.Questions: "practice --count " + strconv.Itoa(it.Count), agenda.Mock: "mock " + it.ID}[it.Kind]
		u.say("%s%-50s %s", mark, text, u.style.wrap(u.style.dim, "millpond learn "+command))
	}
}

func (u *ui) progress(ctx context.Context, mapID string) error {
	var p learn.ProgressResponse
	if err := u.api.get(ctx, "/progress", &p, "map", mapID); err != nil {
		return err
	}
	if u.json {
		return u.printJSON(p)
	}
	u.title("Readiness: " + percents(p.Score))
	u.say("%s", u.style.wrap(u.style.dim, "how likely you answer a question right; the interval holds the truth four times in five"))
	u.say("")
	for _, d := range p.Domains {
		u.say("  %3d %%  %-46s %s", d.Weight, d.Title, percents(d.Score))
	}
	var weak []string
	for _, o := range p.Objectives {
		if o.Score.State == readiness.Weak {
			weak = append(weak, o.ID)
		}
	}
	if len(weak) > 0 {
		u.say("")
		u.line("Weak: ", strings.Join(weak, ", "))
	}
	u.say("")
	u.title("Checklist")
	for _, l := range p.Checklist {
		mark := "  · "
		if l.Done {
			mark = u.style.wrap(u.style.good, "  ✓ ")
		}
		u.line(mark, l.Text)
		for i, m := range l.Missing {
			if i == 3 {
				u.line("      ", fmt.Sprintf("and %d more", len(l.Missing)-i))
				break
			}
			u.line("      ", m)
		}
	}
	return nil
}

func (u *ui) export(ctx context.Context, args []string) error {
	var r progress.Record
	if err := u.api.get(ctx, "/export", &r); err != nil {
		return err
	}
	if len(args) == 0 {
		return u.printJSON(r)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the progress: %w", err)
	}
	if err := os.WriteFile(args[0], append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the progress: %w", err)
	}
	u.say("%d answers, %d mock exams and %d labs are in %s", len(r.Answers), len(r.Mocks), len(r.Labs), args[0])
	return nil
}

func (u *ui) importFile(ctx context.Context, args []string) error {
	text, err := os.ReadFile(args[0])
	if err != nil {
		return fmt.Errorf("read the progress: %w", err)
	}
	in := body{}
	if err := json.Unmarshal(text, &in); err != nil {
		return fmt.Errorf("%s is not JSON: %w", args[0], err)
	}
	if u.api.learner != "" {
		in["learner"] = u.api.learner
	}
	var out learn.ImportResponse
	if err := u.api.post(ctx, "/import", in, &out); err != nil {
		return err
	}
	u.say("%d answers, %d mock exams and %d labs of %s are in place", out.Answers, out.Mocks, out.Labs, out.Learner)
	return nil
}

// ended says whether the learner's input is over.
func ended(err error) bool { return errors.Is(err, io.EOF) }
