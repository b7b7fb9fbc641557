package enginetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/ref"
)

// Every type of package engine that has an Infer method is an op, and needs cases.
func TestEveryOpHasCases(t *testing.T) {
	tested := map[string]bool{}
	for _, gen := range generators {
		name := gen.op.Name()
		if tested[name] {
			t.Errorf("%s has two generators", name)
		}
		tested[name] = true
		if len(gen.cases(newSource(name))) == 0 {
			t.Errorf("%s has no case", name)
		}
	}
	ops := opsOf(t, "..")
	if len(ops) < 39 {
		t.Fatalf("found %d ops in package engine: does this test still see Infer?", len(ops))
	}
	for _, name := range ops {
		if !tested[name] {
			t.Errorf("engine.%s has no cases: register them in this package, in the file named as the op's", name)
		}
	}
}

// opsOf lists the receivers of Infer methods in a folder's Go files.
func opsOf(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range files {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || fn.Name.Name != "Infer" {
				continue
			}
			if id, ok := fn.Recv.List[0].Type.(*ast.Ident); ok {
				names = append(names, id.Name)
			}
		}
	}
	return names
}

// The cases must be the same in each run: a failure's name is how it is found again.
func TestCasesAreDeterministic(t *testing.T) {
	for _, gen := range generators {
		a, b := gen.cases(newSource(gen.op.Name())), gen.cases(newSource(gen.op.Name()))
		for i := range a {
			if a[i].name() != b[i].name() {
				t.Fatalf("%s: case %d is %s and then %s", gen.op.Name(), i, a[i].name(), b[i].name())
			}
		}
	}
}

func TestRequired(t *testing.T) {
	t.Setenv("GOCAFFE_TEST_ENGINES", "ref,cpu")
	if !Required("cpu") || Required("cuda") || Required("re") {
		t.Error("GOCAFFE_TEST_ENGINES=ref,cpu is misread")
	}
}

// A device with layouts of its own passes.
func TestOwnLayouts(t *testing.T) {
	dev := func(engine.Config) (engine.Device, error) { return &faultyDevice{}, nil }
	rep := Run(t, dev)
	if len(rep.Unsupported) > 0 {
		t.Errorf("unsupported: %v", rep.Unsupported)
	}
}

// A suite is worth what it catches.
func TestFaultsAreFound(t *testing.T) {
	relu := Case{Op: engine.Unary{}, In: []Tensor{newSource("faults").values(2, 16, 3, 3)}}
	for _, f := range []struct {
		name  string
		fault func(l *faultyLaunch)
		says  string
	}{
		{"wrong value", func(l *faultyLaunch) { l.out[5] += 0.001 }, "ref has"},
		{"nothing written", func(l *faultyLaunch) { copy(bytesOf(l.out), []byte{unwritten, unwritten, unwritten, unwritten}) }, "ref has"},
		{"before the buffer", func(l *faultyLaunch) { l.around(-4) }, "before a buffer"},
		{"behind the buffer", func(l *faultyLaunch) { l.around(4 * len(l.out)) }, "behind a buffer"},
		{"input changed", func(l *faultyLaunch) { l.in[3] = 7 }, "was changed"},
		{"not the same twice", func(l *faultyLaunch) { l.out[0] += float32(*l.launches) * 1e-6 }, "differs between"},
		{"wrong in own layouts only", func(l *faultyLaunch) {
			if l.reversed {
				l.out[len(l.out)-1]++ // the first element; padding may change
			}
		}, "own layouts"},
	} {
		t.Run(f.name, func(t *testing.T) {
			r := newRig(t, func(engine.Config) (engine.Device, error) { return &faultyDevice{fault: f.fault}, nil }, engine.PrecisionFP32)
			rep := Report{Unsupported: map[string]int{}}
			err := rep.check(r, newRig(t, ref.Open, engine.PrecisionFP32), &relu)
			if err == nil || !strings.Contains(err.Error(), f.says) {
				t.Errorf("got %v, want an error with %q", err, f.says)
			}
		})
	}
}
