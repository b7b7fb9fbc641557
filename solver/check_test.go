package solver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckSettings: what is wrong is said with its line, all at once, before a net is built.
func TestCheckSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	const good = "net: \"none.prototxt\"\nlr_policy: \"fixed\"\nsnapshot_prefix: \"s\"\n"
	for _, c := range []struct{ text, want string }{
		{"lr_policy: \"fixed\"", "must specify a train net using one of these fields: net, net_param, train_net, train_net_param"},
		{good + "train_net: \"b\"", "solver.prototxt:4: SolverParameter must not contain more than one of these fields"},
		{good + "test_net: \"b\"", "test_iter must be specified for each test network: there are 0 test_iter for 1 test nets"},
		{"train_net: \"a\"\nlr_policy: \"fixed\"\ntest_iter: 1\ntest_interval: 1", "solver.prototxt:3: test_iter must be specified for each test network"},
		{good + "test_iter: 1", "test_interval must be positive"},
		{good + "test_iter: 1\ntest_interval: 5\ntest_state {}\ntest_state {}", "solver.prototxt:6: test_state must be unspecified or specified once per test net"},
		{good + "test_iter: -1 test_interval: 1", "solver.prototxt:4: test_iter must not be negative"},
		{"net: \"a\"", "Unknown learning rate policy:  (known policies: fixed, step"},
		{"net: \"a\"\nlr_policy: \"Fixed\"", "solver.prototxt:2: Unknown learning rate policy: Fixed"},
		{"net: \"a\"\nlr_policy: \"step\"", "needs stepsize > 0"},
		{"net: \"a\"\nlr_policy: \"exp\"\ngamma: -1", "solver.prototxt:3: lr_policy \"exp\" needs gamma >= 0"},
		{"net: \"a\"\nlr_policy: \"multifixed\"\nstagelr: 1 stagelr: 2\nstageiter: 3", "solver.prototxt:3: lr_policy \"multifixed\" needs as many stageiter as stagelr, and one at least (there are 1 and 2)"},
		{"net: \"a\"\nlr_policy: \"multifixed\"", "and one at least (there are 0 and 0)"},
		{good + "warmup_iter: -1", "solver.prototxt:4: warmup_iter must not be negative"},
		{good + "rampup_interval: -1", "solver.prototxt:4: rampup_interval must not be negative"},
		{good + "warmup_iter: 2\nrampup_interval: 2", "solver.prototxt:5: rampup_interval and warmup_iter are two ways of the same"},
		{good + "min_lr: -1", "solver.prototxt:4: min_lr must not be negative"},
		{"net: \"a\"\nlr_policy: \"poly\" base_lr: 0.1\nmin_lr: 0.2", "solver.prototxt:3: lr_policy \"poly\" needs base_lr >= min_lr (they are 0.1 and 0.2)"},
		{good + "type: \"adam\"", "solver.prototxt:4: Unknown solver type: adam (known types: AdaDelta, AdaGrad, Adam, Nesterov, RMSProp, SGD)"},
		{good + "type: \"AdaGrad\"\nmomentum: 0.9", "solver.prototxt:5: Momentum cannot be used with AdaGrad."},
		{good + "type: \"RMSProp\"\nrms_decay: 1", "solver.prototxt:5: rms_decay should lie between 0 and 1"},
		{good + "weight_decay: 1\nregularization_type: \"L3\"", "solver.prototxt:5: Unknown regularization type: L3"},
		{good + "average_loss: 0", "solver.prototxt:4: average_loss should be non-negative"},
		{good + "iter_size: 0", "solver.prototxt:4: iter_size must be at least 1"},
		{good + "max_iter: -1", "solver.prototxt:4: max_iter must not be negative"},
		{good + "snapshot: -1", "solver.prototxt:4: snapshot must not be negative"},
		{"net: \"a\"\nlr_policy: \"fixed\"\nsnapshot: 1", "snapshot is specified but snapshot_prefix is not"},
		{good + "snapshot_format: HDF5", "solver.prototxt:4: snapshot_format: HDF5 needs libhdf5"},
		{good + "eval_type: \"segmentation\"", "solver.prototxt:4: Unknown evaluation type: segmentation (known types: classification, detection)"},
		{good + "eval_type: \"detection\"\nap_version: \"12point\"", "solver.prototxt:5: Unknown ap_version: 12point (known versions: 11point, Integral, MaxIntegral)"},
		{good, "File not found: none.prototxt"},
	} {
		_, err := solve(t, c.text, Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q\n got %v\nwant %s", c.text, err, c.want)
		}
	}
	_, err := solve(t, "type: \"x\"\nmomentum: 1\nlr_policy: \"y\"", Options{})
	if n := strings.Count(err.Error(), "\n") + 1; n != 3 {
		t.Errorf("%d of 3 errors: %v", n, err)
	}
}

// TestPrefix: a prefix that cannot be written to is found out before the training.
func TestPrefix(t *testing.T) {
	t.Chdir(t.TempDir())
	text := tiny + "snapshot: 1 snapshot_prefix: \"no/such/folder/s\""
	_, err := solve(t, text, Options{})
	const want = "Cannot write to snapshot prefix 'no/such/folder/s'.  Make sure that the directory exists and is writable."
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
	if _, err := solve(t, tiny+"max_iter: 1 snapshot_prefix: \"s\" snapshot: 1", Options{}); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob("*.tempfile"); len(left) > 0 {
		t.Errorf("the probe leaves %v", left)
	}
	if _, err := os.Stat("s_iter_1.solverstate"); err != nil {
		t.Error(err)
	}
}
