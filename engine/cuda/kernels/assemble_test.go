package kernels

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// assemblerVariable names NVIDIA's ptxas.
const assemblerVariable = "GOCAFFE_PTXAS"

// assembled are the GPUs that each text is assembled for, from the first one that it serves
// to the last that it may be the best for. A ptxas knows those of its time.
var assembled = map[string][]int{"sm_70.ptx": {70, 72, 75}, "sm_80.ptx": {80, 86, 87, 89, 90, 100, 103, 120, 121}}

// mostSpilled is how many bytes of registers a thread may have to put into memory.
const mostSpilled = 64

// NVIDIA's assembler takes the kernels for every GPU, as the driver will, and has registers
// for all that they keep.
func TestAssembles(t *testing.T) {
	ptxas := os.Getenv(assemblerVariable)
	if ptxas == "" {
		t.Skip("`make check-headers` fetches NVIDIA's ptxas and runs this test")
	}
	spills := regexp.MustCompile(`(\d+) bytes spill stores`)
	count := 0
	for text, gpus := range assembled {
		for _, gpu := range gpus {
			arch := fmt.Sprintf("sm_%d", gpu)
			out, err := exec.Command(ptxas, "-v", "-arch="+arch, "-o", filepath.Join(t.TempDir(), "out"), text).CombinedOutput()
			if err != nil && strings.Contains(string(out), "'"+arch+"' is not defined") {
				continue
			}
			if err != nil {
				t.Errorf("%s for %s: %v\n%s", text, arch, err, out)
			}
			for _, m := range spills.FindAllSubmatch(out, -1) {
				if n, _ := strconv.Atoi(string(m[1])); n > mostSpilled { // digits, by the pattern
					t.Errorf("%s for %s: a kernel spills %d bytes, want %d at most", text, arch, n, mostSpilled)
				}
			}
			count++
		}
	}
	if count < 7 {
		t.Errorf("assembled for %d GPUs, want more", count)
	}
	t.Logf("assembled for %d GPUs", count)
}
