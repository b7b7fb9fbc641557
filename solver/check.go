package solver

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// check collects everything that is wrong with a solver's settings, each with its place.
type check struct {
	file  *proto.SolverFile
	param *caffepb.SolverParameter
	errs  []error
}

// checkSettings refuses what Caffe refuses, but all at once and before any net is built.
func checkSettings(f *proto.SolverFile, p *caffepb.SolverParameter, o *Options) error {
	c := &check{file: f, param: p}
	c.nets()
	c.testNets()
	c.rate()
	c.rule()
	c.counts()
	c.evaluation()
	c.snapshot(o)
	return errors.Join(c.errs...)
}

func (c *check) fail(field, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%s: %s", c.file.FieldPos(field), fmt.Sprintf(format, args...)))
}

func (c *check) nets() {
	p := c.param
	var given []string
	for _, n := range []struct {
		field string
		set   bool
	}{{"net", p.Net != nil}, {"net_param", p.NetParam != nil}, {"train_net", p.TrainNet != nil}, {"train_net_param", p.TrainNetParam != nil}} {
		if n.set {
			given = append(given, n.field)
		}
	}
	const fields = "net, net_param, train_net, train_net_param"
	switch {
	case len(given) == 0:
		c.fail("net", "SolverParameter must specify a train net using one of these fields: %s", fields)
	case len(given) > 1:
		c.fail(given[1], "SolverParameter must not contain more than one of these fields specifying a train_net: %s; it has %s",
			fields, strings.Join(given, " and "))
	}
}

func (c *check) testNets() {
	p := c.param
	iters, named := len(p.TestIter), len(p.TestNet)+len(p.TestNetParam)
	generic := p.Net != nil || p.NetParam != nil
	switch {
	case generic && iters < named, !generic && iters != named:
		c.fail("test_iter", "test_iter must be specified for each test network: there are %d test_iter for %d test nets", iters, named)
	case len(p.TestState) != 0 && len(p.TestState) != iters:
		c.fail("test_state", "test_state must be unspecified or specified once per test net: there are %d for %d nets", len(p.TestState), iters)
	}
	if iters > 0 && p.GetTestInterval() <= 0 {
		c.fail("test_interval", "test_interval must be positive where there are test nets (it is %d)", p.GetTestInterval())
	}
	for i, n := range p.TestIter {
		if n < 0 {
			c.fail(fmt.Sprintf("test_iter[%d]", i), "test_iter must not be negative (it is %d)", n)
		}
	}
}

func (c *check) rate() {
	p := c.param
	policy := p.GetLrPolicy()
	if !slices.Contains(ratePolicies, policy) {
		c.fail("lr_policy", "Unknown learning rate policy: %s (known policies: %s)", policy, strings.Join(ratePolicies, ", "))
		return
	}
	if (policy == "step" || policy == "sigmoid") && p.GetStepsize() <= 0 {
		c.fail("stepsize", "lr_policy %q needs stepsize > 0 (it is %d)", policy, p.GetStepsize())
	}
	if stages := len(p.Stagelr); policy == "multifixed" && (stages == 0 || len(p.Stageiter) != stages) {
		c.fail("stagelr", "lr_policy \"multifixed\" needs as many stageiter as stagelr, and one at least (there are %d and %d)", len(p.Stageiter), stages)
	}
	if !slices.Contains([]string{"fixed", "poly", "multifixed"}, policy) && !(p.GetGamma() >= 0) {
		c.fail("gamma", "lr_policy %q needs gamma >= 0 (it is %g)", policy, p.GetGamma())
	}
	c.warmUp()
}

func (c *check) warmUp() {
	p := c.param
	warm, ramp, least := p.GetWarmupIter(), p.GetRampupInterval(), p.GetMinLr()
	switch {
	case warm < 0:
		c.fail("warmup_iter", "warmup_iter must not be negative (it is %d)", warm)
	case ramp < 0:
		c.fail("rampup_interval", "rampup_interval must not be negative (it is %d)", ramp)
	case warm > 0 && ramp > 0:
		c.fail("rampup_interval", "rampup_interval and warmup_iter are two ways of the same: leave one out")
	}
	if !(least >= 0) {
		c.fail("min_lr", "min_lr must not be negative (it is %g)", least)
	}
	if p.GetLrPolicy() == "poly" && p.GetBaseLr() < least {
		c.fail("min_lr", "lr_policy \"poly\" needs base_lr >= min_lr (they are %g and %g)", p.GetBaseLr(), least)
	}
}

func (c *check) rule() {
	p := c.param
	switch typ := p.GetType(); typ {
	case "SGD", "Nesterov", "AdaDelta", "Adam":
	case "AdaGrad", "RMSProp":
		if p.GetMomentum() != 0 {
			c.fail("momentum", "Momentum cannot be used with %s. Remove momentum: %g.", typ, p.GetMomentum())
		}
	default:
		c.fail("type", "Unknown solver type: %s (known types: AdaDelta, AdaGrad, Adam, Nesterov, RMSProp, SGD)", typ)
	}
	if r := p.GetRmsDecay(); p.GetType() == "RMSProp" && !(r >= 0 && r < 1) {
		c.fail("rms_decay", "rms_decay should lie between 0 and 1 (it is %g)", r)
	}
	if r := p.GetRegularizationType(); p.GetWeightDecay() != 0 && r != "L1" && r != "L2" {
		c.fail("regularization_type", "Unknown regularization type: %s (known types: L1, L2)", r)
	}
}

func (c *check) counts() {
	if n := c.param.GetAverageLoss(); n < 1 {
		c.fail("average_loss", "average_loss should be non-negative, and at least 1 (it is %d)", n)
	}
	if n := c.param.GetIterSize(); n < 1 {
		c.fail("iter_size", "iter_size must be at least 1 (it is %d)", n)
	}
	if n := c.param.GetMaxIter(); n < 0 {
		c.fail("max_iter", "max_iter must not be negative (it is %d)", n)
	}
	if n := c.param.GetSnapshot(); n < 0 {
		c.fail("snapshot", "snapshot must not be negative (it is %d); 0 is none but the last", n)
	}
}

func (c *check) evaluation() {
	known := slices.Sorted(maps.Keys(evaluations))
	if typ := c.param.GetEvalType(); !slices.Contains(known, typ) {
		c.fail("eval_type", "Unknown evaluation type: %s (known types: %s)", typ, strings.Join(known, ", "))
	}
	known = slices.Sorted(maps.Keys(averagePrecisions))
	if version := c.param.GetApVersion(); c.param.GetEvalType() == "detection" && !slices.Contains(known, version) {
		c.fail("ap_version", "Unknown ap_version: %s (known versions: %s)", version, strings.Join(known, ", "))
	}
}

func (c *check) snapshot(o *Options) {
	p := c.param
	if p.GetSnapshot() != 0 && p.SnapshotPrefix == nil {
		c.fail("snapshot", "In solver params, snapshot is specified but snapshot_prefix is not")
	}
	if p.GetSnapshotFormat() == caffepb.SolverParameter_HDF5 && o.HDF5 == nil {
		c.fail("snapshot_format", "snapshot_format: HDF5 needs libhdf5, which this program lacks; use BINARYPROTO")
	}
}
