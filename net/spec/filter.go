package spec

import (
	"errors"
	"slices"

	gcproto "github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// filter keeps the layers that the state includes.
func filter(net *caffepb.NetParameter, file File, state *caffepb.NetState, log LogFunc) ([]*Layer, error) {
	var layers []*Layer
	var errs []error
	for i, p := range net.GetLayer() {
		l := &Layer{LayerParameter: p, written: p.GetBottom()}
		if file != nil {
			l.Pos = file.LayerPos(i)
			l.field = func(path string) gcproto.Pos { return file.FieldPos(i, path) }
		}
		if len(p.GetInclude()) > 0 && len(p.GetExclude()) > 0 {
			errs = append(errs, l.FieldErrorf("exclude[0]", "Specify either include rules or exclude rules; not both."))
			continue
		}
		if included(state, p, log) {
			layers = append(layers, l)
		}
	}
	return layers, errors.Join(errs...)
}

// included applies a layer's rules: any include rule that the state meets takes
// it in, any exclude rule leaves it out.
func included(state *caffepb.NetState, p *caffepb.LayerParameter, log LogFunc) bool {
	meets := func(r *caffepb.NetStateRule) bool { return meetsRule(state, r, p.GetName(), log) }
	if len(p.GetInclude()) > 0 {
		return slices.ContainsFunc(p.GetInclude(), meets)
	}
	return !slices.ContainsFunc(p.GetExclude(), meets)
}

// meetsRule reports whether the state is one that the rule describes, and logs
// the first thing in which it is not, as Caffe does.
func meetsRule(state *caffepb.NetState, r *caffepb.NetStateRule, layer string, log LogFunc) bool {
	const file = "net.cpp"
	switch {
	case r.Phase != nil && r.GetPhase() != state.GetPhase():
		log(file, 296, "The NetState phase (%d) differed from the phase (%d) specified by a rule in layer %s",
			state.GetPhase(), r.GetPhase(), layer)
		return false
	case r.MinLevel != nil && state.GetLevel() < r.GetMinLevel():
		log(file, 306, "The NetState level (%d) is above the min_level (%d) specified by a rule in layer %s",
			state.GetLevel(), r.GetMinLevel(), layer)
		return false
	case r.MaxLevel != nil && state.GetLevel() > r.GetMaxLevel():
		log(file, 316, "The NetState level (%d) is above the max_level (%d) specified by a rule in layer %s",
			state.GetLevel(), r.GetMaxLevel(), layer)
		return false
	}
	for _, s := range r.GetStage() {
		if !slices.Contains(state.GetStage(), s) {
			log(file, 332, "The NetState did not contain stage '%s' specified by a rule in layer %s", s, layer)
			return false
		}
	}
	for _, s := range r.GetNotStage() {
		if slices.Contains(state.GetStage(), s) {
			log(file, 347, "The NetState contained a not_stage '%s' specified by a rule in layer %s", s, layer)
			return false
		}
	}
	return true
}
