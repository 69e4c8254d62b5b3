package terminal

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millpond/millpond/internal/learn"
)

// practising is what a round of questions is about.
type practising struct {
	mapID, domain, objective, tier, count string
	weak, quick                           bool
}

func (u *ui) practise(ctx context.Context, p practising) error {
	var list learn.QuestionsResponse
	err := u.api.get(ctx, "/questions", &list, "map", p.mapID, "domain", p.domain, "objective", p.objective, "tier", p.tier, "count", p.count,
		"weak", strconv.FormatBool(p.weak), "quick", strconv.FormatBool(p.quick))
	if err != nil {
		return err
	}
	if u.json {
		return u.printJSON(list)
	}
	if len(list.Questions) == 0 {
		if list.Next != nil {
			u.say("Nothing is due. The next question is due %s; `millpond learn quiz DOMAIN` asks without waiting.", list.Next.Local().Format("Monday, 2 January 15:04"))
		} else {
			u.say("There are no questions of this kind.")
		}
		return nil
	}
	right, asked := 0, 0
	for i, q := range list.Questions {
		u.say("")
		u.question(q, fmt.Sprintf("Question %d of %d", i+1, len(list.Questions)), nil)
		chosen, guessed, err := u.choice(q)
		if ended(err) {
			break
		}
		if err != nil {
			return err
		}
		var a learn.AnswerResponse
		if err := u.api.post(ctx, "/questions/"+q.ID+"/answer", body{"chosen": chosen, "guessed": guessed}, &a); err != nil {
			return err
		}
		asked++
		if a.Correct {
			right++
		}
		u.explain(q, chosen, a.Explained, a.Correct)
		u.say("%s", u.style.wrap(u.style.dim, "asked again "+when(a.Interval)))
	}
	u.say("")
	u.say("%d of %d right.", right, asked)
	return nil
}

func when(days int) string {
	if days == 1 {
		return "tomorrow"
	}
	return fmt.Sprintf("in %d days, %s", days, time.Now().AddDate(0, 0, days).Format("2 January"))
}

func letter(i int) string { return string(rune('A' + i)) }

// question prints a question with its options by letters.
func (u *ui) question(q learn.QuestionView, title string, chosen []int) {
	u.say("%s", u.style.wrap(u.style.dim, title))
	u.show(q.Stem)
	u.say("")
	for i, o := range q.Options {
		mark := "  "
		if slices.Contains(chosen, o.ID) {
			mark = "* "
		}
		u.option(mark+letter(i)+"  ", o.Text)
	}
	u.say("")
	if q.Choose > 1 {
		u.say("Choose %d.", q.Choose)
	}
}

// option prints an option's Markdown after its letter.
func (u *ui) option(mark, text string) {
	pad := strings.Repeat(" ", shown(mark))
	for i, line := range strings.Split(strings.TrimRight(u.style.render(text, u.width-len(pad)), "\n"), "\n") {
		if i == 0 {
			u.say("%s%s", mark, line)
		} else {
			u.say("%s%s", pad, line)
		}
	}
}

const choiceHelp = "Letters such as B or A,C; add ? if you guess; s to skip, q to stop."

// choice reads an answer; io.EOF means that the learner stops.
func (u *ui) choice(q learn.QuestionView) (chosen []int, guessed bool, err error) {
	for {
		text, err := u.ask("Your answer: ")
		if err != nil {
			return nil, false, err
		}
		switch strings.ToLower(text) {
		case "q":
			return nil, false, errStop
		case "s":
			return []int{}, false, nil
		}
		text, guessed = strings.CutSuffix(text, "?")
		if chosen, ok := letters(q, text); ok {
			return chosen, guessed, nil
		}
		u.say(choiceHelp)
	}
}

// letters reads "B", "a,c" or "AC" as options.
func letters(q learn.QuestionView, text string) ([]int, bool) {
	out := []int{}
	for _, r := range strings.ToUpper(text) {
		if r == ',' || r == ' ' {
			continue
		}
		i := int(r - 'A')
		if i < 0 || i >= len(q.Options) {
			return nil, false
		}
		if id := q.Options[i].ID; !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out, len(out) > 0
}

// explain says what is right and why, option by option.
func (u *ui) explain(q learn.QuestionView, chosen []int, e learn.Explained, correct bool) {
	u.say("")
	if correct {
		u.say("%s", u.style.wrap(u.style.good, "Right."))
	} else {
		u.say("%s", u.style.wrap(u.style.bad, "Not right."))
	}
	for i, o := range q.Options {
		at := slices.IndexFunc(e.Why, func(w learn.OptionWhy) bool { return w.ID == o.ID })
		if at < 0 {
			continue
		}
		mark := "  "
		if slices.Contains(chosen, o.ID) {
			mark = "* "
		}
		sign := u.style.wrap(u.style.bad, "✗ ")
		if e.Why[at].Right {
			sign = u.style.wrap(u.style.good, "✓ ")
		}
		u.option(mark+sign+letter(i)+"  ", e.Why[at].Why)
	}
}
