package archtest

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/millpond/millpond/"
	root   = "../.."
)

// source is one parsed Go file.
type source struct {
	file  string // path from the root of the module
	lines int
	ast   *ast.File
	fset  *token.FileSet
}

func (s source) test() bool      { return strings.HasSuffix(s.file, "_test.go") }
func (s source) generated() bool { return ast.IsGenerated(s.ast) }
func (s source) pkg() string     { return path.Dir(s.file) }

// parse reads every Go file of the module.
func parse(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != root && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"testdata", "node_modules", "bin", "millpond-data"}, d.Name())) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, p, text, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		out = append(out, source{filepath.ToSlash(rel), strings.Count(string(text), "\n"), f, fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 100 {
		t.Fatalf("only %d Go files found under %s", len(out), root)
	}
	return out
}

// layers gives each pattern of layers.txt its height.
func layers(t *testing.T) map[string]int {
	t.Helper()
	f, err := os.Open("layers.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out, height := map[string]int{}, 0
	for sc := bufio.NewScanner(f); sc.Scan(); {
		line := sc.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		height++
		for _, p := range strings.Fields(line) {
			out[p] = height
		}
	}
	return out
}

// heightOf finds the layer of a package of internal/, 0 if it has none.
func heightOf(layers map[string]int, pkg string) int {
	if h, ok := layers[pkg]; ok {
		return h
	}
	for dir := path.Dir(pkg); dir != "."; dir = path.Dir(dir) {
		if h, ok := layers[dir+"/*"]; ok {
			return h
		}
	}
	return 0
}

func TestImportsGoDown(t *testing.T) {
	layers := layers(t)
	for _, s := range parse(t) {
		from, ok := strings.CutPrefix(s.pkg(), "internal/")
		if !ok || s.test() { // tests may look at whatever they need
			continue
		}
		h := heightOf(layers, from)
		if h == 0 {
			t.Errorf("%s: package %s has no line in layers.txt", s.file, from)
			continue
		}
		for _, to := range importsOf(s) {
			to, ok := strings.CutPrefix(to, module+"internal/")
			if ok && heightOf(layers, to) >= h {
				t.Errorf("%s: %s must not import %s, which is not below it in layers.txt", s.file, from, to)
			}
		}
	}
}

// only says which packages alone may import a library, tests too.
var only = map[string][]string{
	"github.com/duckdb/":                  {"internal/execute"},
	"modernc.org/sqlite":                  {"internal/db"},
	"github.com/jackc/pgx":                {"internal/db"},
	module + "internal/gen/spark/connect": {"internal/connect", "internal/sparkclient"},
}

func TestLibrariesHaveOneImporter(t *testing.T) {
	for _, s := range parse(t) {
		for _, imp := range importsOf(s) {
			for lib, may := range only {
				if strings.HasPrefix(imp, lib) && !slices.Contains(may, s.pkg()) {
					t.Errorf("%s imports %s, which is for %s alone", s.file, imp, strings.Join(may, " and "))
				}
			}
		}
	}
}

func TestKernelsArePure(t *testing.T) {
	for _, s := range parse(t) {
		if !strings.HasPrefix(s.pkg(), "internal/kernel/") || s.test() {
			continue
		}
		for _, imp := range importsOf(s) {
			standard := !strings.Contains(strings.Split(imp, "/")[0], ".")
			if !standard && !strings.HasPrefix(imp, "gonum.org/") && !strings.HasPrefix(imp, module+"internal/kernel/") {
				t.Errorf("%s imports %s: kernels know the standard library and gonum", s.file, imp)
			}
		}
	}
}

func importsOf(s source) []string {
	var out []string
	for _, i := range s.ast.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil {
			out = append(out, p)
		}
	}
	return out
}

func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	said := map[string]bool{}
	for _, s := range parse(t) {
		if s.test() || s.generated() {
			continue
		}
		want := "Package " + s.ast.Name.Name + " "
		if s.ast.Name.Name == "main" {
			want = "Command " + path.Base(s.pkg()) + " "
		}
		said[s.pkg()] = said[s.pkg()] || s.ast.Doc != nil && strings.HasPrefix(s.ast.Doc.Text(), want)
	}
	for pkg, ok := range said {
		if !ok {
			t.Errorf("%s has no package comment", pkg)
		}
	}
}

// Files are short: most under budget, none over most, but for tables of data.
const (
	fileBudget, fileMost = 500, 800
	overBudget           = 0.05 // the share of files that may pass the budget
	funcBudget, funcMost = 60, 120
)

func TestFilesAreShort(t *testing.T) {
	var over []string
	n := 0
	for _, s := range parse(t) {
		if s.generated() {
			continue
		}
		n++
		if s.lines > fileBudget {
			over = append(over, s.file)
		}
		if s.lines > fileMost {
			t.Errorf("%s has %d lines, %d at most: split it by what it does", s.file, s.lines, fileMost)
		}
	}
	if share := float64(len(over)) / float64(n); share > overBudget {
		t.Errorf("%.1f %% of the files pass %d lines, %.0f %% at most: %s", 100*share, fileBudget, 100*overBudget, strings.Join(over, ", "))
	}
}

func TestFunctionsAreShort(t *testing.T) {
	var lengths []int
	for _, s := range parse(t) {
		if s.generated() || s.test() {
			continue
		}
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil || isTable(f) {
				continue
			}
			n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
			lengths = append(lengths, n)
			if n > funcMost {
				t.Errorf("%s: %s has %d lines, %d at most", s.file, f.Name.Name, n, funcMost)
			}
		}
	}
	slices.Sort(lengths)
	if p95 := lengths[len(lengths)*95/100]; p95 > funcBudget {
		t.Errorf("the 95th percentile of functions is %d lines, %d at most", p95, funcBudget)
	}
}

// isTable says whether a function only returns a table of data.
func isTable(f *ast.FuncDecl) bool {
	last := len(f.Body.List) - 1
	if last < 0 {
		return false
	}
	r, ok := f.Body.List[last].(*ast.ReturnStmt)
	if !ok || len(r.Results) != 1 {
		return false
	}
	_, ok = r.Results[0].(*ast.CompositeLit)
	return ok
}

// namedPath is a path in backquotes, such as `internal/plan/walk.go` or `spec/ml/`.
var namedPath = regexp.MustCompile("`((?:internal|cmd|spec|python|proto|bench|demo|test|docs|content|testdata|\\.ci)/[A-Za-z0-9_./-]*)`")

func TestDocumentsNameWhatExists(t *testing.T) {
	for _, doc := range []string{"ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"} {
		text, err := os.ReadFile(filepath.Join(root, doc))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range namedPath.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s names %s, which is not there", doc, m[1])
			}
		}
	}
}
