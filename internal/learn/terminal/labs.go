package terminal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/millpond/millpond/internal/learn"
)

func (u *ui) labCommands() []*cobra.Command {
	labs := &cobra.Command{Use: "labs", Short: "List the labs and which are passed", Args: cobra.NoArgs, RunE: u.run(u.labs)}
	start := &cobra.Command{Use: "start LAB", Short: "Put a lab's files here and show its task", Args: cobra.ExactArgs(1), RunE: u.run(u.startLab)}
	var file string
	var evidence bool
	check := &cobra.Command{Use: "check [LAB]", Short: "Run your file and let the server check what it did", Args: cobra.MaximumNArgs(1),
		RunE: u.run(func(ctx context.Context, args []string) error { return u.check(ctx, args, file, evidence) })}
	check.Flags().StringVar(&file, "file", "", "the file to run (default: lab.py of the lab's folder)")
	check.Flags().BoolVar(&evidence, "evidence", false, "print all that the checks can see, as JSON: for writers of labs")
	watch := &cobra.Command{Use: "watch [LAB]", Short: "Check again whenever you save", Args: cobra.MaximumNArgs(1), RunE: u.run(u.watch)}
	hint := &cobra.Command{Use: "hint [LAB] [NUMBER]", Short: "The next hint, or one by number", Args: cobra.MaximumNArgs(2), RunE: u.run(u.hint)}
	solution := &cobra.Command{Use: "solution [LAB]", Short: "Show the solution", Args: cobra.MaximumNArgs(1), RunE: u.run(u.solution)}
	reset := &cobra.Command{Use: "reset LAB", Short: "Put a lab's files back as they were and forget that it was passed", Args: cobra.ExactArgs(1), RunE: u.run(u.reset)}
	all := []*cobra.Command{labs, start, check, watch, hint, solution, reset}
	for _, c := range all {
		c.Flags().StringVar(&u.dir, "dir", "millpond-labs", "directory of the labs' folders")
	}
	for _, c := range []*cobra.Command{check, watch} {
		c.Flags().StringVar(&u.python, "python", "", "Python to run the file with (default: the managed runtime's)")
		c.Flags().DurationVar(&u.limit, "limit", defaultLimit, "end the file after this time, and say where it was")
	}
	return all
}

func (u *ui) labs(ctx context.Context, _ []string) error {
	var list learn.LabsResponse
	if err := u.api.get(ctx, "/labs", &list); err != nil {
		return err
	}
	if u.json {
		return u.printJSON(list)
	}
	passed := 0
	for _, l := range list.Labs {
		mark := "  "
		switch {
		case l.Passed != nil:
			mark = u.style.wrap(u.style.good, "✓ ")
			passed++
		case l.Started != nil:
			mark = "> "
		}
		u.say("%s%2d  %-28s %s, %d min", mark, l.Number, l.ID, l.Title, l.Minutes)
	}
	u.say("\n%d of %d passed. Begin one with: millpond learn start LAB", passed, len(list.Labs))
	return nil
}

// folder is where a lab's files lie.
func (u *ui) folder(l learn.LabView) string {
	return filepath.Join(u.dir, fmt.Sprintf("%02d-%s", l.Number, l.ID))
}

func (u *ui) startLab(ctx context.Context, args []string) error {
	var s learn.StartLabResponse
	if err := u.api.post(ctx, "/labs/"+args[0]+"/start", nil, &s); err != nil {
		return err
	}
	if u.json {
		return u.printJSON(s)
	}
	dir := u.folder(s.Lab.LabView)
	kept, err := writeFiles(dir, s.Files, false)
	if err != nil {
		return err
	}
	u.title(fmt.Sprintf("Lab %d: %s", s.Lab.Number, s.Lab.Title))
	u.say("")
	u.show(s.Lab.Task)
	u.say("")
	u.say("Your file: %s", filepath.Join(dir, s.Files[0].Name))
	if kept {
		u.say("It was there already and is as you left it; `millpond learn reset %s` gives a new one.", s.Lab.ID)
	}
	u.say("")
	u.say("  millpond learn watch       check it each time you save")
	u.say("  millpond learn check       check it once")
	u.say("  millpond learn hint        a hint, of %d", s.Lab.Hints)
	return nil
}

// writeFiles writes a lab's files; the first, which the learner works in, only if it is not there
// or over says so.
func writeFiles(dir string, files []learn.LabFile, over bool) (kept bool, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return false, fmt.Errorf("make the lab's folder: %w", err)
	}
	for i, f := range files {
		name := filepath.Join(dir, filepath.Base(f.Name))
		if _, err := os.Stat(name); err == nil && i == 0 && !over {
			kept = true
			continue
		}
		if err := os.WriteFile(name, []byte(f.Text), 0o644); err != nil {
			return kept, fmt.Errorf("write the lab's files: %w", err)
		}
	}
	return kept, nil
}

// errNoLab says that no lab was named and none is under way.
var errNoLab = errors.New("no lab is under way; name one, or begin with `millpond learn start LAB`")

// current finds the lab that was named, or the one that was begun last and is not passed.
func (u *ui) current(ctx context.Context, args []string) (learn.LabResponse, error) {
	var out learn.LabResponse
	id := ""
	if len(args) > 0 {
		id = args[0]
	} else {
		var list learn.LabsResponse
		if err := u.api.get(ctx, "/labs", &list); err != nil {
			return out, err
		}
		var last time.Time
		for _, l := range list.Labs {
			if l.Started != nil && l.Passed == nil && l.Started.After(last) {
				id, last = l.ID, *l.Started
			}
		}
		if id == "" {
			return out, errNoLab
		}
	}
	return out, u.api.get(ctx, "/labs/"+id, &out)
}

func (u *ui) hint(ctx context.Context, args []string) error {
	in := body{}
	if n := len(args); n > 0 && strings.Trim(args[n-1], "0123456789") == "" {
		in["number"], args = args[n-1], args[:n-1]
	}
	l, err := u.current(ctx, args)
	if err != nil {
		return err
	}
	var h learn.HintResponse
	if err := u.api.post(ctx, "/labs/"+l.ID+"/hint", in, &h); err != nil {
		return err
	}
	if u.json {
		return u.printJSON(h)
	}
	u.say("%s", u.style.wrap(u.style.dim, fmt.Sprintf("Hint %d of %d", h.Number, h.Of)))
	u.show(h.Hint)
	return nil
}

func (u *ui) solution(ctx context.Context, args []string) error {
	l, err := u.current(ctx, args)
	if err != nil {
		return err
	}
	var s learn.SolutionResponse
	if err := u.api.post(ctx, "/labs/"+l.ID+"/solution", nil, &s); err != nil {
		return err
	}
	if u.json {
		return u.printJSON(s)
	}
	u.say("%s", strings.TrimRight(s.Solution, "\n"))
	return nil
}

func (u *ui) reset(ctx context.Context, args []string) error {
	var s learn.StartLabResponse
	if err := u.api.post(ctx, "/labs/"+args[0]+"/reset", nil, &s); err != nil {
		return err
	}
	dir := u.folder(s.Lab.LabView)
	if _, err := writeFiles(dir, s.Files, true); err != nil {
		return err
	}
	u.say("%s is as it was", filepath.Join(dir, s.Files[0].Name))
	return nil
}
