package graph

import (
	"fmt"
	"slices"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/spec"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// Builder is what a layer lowers itself through. The first error sticks: later
// calls return None and change nothing, so that Lower needs no error checks.
type Builder struct {
	g        *Graph
	layer    int // the layer that is being lowered
	dir      Direction
	shared   map[string]int // params by name
	feeds    map[*spec.Layer][]engine.Shape
	pixels   map[*spec.Layer]*engine.PixelFormat
	selected map[*spec.Layer]int

	deviceMasks bool // Options.DeviceMasks
	custom      map[Value]customGrad
	err         error
}

// Err is the first error of the layer being lowered, or nil.
func (b *Builder) Err() error { return b.err }

// Fail records an error, as Layer.Errorf words it.
func (b *Builder) Fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// Failf records an error of the layer that is being lowered.
func (b *Builder) Failf(format string, args ...any) {
	b.Fail(b.g.Layers[b.layer].Errorf(format, args...))
}

// Shape is the shape of a value; empty after an error.
func (b *Builder) Shape(v Value) engine.Shape {
	if v < 0 {
		return nil
	}
	return b.g.Shape(v)
}

// Axis turns an axis that may count from the end into one that counts from 0.
// An axis outside the shape is an error; count allows one past the last.
func (b *Builder) Axis(v Value, axis int) int {
	n := len(b.Shape(v))
	if axis < -n || axis >= n {
		b.Failf("axis %d out of range for the %d axes of bottom %s (%v)", axis, n, b.name(v), b.Shape(v))
		return 0
	}
	if axis < 0 {
		axis += n
	}
	return axis
}

func (b *Builder) name(v Value) string {
	if v < 0 {
		return "none"
	}
	return b.g.Values[v].Name
}

// Op adds an op and gives its first output.
func (b *Builder) Op(op engine.Op, in ...Value) Value {
	out := b.Ops(op, in...)
	if len(out) == 0 {
		return None
	}
	return out[0]
}

// Ops adds an op and gives all its outputs; nil after an error.
func (b *Builder) Ops(op engine.Op, in ...Value) []Value {
	if b.err != nil {
		return nil
	}
	descs := make([]engine.Desc, len(in))
	for i, v := range in {
		if v < 0 {
			b.Failf("%T: input %d is missing", op, i)
			return nil
		}
		descs[i] = b.g.Desc(v)
	}
	outs, err := op.Infer(descs)
	if err != nil {
		b.failOp(err)
		return nil
	}
	n := Node{Op: op, In: slices.Clone(in), Layer: b.layer, Dir: b.dir}
	for _, d := range outs {
		v := b.value(ValueInfo{Desc: d, Origin: FromOp, Node: len(b.g.Nodes)})
		n.Out = append(n.Out, v)
	}
	b.g.Nodes = append(b.g.Nodes, n)
	return slices.Clone(n.Out)
}

func (b *Builder) failOp(err error) {
	if b.layer < 0 {
		b.Fail(err)
		return
	}
	b.Fail(b.g.Layers[b.layer].Errorf("%w", err))
}

// value adds a value; unnamed ones are named after their layer.
func (b *Builder) value(info ValueInfo) Value {
	v := Value(len(b.g.Values))
	if info.Name == "" {
		info.Name = fmt.Sprintf("%%%d", v)
	}
	b.g.Values = append(b.g.Values, info)
	return v
}

// Reshape gives v another shape of as many elements.
func (b *Builder) Reshape(v Value, shape ...int) Value {
	if b.err == nil && b.Shape(v).Equal(shape) {
		return v
	}
	return b.Op(engine.Reshape{Shape: engine.IntsOf(shape...)}, v)
}

// Alias is a new name for v: the same tensor, with a gradient of its own.
func (b *Builder) Alias(v Value) Value {
	return b.Op(engine.Reshape{Shape: engine.IntsOf(b.Shape(v)...)}, v)
}

// Const is a tensor of one repeated number.
func (b *Builder) Const(value float32, shape ...int) Value {
	return b.Op(engine.Fill{Shape: engine.IntsOf(shape...), Value: value})
}

// Scaled is factor·v; v itself for 1.
func (b *Builder) Scaled(v Value, factor float32) Value {
	if factor == 1 {
		return v
	}
	return b.Op(engine.Unary{Fn: engine.Power, A: 1, B: factor}, v)
}

// Param declares the layer's next blob. Its rate and decay multipliers come
// from the layer's param entries; an entry's name shares the blob with the
// first layer that used the name.
func (b *Builder) Param(shape engine.Shape, filler *caffepb.FillerParameter) Value {
	if b.err != nil {
		return None
	}
	l := b.g.Layers[b.layer]
	index := len(b.g.Uses[b.layer])
	entry := l.Param(index)
	if owner, ok := b.shared[entry.GetName()]; ok && entry.GetName() != "" {
		return b.share(owner, shape, filler, entry)
	}
	p := Param{
		Grad: None, Layer: b.layer, Index: index, Name: entry.GetName(), Filler: filler,
		LRMult: entry.GetLrMult(), DecayMult: entry.GetDecayMult(),
	}
	p.Value = b.value(ValueInfo{
		Name: fmt.Sprintf("%s[%d]", l.GetName(), index), Desc: engine.Dense(shape...), Origin: FromParam, Node: -1,
	})
	if p.Name != "" {
		b.shared[p.Name] = len(b.g.Params)
	}
	b.g.Uses[b.layer] = append(b.g.Uses[b.layer], Use{Param: len(b.g.Params), Shape: shape.Clone(), Filler: filler})
	b.g.Params = append(b.g.Params, p)
	return p.Value
}

// FixedParam declares the layer's next blob as one that no solver changes: its
// multipliers are 0 whatever the param entries say, and it starts at zeros.
func (b *Builder) FixedParam(shape engine.Shape) Value {
	v := b.Param(shape, nil)
	if uses := b.g.Uses[b.layer]; b.err == nil {
		p := &b.g.Params[uses[len(uses)-1].Param]
		p.LRMult, p.DecayMult = 0, 0
	}
	return v
}

// Redraw tells that Caffe's layer draws one more blob than it has, and drops it:
// the random stream moves on as if it were drawn.
func (b *Builder) Redraw(shape engine.Shape, filler *caffepb.FillerParameter) {
	if b.err == nil {
		b.g.Redraws[b.layer] = append(b.g.Redraws[b.layer], Use{Param: -1, Shape: shape.Clone(), Filler: filler})
	}
}

// State declares a tensor of the layer's own that outlives a run; it starts at
// zeros, once for each shape. Assign says what it holds after a forward pass: a
// gradient that read it would read the new value, so only ops whose gradients do
// not read their input may use it.
func (b *Builder) State(what string, shape ...int) Value {
	if b.err != nil {
		return None
	}
	return b.state(fmt.Sprintf("%s.%s[%v]", b.g.Layers[b.layer].GetName(), what, engine.Shape(shape)), shape...)
}

// Feed declares tensors that the host writes before each run.
func (b *Builder) Feed(f Feed, shapes ...engine.Shape) []Value {
	if b.err != nil {
		return make([]Value, len(shapes))
	}
	descs := make([]engine.Desc, len(shapes))
	for i, s := range shapes {
		descs[i] = engine.Dense(s...)
	}
	return b.feed(f, descs)
}

func (b *Builder) feed(f Feed, descs []engine.Desc) []Value {
	f.Layer = b.layer
	before := 0 // values of the layer's other feeds
	for _, other := range b.g.Feeds {
		if other.Layer == b.layer {
			before += len(other.Values)
		}
	}
	for i, d := range descs {
		f.Values = append(f.Values, b.value(ValueInfo{
			Name: fmt.Sprintf("%s.feed%d", b.g.Layers[b.layer].GetName(), before+i), Desc: d, Origin: FromFeed, Node: -1,
		}))
	}
	b.g.Feeds = append(b.g.Feeds, f)
	return f.Values
}

// Data is the tops of a data layer. With an entry in Options.Pixels the first is computed
// from bytes.
func (b *Builder) Data(shapes ...engine.Shape) []Value {
	format := b.pixels[b.g.Layers[b.layer]]
	if format == nil || b.err != nil {
		return b.Feed(Feed{Kind: FeedData}, shapes...)
	}
	mean := b.Feed(Feed{Kind: FeedMean, Mean: format.Mean}, format.MeanShape)[0]
	descs := []engine.Desc{{DType: engine.U8, Shape: shapes[0]}, engine.Dense(shapes[0][0], engine.WindowSize)}
	for _, s := range shapes[1:] {
		descs = append(descs, engine.Dense(s...))
	}
	in := b.feed(Feed{Kind: FeedData, Pixels: true}, descs)
	return append([]Value{b.Op(format.Op, in[0], in[1], mean)}, in[2:]...)
}

// Mask is a tensor that is 0 with probability ratio, else 1/(1 − ratio): other ones each run.
// The host draws it as Caffe does, or the device with Options.DeviceMasks.
func (b *Builder) Mask(ratio float32, shape engine.Shape) Value {
	if !b.deviceMasks {
		return b.Feed(Feed{Kind: FeedMask, Ratio: ratio}, shape.Clone())[0]
	}
	seed := b.Feed(Feed{Kind: FeedSeed}, engine.Shape{engine.SeedSize})
	return b.Op(engine.RandomMask{Ratio: ratio, Shape: engine.IntsOf(shape...)}, seed[0])
}

// HasFeedShapes reports whether Options.FeedShapes has an entry for the layer.
func (b *Builder) HasFeedShapes() bool {
	_, ok := b.feeds[b.g.Layers[b.layer]]
	return ok
}

// Sink declares values that the host writes somewhere after each forward pass.
func (b *Builder) Sink(values ...Value) {
	if b.err == nil {
		b.g.Sinks = append(b.g.Sinks, Sink{Layer: b.layer, Values: values})
	}
}

// Select gives the positions of the selector's entries that are not 0, as Gather
// takes them. Options.Selected says how many there are; without an entry for the
// layer it is all.
func (b *Builder) Select(selector Value) Value {
	if b.err != nil {
		return None
	}
	n := b.Shape(selector).Count()
	if k, ok := b.selected[b.g.Layers[b.layer]]; ok {
		n = min(n, k)
	}
	b.g.Selections = append(b.g.Selections, Selection{Layer: b.layer, Selector: selector, Count: n})
	return b.Op(engine.Nonzero{Count: n}, b.Stop(selector))
}

// FeedShapes are the shapes of the next batch of the layer's data source, as
// Options.FeedShapes gave them; an error where it gave none.
func (b *Builder) FeedShapes() []engine.Shape {
	l := b.g.Layers[b.layer]
	shapes, ok := b.feeds[l]
	if !ok {
		b.Failf("no data source is open for this layer")
	}
	return shapes
}

// Assign makes the param hold v after a run that includes v's node. A later
// Assign to the same param in the same direction replaces it; the solver's step
// goes on from what the forward pass assigned.
func (b *Builder) Assign(param, v Value) {
	if b.err != nil {
		return
	}
	for i, a := range b.g.Assigns {
		if a.To == param && b.direction(a.Value) == b.dir {
			b.g.Assigns[i].Value = v
			return
		}
	}
	b.g.Assigns = append(b.g.Assigns, Assign{To: param, Value: v})
}

// direction is the direction that makes v.
func (b *Builder) direction(v Value) Direction {
	if i := b.g.Values[v].Node; i >= 0 {
		return b.g.Nodes[i].Dir
	}
	return Forward
}

// Assigned is what the param holds after the ops so far: the value last assigned
// to it, else the param itself. An op that advances a param which layers share
// starts from there, as Caffe's layers do when they run one after the other.
func (b *Builder) Assigned(param Value) Value {
	for _, a := range b.g.Assigns {
		if a.To == param {
			return a.Value
		}
	}
	return param
}

// CustomGrad replaces the gradient rule of the node that made y. grad gets the
// gradients of all the node's outputs (None for zero) and gives one for each of
// its inputs (None for none).
func (b *Builder) CustomGrad(y Value, grad func(b *Builder, dy []Value) []Value) {
	if b.err == nil {
		b.custom[y] = grad
	}
}

type customGrad func(b *Builder, dy []Value) []Value

// Layer is the layer that is being lowered.
func (b *Builder) Layer() *spec.Layer { return b.g.Layers[b.layer] }
