// Package terminal is the study course on the command line: plain text that works over ssh, asked
// of a server by HTTP. Commands come in, text or JSON goes out; the learner's files run here, with
// the runtime's Python. It keeps nothing: progress is the server's.
package terminal

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Options is what the program gives.
type Options struct {
	Server string // the default address
	// Python gives the executable that runs learners' files.
	Python func() (string, error)
	// Serve starts a server at the default address and returns once it answers.
	Serve func(ctx context.Context) error
}

// ui is one run of a command.
type ui struct {
	opts   Options
	api    *client
	in     *bufio.Reader
	out    io.Writer
	err    io.Writer // what learners' files say of their faults
	style  style
	width  int
	json   bool
	dir    string // where the labs' folders are
	python string
	limit  time.Duration // of a run of the learner's file
	asks   bool          // whether somebody sits at the terminal
}

// ErrFailed is a lab or content that does not pass: everything has been said.
var ErrFailed = errors.New("")

const maxWidth = 96

// Command is `millpond learn`.
func Command(o Options) *cobra.Command {
	u := &ui{opts: o, api: &client{}}
	root := &cobra.Command{
		Use:   "learn",
		Short: "Study for the exam: topics, questions, mock exams, labs that the server checks",
		Long: `Study for the Databricks Certified Machine Learning Associate exam.

Without a command it says where you are and what to do next. Labs are checked by
what happened on the server: which rows a scaler was fitted on, how many models a
search trained, which runs are nested in which. Progress is kept by the server.

A server whose users sign in wants a token in MLFLOW_TRACKING_TOKEN, as MLflow's
clients do; progress is then that user's.`,
		Args:              cobra.NoArgs,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return u.prepare(c) },
		RunE:              u.run(u.home),
	}
	f := root.PersistentFlags()
	f.StringVar(&u.api.base, "server", "", "address of the server (default: MILLPOND_SERVER or "+o.Server+")")
	f.StringVar(&u.api.learner, "learner", "", "who learns (default: me)")
	f.BoolVar(&u.json, "json", false, "print the server's answer as JSON")
	root.AddCommand(u.studyCommands()...)
	root.AddCommand(u.labCommands()...)
	root.AddCommand(u.contentCommands()...)
	return root
}

// run connects a command to the server before it does its work.
func (u *ui) run(do func(context.Context, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		if err := u.connect(c.Context()); err != nil {
			return err
		}
		return do(c.Context(), args)
	}
}

func (u *ui) prepare(c *cobra.Command) error {
	u.in, u.out, u.err, u.width = bufio.NewReader(c.InOrStdin()), c.OutOrStdout(), c.ErrOrStderr(), maxWidth
	if u.api.base == "" {
		u.api.base = os.Getenv("MILLPOND_SERVER")
	}
	if u.api.base == "" {
		u.api.base = u.opts.Server
	}
	u.api.base, u.api.token = strings.TrimRight(u.api.base, "/"), os.Getenv(tokenVariable)
	if f, ok := u.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 20 {
			u.width = min(w, maxWidth)
		}
		if os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" {
			u.style = coloured
		}
	}
	if f, ok := c.InOrStdin().(*os.File); ok {
		u.asks = term.IsTerminal(int(f.Fd()))
	}
	return nil
}

// connect makes sure that a server answers; one is started if the learner wants it.
func (u *ui) connect(ctx context.Context) error {
	if u.api.alive(ctx) {
		return nil
	}
	help := fmt.Errorf("no server answers at %s; start one with `millpond serve`, in another terminal, or name yours with --server", u.api.base)
	if !u.asks || u.api.base != u.opts.Server {
		return help
	}
	answer, err := u.ask("No server runs yet. Start one in the background, with its data in ./millpond-data? [Y/n] ")
	if err != nil || !strings.HasPrefix(strings.ToLower(answer+"y"), "y") {
		return help
	}
	return u.opts.Serve(ctx)
}

// ask prints a question and reads a line.
func (u *ui) ask(question string) (string, error) {
	fmt.Fprint(u.out, question)
	line, err := u.in.ReadString('\n')
	if err != nil && (line == "" || !errors.Is(err, io.EOF)) {
		fmt.Fprintln(u.out)
		return "", err
	}
	return strings.TrimSpace(line), nil
}

func (u *ui) say(format string, args ...any) { fmt.Fprintf(u.out, format+"\n", args...) }

func (u *ui) title(text string) { u.say("%s", u.style.wrap(u.style.bold, text)) }

// show prints Markdown.
func (u *ui) show(markdown string) { fmt.Fprint(u.out, u.style.render(markdown, u.width)) }

// line prints a text that may be long, after a mark.
func (u *ui) line(mark, text string) {
	fmt.Fprint(u.out, fill(text, mark, strings.Repeat(" ", shown(mark)), u.width))
}

// printJSON prints an answer as it came.
func (u *ui) printJSON(v any) error {
	e := json.NewEncoder(u.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
