package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	"github.com/millpond/millpond/internal/backup"
	"github.com/millpond/millpond/internal/db"
)

func backupCommand(version string) *cobra.Command {
	v := viper.New()
	var asJSON bool
	c := &cobra.Command{
		Use:   "backup FILE",
		Short: "Put records, artifacts and tables into one file, while the server runs or not",
		Long: `Write FILE, a tar.gz of the data directory: the records as of one moment,
artifacts and the warehouse, with their checksums. The server may be running.
Put it back with "millpond restore FILE". The key that secrets of webhooks are
sealed with is in it too, unless the server gets its key by --secret-key: keep
the file as you keep the data directory.

Records in PostgreSQL are not in the file: back them up with pg_dump, before
this, and give --without-records. Artifacts in S3 are not in it either: let the
bucket keep versions, or copy it.`,
		Example: `  millpond backup ~/backups/millpond-$(date +%F).tar.gz`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			without := v.GetBool("without-records")
			if db.IsPostgres(v.GetString("store")) && !without {
				return errors.New("the records are in PostgreSQL, whose own pg_dump backs them up; back up the rest with --without-records")
			}
			dir := v.GetString("data-dir")
			if _, err := os.Stat(filepath.Join(dir, "VERSION")); err != nil {
				return fmt.Errorf("%s is not the data directory of a millpond (it has no VERSION); name it with --data-dir", dir)
			}
			m, err := backup.Create(c.Context(), dir, args[0], backup.Options{Version: version, WithoutRecords: without, Force: v.GetBool("force")})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), m)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s holds %d files of %d bytes\n", args[0], len(m.Files), m.Bytes())
			return err
		},
	}
	f := c.Flags()
	f.String("data-dir", defaultDataDir, "the server's data directory")
	f.String("store", "", storeUsage)
	f.Bool("without-records", false, "leave the records out: they are in PostgreSQL")
	f.Bool("force", false, "replace FILE if it exists")
	f.BoolVar(&asJSON, "json", false, "print the manifest as JSON")
	bindEnv(v, f)
	return c
}

func restoreCommand() *cobra.Command {
	v := viper.New()
	var asJSON bool
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a data directory from a backup",
		Long: `Check a backup against its checksums and make the data directory from it. The
server must not be running on that directory. A directory that holds something
is replaced only with --force; if anything is wrong with the backup, nothing is
changed.`,
		Example: `  millpond restore ~/backups/millpond-2026-11-25.tar.gz --data-dir ~/millpond`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			dir := v.GetString("data-dir")
			if _, err := os.Stat(filepath.Join(dir, "VERSION")); err == nil && v.GetBool("force") {
				d, err := lockDir(dir) // nobody may be serving what is replaced
				if err != nil {
					return err
				}
				defer d.Close()
			}
			m, err := backup.Restore(c.Context(), args[0], dir, backup.Options{Force: v.GetBool("force")})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), m)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s is restored from the backup of %s: %d files of %d bytes\n", dir, m.Created.Format("2006-01-02 15:04:05 MST"), len(m.Files), m.Bytes())
			if err == nil && m.WithoutRecords {
				_, err = fmt.Fprintln(c.OutOrStdout(), "the records are not in it: restore them with pg_restore")
			}
			return err
		},
	}
	f := c.Flags()
	f.String("data-dir", defaultDataDir, "the directory to make")
	f.Bool("force", false, "replace the directory if something is in it")
	f.BoolVar(&asJSON, "json", false, "print the manifest as JSON")
	bindEnv(v, f)
	return c
}
