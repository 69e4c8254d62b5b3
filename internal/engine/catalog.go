package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/millpond/millpond/internal/catalog"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/sqlparse"
	"github.com/millpond/millpond/internal/types"
)

const catalogName = "spark_catalog"

var tableName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// Database is the session's current one.
func (s *Session) Database() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.database == "" {
		return catalog.Default
	}
	return s.database
}

// UseDatabase changes the current database.
func (s *Session) UseDatabase(name string) error {
	if _, ok := s.e.tables.Database(name); !ok {
		return schemaNotFound(name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.database = strings.ToLower(name)
	return nil
}

func schemaNotFound(name string) error {
	return sparkerr.Analysis("SCHEMA_NOT_FOUND", "schemaName", types.Quote(catalogName)+"."+types.Quote(name))
}

// nameParts splits a dotted name; names that are not SQL stay whole.
func nameParts(name string) []string {
	parts, err := sqlparse.Name(name)
	if err != nil {
		return []string{name}
	}
	return parts
}

// place resolves a table's name to its database and its own name.
func (s *Session) place(parts []string) (database, name string, err error) {
	if len(parts) > 1 && strings.EqualFold(parts[0], catalogName) {
		parts = parts[1:]
	}
	name = parts[len(parts)-1]
	switch {
	case len(parts) > 2:
		return "", "", tableNotFound(parts, s.Database())
	case len(parts) == 2:
		database = strings.ToLower(parts[0])
	default:
		database = s.Database()
	}
	if !tableName.MatchString(name) {
		return "", "", sparkerr.Plain(sparkerr.ClassAnalysis, "[INVALID_SCHEMA_OR_RELATION_NAME] %s is not a valid name for tables/schemas. Valid names only contain alphabet characters, numbers and _. SQLSTATE: 42602", types.Quote(name))
	}
	return database, strings.ToLower(name), nil
}

func tableNotFound(parts []string, database string) error {
	q := make([]string, len(parts))
	for i, p := range parts {
		q[i] = types.Quote(p)
	}
	return sparkerr.Analysis("TABLE_OR_VIEW_NOT_FOUND", "relationName", strings.Join(q, "."), "searchPath", "[`system`.`builtin`, `system`.`session`, `spark_catalog`."+types.Quote(database)+"]")
}

func tableExists(database, name string) error {
	return sparkerr.Analysis("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", types.Quote(catalogName)+"."+types.Quote(database)+"."+types.Quote(name))
}

// stored finds a table or view that outlives the session. A directory of files that the catalog
// does not know is a table too: earlier versions kept no catalog.
func (s *Session) stored(database, name string) (catalog.Table, bool) {
	if t, ok := s.e.tables.Table(database, name); ok {
		return t, true
	}
	dir := filepath.Join(s.e.tables.Location(database), name)
	files, err := listing{}.under(dir)
	if err != nil || len(files) == 0 {
		return catalog.Table{}, false
	}
	return catalog.Table{Database: database, Name: name, Kind: catalog.Managed, Location: dir, Format: strings.TrimPrefix(filepath.Ext(files[0]), ".")}, true
}

// storedRelation is what a table's or view's name stands for.
func storedRelation(t catalog.Table) plan.Relation {
	if t.Kind == catalog.View {
		return storedQuery(t)
	}
	options := map[string]string{}
	for k, v := range t.Options {
		options[strings.ToLower(k)] = v
	}
	paths := []string{t.Location}
	if _, err := os.Stat(t.Location); t.Schema != "" && errors.Is(err, os.ErrNotExist) {
		paths = nil // a table whose files were taken away is an empty one
	}
	return &plan.Read{Format: t.Format, Schema: t.Schema, Paths: paths, Options: options}
}

// storedQuery is a view's query; the names in it that have no database are of the one it was made in.
func storedQuery(t catalog.Table) plan.Relation {
	q, err := sqlparse.Query(t.Query, nil, nil)
	if err != nil { // whoever reads the view learns what is wrong with it
		return &plan.SQL{Query: t.Query}
	}
	sqlparse.Qualify(q, t.Database)
	return q
}

// DropTable removes a table, files and all if they are the warehouse's, and says whether it was there.
func (s *Session) DropTable(name string) (bool, error) {
	database, table, err := s.place(nameParts(name))
	if err != nil {
		return false, err
	}
	t, ok := s.stored(database, table)
	if !ok {
		return false, nil
	}
	if t.Kind == catalog.View {
		return false, sparkerr.Analysis("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "viewName", types.Quote(database)+"."+types.Quote(table), "operation", "DROP TABLE")
	}
	s.Unpersist(&plan.Table{Name: nameParts(name)}) // another table of that name has other rows
	if err := s.e.tables.DropTable(database, table); err != nil {
		return false, err
	}
	if t.Kind == catalog.Managed {
		return true, os.RemoveAll(t.Location)
	}
	return true, nil
}

// schemaOf gives a table's or view's columns.
func (s *Session) storedSchema(ctx context.Context, t catalog.Table) (types.Struct, error) {
	if st, err := userSchema(t.Schema); err == nil && st != nil {
		return *st, nil
	}
	return s.Schema(ctx, storedRelation(t))
}

// DropStoredView removes a view of the catalog.
func (s *Session) dropStoredView(name string) (bool, error) {
	database, view, err := s.place(nameParts(name))
	if err != nil {
		return false, err
	}
	t, ok := s.e.tables.Table(database, view)
	if !ok || t.Kind != catalog.View {
		return false, nil
	}
	return true, s.e.tables.DropTable(database, view)
}

// createDatabase, dropDatabase serve SQL and the catalog's methods.
func (s *Session) createDatabase(d catalog.Database, ifNot bool) error {
	if _, there := s.e.tables.Database(d.Name); there {
		if ifNot {
			return nil
		}
		return sparkerr.Analysis("SCHEMA_ALREADY_EXISTS", "schemaName", types.Quote(d.Name))
	}
	if !tableName.MatchString(d.Name) {
		return sparkerr.Plain(sparkerr.ClassAnalysis, "[INVALID_SCHEMA_OR_RELATION_NAME] %s is not a valid name for tables/schemas. Valid names only contain alphabet characters, numbers and _. SQLSTATE: 42602", types.Quote(d.Name))
	}
	return s.e.tables.PutDatabase(d)
}

func (s *Session) dropDatabase(name string, ifThere, cascade bool) error {
	if _, there := s.e.tables.Database(name); !there {
		if ifThere {
			return nil
		}
		return schemaNotFound(name)
	}
	if len(s.e.tables.Tables(name)) > 0 && !cascade {
		return sparkerr.Analysis("SCHEMA_NOT_EMPTY", "schemaName", types.Quote(name))
	}
	if strings.EqualFold(name, catalog.Default) {
		return sparkerr.Plain(sparkerr.ClassAnalysis, "[UNSUPPORTED_FEATURE.DROP_DATABASE] The feature is not supported: Drop the default database `%s`. SQLSTATE: 0A000", name)
	}
	return s.e.tables.DropDatabase(name)
}
