// Package catalog remembers databases, tables and views: what a name means. It keeps them in one
// file of the warehouse, so that they outlive the process. It never reads a table's rows and
// knows nothing of sessions: temporary views are theirs.
package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
)

// Default is the database that is always there.
const Default = "default"

// Kinds of tables.
const (
	Managed  = "MANAGED"
	External = "EXTERNAL"
	View     = "VIEW"
)

// Database is a namespace of tables.
type Database struct {
	Name       string            `json:"name"`
	Comment    string            `json:"comment,omitempty"`
	Properties map[string]string `json:"properties,omitempty"`
}

// Table is a table or a view. Schema is Spark's JSON form, Query a view's text.
type Table struct {
	Database   string            `json:"database"`
	Name       string            `json:"name"`
	Kind       string            `json:"kind"`
	Format     string            `json:"format,omitempty"`
	Schema     string            `json:"schema"`
	Location   string            `json:"location,omitempty"`
	Comment    string            `json:"comment,omitempty"`
	Query      string            `json:"query,omitempty"`
	Partitions []string          `json:"partitions,omitempty"`
	Options    map[string]string `json:"options,omitempty"`
	Properties map[string]string `json:"properties,omitempty"`
}

type state struct {
	Databases map[string]Database `json:"databases"`
	Tables    map[string]Table    `json:"tables"`
}

// Store is the catalog of one warehouse; it is safe for several goroutines.
type Store struct {
	dir string
	mu  sync.Mutex
	at  state
}

// Open reads the catalog of a warehouse directory, which need not be there yet.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir, at: state{Databases: map[string]Database{}, Tables: map[string]Table{}}}
	data, err := os.ReadFile(s.file())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	if err == nil {
		if err := json.Unmarshal(data, &s.at); err != nil {
			return nil, fmt.Errorf("read the catalog %s: %w", s.file(), err)
		}
	}
	if _, ok := s.at.Databases[Default]; !ok {
		s.at.Databases[Default] = Database{Name: Default, Comment: "default database"}
	}
	return s, nil
}

func (s *Store) file() string { return filepath.Join(s.dir, "_catalog.json") }

// save puts the state on disk, whole or not at all; the caller holds the lock.
func (s *Store) save() error {
	data, err := json.MarshalIndent(s.at, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return fmt.Errorf("save the catalog: %w", err)
	}
	part := s.file() + ".part"
	if err := os.WriteFile(part, data, 0o644); err != nil {
		return fmt.Errorf("save the catalog: %w", err)
	}
	if err := os.Rename(part, s.file()); err != nil {
		return fmt.Errorf("save the catalog: %w", err)
	}
	return nil
}

func key(database, name string) string {
	return strings.ToLower(database) + "." + strings.ToLower(name)
}

// Location is the directory of a database.
func (s *Store) Location(database string) string {
	if strings.EqualFold(database, Default) {
		return s.dir
	}
	return filepath.Join(s.dir, strings.ToLower(database)+".db")
}

// Databases lists the databases by name.
func (s *Store) Databases() []Database {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Database, 0, len(s.at.Databases))
	for _, d := range s.at.Databases {
		out = append(out, d)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// Database finds a database.
func (s *Store) Database(name string) (Database, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.at.Databases[strings.ToLower(name)]
	return d, ok
}

// PutDatabase adds a database.
func (s *Store) PutDatabase(d Database) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.Name = strings.ToLower(d.Name)
	s.at.Databases[d.Name] = d
	return s.save()
}

// DropDatabase forgets a database with its tables and removes its directory.
func (s *Store) DropDatabase(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	name = strings.ToLower(name)
	delete(s.at.Databases, name)
	for k, t := range s.at.Tables {
		if strings.EqualFold(t.Database, name) {
			delete(s.at.Tables, k)
		}
	}
	if err := s.save(); err != nil {
		return err
	}
	if name == Default {
		return nil
	}
	return os.RemoveAll(s.Location(name))
}

// Tables lists a database's tables and views by name.
func (s *Store) Tables(database string) []Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Table
	for _, t := range s.at.Tables {
		if strings.EqualFold(t.Database, database) {
			out = append(out, t)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// Table finds a table or view.
func (s *Store) Table(database, name string) (Table, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.at.Tables[key(database, name)]
	return t, ok
}

// PutTable adds or replaces a table or view.
func (s *Store) PutTable(t Table) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.Database, t.Name = strings.ToLower(t.Database), strings.ToLower(t.Name)
	s.at.Tables[key(t.Database, t.Name)] = t
	return s.save()
}

// DropTable forgets a table or view; its files are the caller's.
func (s *Store) DropTable(database, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.at.Tables[key(database, name)]; !ok {
		return nil
	}
	delete(s.at.Tables, key(database, name))
	return s.save()
}
