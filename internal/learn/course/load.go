package course

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millpond/millpond/internal/learn/judge"
)

// Load reads the course. Its error names every fault by file and line.
func Load(files fs.FS) (*Course, error) {
	l := &loader{files: files}
	c := &Course{Files: files}
	l.maps(c)
	l.objectives(c)
	l.topics(c)
	l.questions(c)
	l.labs(c)
	l.plans(c)
	l.checklist(c)
	if len(l.problems) > 0 {
		return nil, errors.Join(l.problems...)
	}
	order := map[string]int{}
	for i, o := range c.Objectives {
		order[o.ID] = i
	}
	slices.SortStableFunc(c.Topics, func(a, b *Topic) int { return order[a.Objectives[0]] - order[b.Objectives[0]] })
	slices.SortStableFunc(c.Questions, func(a, b *Question) int { return order[a.Objectives[0]] - order[b.Objectives[0]] })
	for _, q := range c.Questions {
		mix(q)
	}
	slices.SortFunc(c.Labs, func(a, b *Lab) int { return a.Number - b.Number })
	slices.SortFunc(c.Plans, func(a, b *Plan) int { return cmp.Compare(len(b.Days), len(a.Days)) })
	return c, nil
}

// glob lists files; a pattern that is wrong is a mistake in this package.
func (l *loader) glob(pattern string) []string {
	names, err := fs.Glob(l.files, pattern)
	if err != nil {
		panic("course: " + err.Error())
	}
	return names
}

func stem(file string) string { return strings.TrimSuffix(path.Base(file), path.Ext(file)) }

func (l *loader) maps(c *Course) {
	for _, file := range l.glob("maps/*.yaml") {
		m := &Map{}
		d, ok := l.read(file, m)
		if !ok {
			continue
		}
		c.Maps = append(c.Maps, m)
		l.named(d, m.ID, stem(file))
		l.need(d, m.Title != "", "title")
		l.need(d, m.Source != "", "source")
		l.need(d, m.Questions > 0, "questions")
		l.need(d, m.Minutes > 0, "minutes")
		sum, seen := 0, map[string]bool{}
		for i, dom := range m.Domains {
			sum += dom.Weight
			if seen[dom.ID] || dom.ID == "" || dom.Title == "" {
				l.problem(file, d.line("domains", i), "a domain needs a title and an id of its own")
			}
			seen[dom.ID] = true
		}
		if sum != 100 {
			l.problem(file, d.line("domains"), "the weights of the domains add up to %d, not to 100", sum)
		}
	}
	if c.Map(guideMap) == nil {
		l.problem("maps/"+guideMap+".yaml", 1, "the map that folders are named after is missing")
	}
}

// guideMap is the map whose domains name the folders of topics and questions.
const guideMap = "guide"

// need reports a key that is empty.
func (l *loader) need(d *document, ok bool, at ...any) {
	if !ok {
		l.problem(d.file, d.line(at...), "%s is missing", at[len(at)-1])
	}
}

func (l *loader) named(d *document, id, want string) {
	if id != want {
		l.problem(d.file, d.line("id"), "the id %q is not the file's name, %q", id, want)
	}
}

func (l *loader) objectives(c *Course) {
	const file = "objectives.yaml"
	d, ok := l.read(file, &c.Objectives)
	if !ok {
		return
	}
	seen := map[string]bool{}
	for i, o := range c.Objectives {
		if o.ID == "" || o.Text == "" {
			l.problem(file, d.line(i), "an objective needs an id and a text")
		}
		if seen[o.ID] {
			l.problem(file, d.line(i, "id"), "the objective %q is there twice", o.ID)
		}
		seen[o.ID] = true
		l.tier(d, o.Tier, i, "tier")
		for _, m := range c.Maps {
			if !slices.ContainsFunc(m.Domains, func(x Domain) bool { return x.ID == o.Domains[m.ID] }) {
				l.problem(file, d.line(i, "domains"), "objective %q: %q is no domain of the map %q", o.ID, o.Domains[m.ID], m.ID)
			}
		}
		for id := range o.Domains {
			if c.Map(id) == nil {
				l.problem(file, d.line(i, "domains", id), "there is no map %q", id)
			}
		}
	}
}

func (l *loader) tier(d *document, n int, at ...any) {
	if n < 1 || n > 3 {
		l.problem(d.file, d.line(at...), "tier is %d: 1 must know, 2 should know, 3 recognise", n)
	}
}

// item checks what all items have in common.
func (l *loader) item(d *document, c *Course, x Item) {
	l.tier(d, x.Tier, "tier")
	l.need(d, len(x.Objectives) > 0, "objectives")
	l.known(d, c, x.Objectives, "objectives")
	l.need(d, len(x.Sources) > 0, "sources")
	if _, err := time.Parse(time.DateOnly, x.Checked); err != nil {
		l.problem(d.file, d.line("checked"), "checked is %q, not a date such as 2026-11-26", x.Checked)
	}
}

// known reports objectives that are not there.
func (l *loader) known(d *document, c *Course, ids []string, at ...any) {
	for i, id := range ids {
		if c.Objective(id) == nil {
			l.problem(d.file, d.line(append(at, i)...), "there is no objective %q in objectives.yaml", id)
		}
	}
}

// folder checks that a file lies in its domain's folder.
func (l *loader) folder(d *document, c *Course, x Item) string {
	dir := path.Base(path.Dir(d.file))
	if want := c.DomainOf(x, guideMap); want != "" && want != dir {
		l.problem(d.file, d.line("objectives"), "its first objective, %s, belongs to the domain %s: the file has to lie in the folder %s", x.Objectives[0], want, want)
	}
	return dir
}

// headings that every topic has.
var headings = []string{"## What it is", "## When to use it, and when not", "## Traps"}

func (l *loader) topics(c *Course) {
	docs := map[*Topic]*document{}
	for _, file := range l.glob("topics/*/*.md") {
		t := &Topic{}
		d, ok := l.read(file, t)
		if !ok {
			continue
		}
		if c.Topic(t.ID) != nil {
			l.problem(file, d.line("id"), "another topic has the id %q", t.ID)
		}
		t.Body = d.body
		c.Topics, docs[t] = append(c.Topics, t), d
		l.named(d, t.ID, stem(file))
		l.item(d, c, t.Item)
		t.Domain = l.folder(d, c, t.Item)
		l.need(d, t.Title != "", "title")
		l.need(d, t.Minutes > 0, "minutes")
		l.need(d, len(t.Remember) > 0, "remember")
		l.markdown(d, d.body, func() int { return d.from })
		for _, h := range headings {
			if t.Tier < 3 && !strings.Contains("\n"+t.Body, "\n"+h+"\n") {
				l.problem(file, d.from, "the heading %q is missing", h)
			}
		}
	}
	for _, t := range c.Topics {
		for i, id := range t.Related {
			if c.Topic(id) == nil {
				d := docs[t]
				l.problem(d.file, d.line("related", i), "there is no topic %q", id)
			}
		}
	}
}

// markdown checks that fences of code are closed; from tells the line that the text starts on.
func (l *loader) markdown(d *document, text string, from func() int) {
	const none = -1
	open := none
	for i, s := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(s), "```") {
			if open == none {
				open = i
			} else {
				open = none
			}
		}
	}
	if open != none {
		l.problem(d.file, from()+open, "this fence of code is not closed")
	}
}

func (l *loader) plans(c *Course) {
	for _, file := range l.glob("plans/*.yaml") {
		p := &Plan{}
		d, ok := l.read(file, p)
		if !ok {
			continue
		}
		c.Plans = append(c.Plans, p)
		l.named(d, p.ID, stem(file))
		l.need(d, p.Title != "", "title")
		l.need(d, p.For != "", "for")
		l.need(d, len(p.Days) > 0, "days")
		for i, day := range p.Days {
			l.need(d, day.Title != "", "days", i, "title")
			l.known(d, c, day.Objectives, "days", i, "objectives")
			if day.Mock != "" && c.Map(day.Mock) == nil {
				l.problem(file, d.line("days", i, "mock"), "there is no map %q", day.Mock)
			}
			if len(day.Objectives) == 0 && day.Questions == 0 && day.Mock == "" {
				l.problem(file, d.line("days", i), "a day with nothing to do")
			}
		}
	}
}

func (l *loader) checklist(c *Course) {
	d, ok := l.read("checklist.yaml", &c.Checklist)
	if !ok {
		return
	}
	for i, k := range c.Checklist {
		l.need(d, k.ID != "", i, "id")
		l.need(d, k.Text != "", i, "text")
		l.known(d, c, k.Knows, i, "knows")
		l.known(d, c, k.Does, i, "does")
		if len(k.Knows)+len(k.Does)+k.Spare == 0 && k.Mocks == nil && !k.Reviewed {
			l.problem(d.file, d.line(i), "nothing says what evidence this line needs")
		}
	}
}

var labFolder = regexp.MustCompile(`^(\d\d)-([a-z0-9-]+)$`)

func (l *loader) labs(c *Course) {
	for _, file := range l.glob("labs/*/lab.yaml") {
		lab := &Lab{Dir: path.Dir(file)}
		d, ok := l.read(file, lab)
		if !ok {
			continue
		}
		m := labFolder.FindStringSubmatch(path.Base(lab.Dir))
		if m == nil {
			l.problem(file, 1, "the folder's name is not two digits and the lab's id, such as 07-imputer")
			continue
		}
		lab.Number, _ = strconv.Atoi(m[1])
		if old := find(c.Labs, func(x *Lab) string { return strconv.Itoa(x.Number) }, strconv.Itoa(lab.Number)); old != nil {
			l.problem(file, 1, "%s has this number too", old.Dir)
		}
		if c.Lab(lab.ID) != nil {
			l.problem(file, d.line("id"), "another lab has the id %q", lab.ID)
		}
		c.Labs = append(c.Labs, lab)
		l.named(d, lab.ID, m[2])
		l.item(d, c, lab.Item)
		lab.Domain = c.DomainOf(lab.Item, guideMap)
		l.need(d, lab.Title != "", "title")
		l.need(d, lab.Mins > 0, "minutes")
		l.need(d, lab.Task != "", "task")
		l.need(d, len(lab.Hints) > 0, "hints")
		l.need(d, len(lab.Checks) > 0, "checks")
		l.markdown(d, lab.Task, func() int { return d.line("task") + 1 })
		l.checks(d, lab)
		l.scripts(d, lab)
	}
}

func (l *loader) checks(d *document, lab *Lab) {
	seen := map[string]bool{}
	for i, k := range lab.Checks {
		if k.ID == "" || seen[k.ID] {
			l.problem(d.file, d.line("checks", i), "a check needs an id of its own")
		}
		seen[k.ID] = true
		l.need(d, k.Sought != "", "checks", i, "sought")
		if err := k.CompileThat(); err != nil {
			l.problem(d.file, d.line("checks", i, "that"), "%v", err)
		}
		if err := k.CompileFound(); err != nil {
			l.problem(d.file, d.line("checks", i, "found"), "%v", err)
		}
		if k.Hint < 0 || k.Hint > len(lab.Hints) {
			l.problem(d.file, d.line("checks", i, "hint"), "there is no hint %d", k.Hint)
		}
	}
	if !seen[judge.RunsID] {
		lab.Checks = append([]*judge.Check{judge.NewRunsCheck()}, lab.Checks...)
	}
}

// scripts checks the lab's Python files against what lab.yaml says of them.
func (l *loader) scripts(d *document, lab *Lab) {
	ids := map[string]bool{}
	for _, k := range lab.Checks {
		ids[k.ID] = true
	}
	there := map[string]bool{}
	for _, f := range l.glob(lab.Dir + "/*.py") {
		there[path.Base(f)] = true
	}
	if !there["solution.py"] {
		l.problem(d.file, 1, "solution.py is missing")
	}
	if len(lab.Fails) < 2 || lab.Fails["start.py"] == "" {
		l.problem(d.file, d.line("fails"), "fails names start.py and at least one wrong_*.py, each with the check that it fails first")
	}
	for name, check := range lab.Fails {
		if !there[name] || name != "start.py" && !strings.HasPrefix(name, "wrong_") {
			l.problem(d.file, d.line("fails", name), "there is no such start.py or wrong_*.py")
		}
		if !ids[check] {
			l.problem(d.file, d.line("fails", name), "there is no check %q", check)
		}
	}
	for name := range there {
		if name != "solution.py" && lab.Fails[name] == "" {
			l.problem(d.file, d.line("fails"), "fails does not say which check %s fails first", name)
		}
	}
	for i, name := range lab.Data {
		if _, err := fs.Stat(l.files, "data/"+name); err != nil {
			l.problem(d.file, d.line("data", i), "there is no content/data/%s", name)
		}
	}
}
