//go:build cgo && linux

package shim

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ownConstants are the numbers of this package that are not NVIDIA's.
var ownConstants = []string{
	"MinDriver", "maxLog", "maxAlgos", "maxConfigs", "maxProducts", "loader", "firstMajor", "lastMajor", "minNccl", "tensorAlignment",
	"CudnnForward", "CudnnGradData", "CudnnGradWeights",
	"cudnnStatusNotSupportedTop", // the end of a range that cuDNN 9 keeps for refusals
}

// Each number that this package has of NVIDIA's is in one of the tables that the tests of
// headers compare: one that is new here and not there would be compared with nothing.
func TestEveryConstantIsCompared(t *testing.T) {
	all, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	parse := func(wanted func(name string) bool) []*ast.File {
		var files []*ast.File
		for _, name := range all {
			if !wanted(name) {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		return files
	}
	compared := map[string]bool{}
	for _, f := range parse(func(name string) bool { return strings.HasSuffix(name, "headers_test.go") }) {
		ast.Inspect(f, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				compared[id.Name] = true
			}
			return true
		})
	}
	found := 0
	for _, f := range parse(func(name string) bool { return !strings.HasSuffix(name, "_test.go") }) {
		for _, d := range f.Decls {
			for _, name := range constants(d) {
				found++
				if !compared[name] && !slices.Contains(ownConstants, name) {
					t.Errorf("%s is compared with no header: put it into a table of the …headers_test.go files", name)
				}
			}
		}
	}
	if found < 100 {
		t.Errorf("%d constants found", found)
	}
}

// constants are the names of a declaration's constants.
func constants(d ast.Decl) []string {
	var names []string
	if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
		for _, s := range g.Specs {
			for _, n := range s.(*ast.ValueSpec).Names {
				names = append(names, n.Name)
			}
		}
	}
	return names
}
