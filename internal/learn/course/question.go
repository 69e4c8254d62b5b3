package course

import (
	"hash/fnv"
	"math/rand/v2"
	"strings"
)

// kinds of questions, and how many right options each has.
const (
	single   = "single"
	multiple = "multiple"
)

const minOptions, maxOptions = 4, 6

func (l *loader) questions(c *Course) {
	stems := map[string]string{}
	for _, file := range l.glob("questions/*/*.yaml") {
		q := &Question{}
		d, ok := l.read(file, q)
		if !ok {
			continue
		}
		if c.Question(q.ID) != nil {
			l.problem(file, d.line("id"), "another question has the id %q", q.ID)
		}
		c.Questions = append(c.Questions, q)
		l.named(d, q.ID, stem(file))
		l.item(d, c, q.Item)
		q.Domain = l.folder(d, c, q.Item)
		if q.Difficulty < 1 || q.Difficulty > 3 {
			l.problem(file, d.line("difficulty"), "difficulty is %d: 1 easy, 2 fair, 3 hard", q.Difficulty)
		}
		l.need(d, strings.TrimSpace(q.Stem) != "", "stem")
		l.markdown(d, q.Stem, func() int { return d.line("stem") + 1 })
		if old := stems[q.Stem]; old != "" {
			l.problem(file, d.line("stem"), "%s asks the same", old)
		}
		stems[q.Stem] = file
		l.options(d, q)
		l.computed(d, q)
	}
}

func (l *loader) options(d *document, q *Question) {
	if n := len(q.Options); n < minOptions || n > maxOptions {
		l.problem(d.file, d.line("options"), "%d options, not %d to %d", n, minOptions, maxOptions)
	}
	seen := map[string]bool{}
	for i, o := range q.Options {
		l.need(d, o.Text != "", "options", i, "text")
		l.need(d, o.Why != "", "options", i, "why")
		if seen[o.Text] {
			l.problem(d.file, d.line("options", i, "text"), "an option with this text is there already")
		}
		seen[o.Text] = true
	}
	right := len(q.Right())
	switch q.Kind {
	case single:
		if right != 1 {
			l.problem(d.file, d.line("options"), "%d options are right; a question of the kind single has one", right)
		}
	case multiple:
		if right < 2 || right == len(q.Options) {
			l.problem(d.file, d.line("options"), "%d of %d options are right; a question of the kind multiple has two or more, and not all", right, len(q.Options))
		}
	default:
		l.problem(d.file, d.line("kind"), "kind is %q, neither single nor multiple", q.Kind)
	}
}

// computed checks that each computed number stands in the question's text.
func (l *loader) computed(d *document, q *Question) {
	text := q.Stem
	for _, o := range q.Options {
		text += "\n" + o.Text + "\n" + o.Why
	}
	for i, k := range q.Computed {
		l.need(d, k.Python != "", "computed", i, "python")
		l.need(d, k.Is != "", "computed", i, "is")
		if !strings.Contains(text, k.Is) {
			l.problem(d.file, d.line("computed", i, "is"), "%q stands nowhere in the question", k.Is)
		}
	}
}

// mix puts the options into an order that the question's id gives: writers tend to begin with the
// right one.
func mix(q *Question) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(q.ID)) // a hash takes all bytes
	rand.New(rand.NewPCG(h.Sum64(), 1)).Shuffle(len(q.Options), func(i, j int) {
		q.Options[i], q.Options[j] = q.Options[j], q.Options[i]
	})
}
