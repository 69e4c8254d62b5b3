package terminal

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/millpond/millpond/content"
	"github.com/millpond/millpond/internal/learn/course"
)

func (u *ui) contentCommands() []*cobra.Command {
	check := &cobra.Command{Use: "check-content [DIR]", Short: "Check the course's files: those of this program, or of a content directory", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return u.checkContent(args) }}
	var file string
	coverage := &cobra.Command{Use: "coverage [DIR]", Short: "Which objective has which topics, questions and labs, as Markdown", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return u.coverage(args, file) }}
	coverage.Flags().StringVarP(&file, "output", "o", "", "write to a file")
	return []*cobra.Command{check, coverage}
}

func contentFiles(args []string) fs.FS {
	if len(args) == 1 {
		return os.DirFS(args[0])
	}
	return content.Files
}

func (u *ui) checkContent(args []string) error {
	c, err := course.Load(contentFiles(args))
	if err != nil {
		return err
	}
	u.say("%d objectives, %d topics, %d questions, %d labs, %d plans: all well formed", len(c.Objectives), len(c.Topics), len(c.Questions), len(c.Labs), len(c.Plans))
	gaps := c.Gaps()
	for _, g := range gaps {
		u.say("  missing: %s", g)
	}
	return nil
}

func (u *ui) coverage(args []string, file string) error {
	c, err := course.Load(contentFiles(args))
	if err != nil {
		return err
	}
	table := c.Coverage()
	if file == "" {
		fmt.Fprint(u.out, table)
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("write the coverage: %w", err)
	}
	if err := os.WriteFile(file, []byte(table), 0o644); err != nil {
		return fmt.Errorf("write the coverage: %w", err)
	}
	return nil
}
