//go:build cgo

package hdf5

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gocaffe/gocaffe/internal/damagetest"
)

// smallFile is a file with all that Caffe's have: groups in groups, floats, an integer, a string.
func smallFile(t testing.TB) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "small.h5")
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		f.WriteFloats("/data/ip/0", []int{2, 3}, make([]float32, 6)), f.WriteFloats("scalar", nil, []float32{1}), f.WriteInt("iter", 20),
		f.WriteString("learned_net", "x.caffemodel.h5"), f.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// readDamaged reads all of a file. An error of Open names it.
func readDamaged(t testing.TB, name, path string, b []byte) error {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		if !strings.Contains(err.Error(), path) {
			t.Errorf("%s: the error does not name the file: %v", name, err)
		}
		return err
	}
	defer f.Close()
	for _, object := range []string{"iter", "data/ip/0", "learned_net"} {
		if _, _, err := f.ReadFloats(object); err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("%s: the error does not name the file: %v", name, err)
		}
	}
	readAll(f, "/", 0)
	return nil
}

// limitedEnv, in the environment, makes this test binary the child that TestDamagedEverywhere starts.
const limitedEnv = "GOCAFFE_TEST_DAMAGED_HDF5"

// TestDamagedEverywhere reads files with every kind of damage in a child process that may take 2 GiB of memory, the library's own
// included, and whose death by a signal would be seen.
func TestDamagedEverywhere(t *testing.T) {
	if os.Getenv(limitedEnv) != "" {
		damagedEverywhere(t)
		return
	}
	child := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -v 2097152 && exec "$0" -test.run '^TestDamagedEverywhere$' -test.timeout 120s`, os.Args[0])
	child.Env = append(os.Environ(), limitedEnv+"=1", "GOMAXPROCS=2")
	start := time.Now()
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("after %v: %v\n%.4000s", time.Since(start), err, out)
	}
}

func damagedEverywhere(t *testing.T) {
	state, err := os.ReadFile(golden + "sgd_snapshot_diff_hdf5/snap_iter_20.solverstate.h5")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.h5")
	for name, whole := range map[string][]byte{"small": smallFile(t), "Caffe's": state} {
		damagetest.Each(t, whole, 600, func(damage string, b []byte) {
			damage = fmt.Sprintf("%s: %s", name, damage)
			damagetest.Within(t, damage, 16<<20, func() {
				if err := readDamaged(t, damage, path, b); err == nil && len(b) < len(whole) {
					t.Errorf("%s: no error", damage)
				}
			})
		})
	}
}

// FuzzFile: libhdf5 and what we ask of it end with an error or with values, whatever is in the file.
func FuzzFile(f *testing.F) {
	whole := smallFile(f)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	path := filepath.Join(f.TempDir(), "x.h5")
	f.Fuzz(func(t *testing.T, b []byte) {
		damagetest.Within(t, "HDF5", 32<<20+uint64(len(b))*1032*8, func() { _ = readDamaged(t, "HDF5", path, b) })
	})
}
