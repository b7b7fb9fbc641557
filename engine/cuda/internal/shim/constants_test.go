//go:build cgo && linux

package shim

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
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
	files := token.NewFileSet()
	parse := func(test bool) []ast.Node {
		var nodes []ast.Node
		pkgs, err := parser.ParseDir(files, ".", func(f fs.FileInfo) bool { return strings.HasSuffix(f.Name(), "headers_test.go") == test && (test || !strings.HasSuffix(f.Name(), "_test.go")) }, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pkgs {
			for _, f := range p.Files {
				nodes = append(nodes, f)
			}
		}
		return nodes
	}
	compared := map[string]bool{}
	for _, f := range parse(true) {
		ast.Inspect(f, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				compared[id.Name] = true
			}
			return true
		})
	}
	found := 0
	for _, f := range parse(false) {
		for _, d := range f.(*ast.File).Decls {
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
