package gocaffe

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/gocaffe/gocaffe/"

// mayImport is a statement of policy: which of our packages each package may
// import. It is not to be changed to make a build pass. A row covers the
// packages below its own too, unless they have a row. "*" is anything.
var mayImport = map[string][]string{
	"proto":             {},
	"rng":               {},
	"internal":          {},
	"engine":            {},
	"engine/ref":        {"engine"},
	"engine/null":       {"engine"},
	"engine/cpu":        {"engine", "engine/cpu"},
	"engine/cuda":       {"engine", "engine/cuda"},
	"engine/enginetest": {"engine", "engine/ref"},
	"net/spec":          {"proto"},
	"net/graph":         {"engine", "net/spec", "proto"},
	"net/plan":          {"engine", "engine/ref", "net/graph", "net/spec"},
	"net/filler":        {"rng", "proto"},
	"layers":            {"engine", "net/graph", "net/spec", "proto"},
	"net":               {"engine", "layers", "net", "proto", "rng", "internal"},
	"data":              {"data", "engine", "proto", "rng"},
	"solver":            {"engine", "layers", "net", "proto", "rng", "internal"},
	"cmd":               {"*"},
	"examples":          {"*"},
	"bench":             {"*"}, // its tests: the programs that it times are the only thing it depends on
}

// mayUseCgo lists where C may be called: engines' internals and the data
// packages that wrap a C library.
var mayUseCgo = []string{"engine/cpu/internal", "engine/cuda/internal", "data/lmdb", "data/decode", "data/hdf5"}

// ruleOf finds the longest row that covers the package.
func ruleOf(pkg string) (string, []string, bool) {
	for p := pkg; p != "." && p != ""; p = filepath.Dir(p) {
		if allowed, ok := mayImport[p]; ok {
			return p, allowed, true
		}
	}
	return "", nil, false
}

// covered reports whether pkg is one of the allowed packages or below one, with
// "net" meaning also net/plan and the like.
func covered(pkg string, allowed []string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		return a == "*" || pkg == a || strings.HasPrefix(pkg, a+"/") && a != "engine"
	})
}

// eachFile parses the imports of every Go file of the module.
func eachFile(t *testing.T, visit func(path, pkg string, imports []string)) {
	t.Helper()
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		var imports []string
		for _, i := range f.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			imports = append(imports, name)
		}
		visit(path, filepath.Dir(path), imports)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestImports enforces the table. Tests may import more.
func TestImports(t *testing.T) {
	eachFile(t, func(path, pkg string, imports []string) {
		if pkg == "." || strings.HasSuffix(path, "_test.go") {
			return
		}
		row, allowed, ok := ruleOf(pkg)
		if !ok {
			t.Errorf("%s: no row of mayImport covers %s", path, pkg)
			return
		}
		for _, i := range imports {
			ours, ok := strings.CutPrefix(i, module)
			if !ok || strings.HasPrefix(ours, row+"/") || ours == row {
				continue
			}
			if !covered(ours, allowed) {
				t.Errorf("%s imports %s; %s may import %v", path, ours, row, allowed)
			}
		}
	})
}

// TestCgo enforces mayUseCgo.
func TestCgo(t *testing.T) {
	eachFile(t, func(path, pkg string, imports []string) {
		if slices.Contains(imports, "C") && !covered(pkg, mayUseCgo) {
			t.Errorf("%s uses cgo; only %v may", path, mayUseCgo)
		}
	})
}

// TestNoMachineInTheTree keeps what belongs to one machine out of the files that
// we ship: absolute paths of a home or a workspace.
func TestNoMachineInTheTree(t *testing.T) {
	for _, pattern := range []string{"*.md", "*.go", "*/*.go", "*/*.md", "*/*/*.go", "*/*/*.md", "Makefile"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, bad := range []string{"/wor" + "k/", "/ho" + "me/", "/ro" + "ot/"} {
				if strings.Contains(string(text), bad) {
					t.Errorf("%s names a path of one machine (%s)", f, bad)
				}
			}
		}
	}
}
