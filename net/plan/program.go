package plan

import (
	"errors"
	"fmt"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/ref"
	"github.com/gocaffe/gocaffe/net/graph"
)

// Step is one launch of the plan.
type Step struct {
	Op      engine.Op
	In, Out []graph.Value // an unread output is graph.None
	Layer   int           // index in Graph.Layers, or -1
	Dir     graph.Direction

	kernel  engine.Kernel
	host    ref.Runner // set instead of kernel where the device has none
	scratch int64      // where in the arena the kernel's scratch lies
	args    engine.Args

	derives bool     // depends on params or states alone: only needed when those have changed
	early   bool     // derives from params that the plan leaves alone: may run before all others
	sources *sources // the params and states
	seen    []int    // their versions at the last launch
	writes  []*entry // the params and states that the step changes
}

// OnHost reports whether the step runs on the host because the device lacks its
// op.
func (s *Step) OnHost() bool { return s.host != nil }

// value is what the plan knows of a graph's value, or of one that it added.
type value struct {
	graph.ValueInfo
	root    graph.Value // whose memory it uses: itself, or what it is an alias of
	at      int64       // where in root's memory, in bytes
	keep    bool
	decided bool // params and states: the layout is fixed
	offset  int64
	bytes   int64
}

// program is the graph while the passes work on it.
type program struct {
	g       *graph.Graph
	dev     engine.Device
	opts    Options
	storage *Storage
	values  []value
	steps   []*Step
	assigns []graph.Assign
	keys    map[graph.Value]string // of params and states in the storage
	kernels map[string]engine.Kernel
	noted   map[string]bool

	arenaSize int64 // set by the memory pass
}

func newProgram(g *graph.Graph, dev engine.Device, o Options) *program {
	p := &program{
		g: g, dev: dev, opts: o, storage: o.Storage, assigns: append([]graph.Assign{}, g.Assigns...),
		keys: map[graph.Value]string{}, kernels: map[string]engine.Kernel{}, noted: map[string]bool{},
	}
	seen := map[string]int{}
	for i, info := range g.Values {
		v := graph.Value(i)
		p.values = append(p.values, value{ValueInfo: info, root: v})
		switch info.Origin {
		case graph.FromParam:
			p.keys[v] = storageKey(info.Name, seen)
		case graph.FromState:
			p.keys[v] = storageKey(o.Owner+info.Name, seen)
		}
	}
	for _, v := range o.Keep {
		p.values[v].keep = true
	}
	if g.Loss != graph.None {
		p.values[g.Loss].keep = true
	}
	for _, n := range g.Nodes {
		p.steps = append(p.steps, &Step{
			Op: n.Op, In: append([]graph.Value{}, n.In...), Out: append([]graph.Value{}, n.Out...), Layer: n.Layer, Dir: n.Dir,
		})
	}
	return p
}

// storageKey makes names unique: two layers may have one name.
func storageKey(name string, seen map[string]int) string {
	seen[name]++
	if n := seen[name]; n > 1 {
		return fmt.Sprintf("%s~%d", name, n)
	}
	return name
}

// add makes a value of the plan's own.
func (p *program) add(name string, d engine.Desc) graph.Value {
	v := graph.Value(len(p.values))
	p.values = append(p.values, value{ValueInfo: graph.ValueInfo{Name: name, Desc: d, Origin: graph.FromOp, Node: -1}, root: v})
	return v
}

func (p *program) desc(v graph.Value) engine.Desc {
	if v == graph.None {
		return engine.Desc{}
	}
	return p.values[v].Desc
}

func (p *program) descs(vs []graph.Value) []engine.Desc {
	out := make([]engine.Desc, len(vs))
	for i, v := range vs {
		out[i] = p.desc(v)
	}
	return out
}

// readers counts, for each value, the steps that read it; a kept value and one
// that is assigned count one more.
func (p *program) readers() []int {
	n := make([]int, len(p.values))
	for _, s := range p.steps {
		for _, v := range s.In {
			n[v]++
		}
	}
	for _, a := range p.assigns {
		n[a.Value]++
	}
	for v := range p.values {
		if p.values[v].keep {
			n[v]++
		}
	}
	return n
}

// prepare gets the device's kernel, the same one for the same op and descriptors.
func (p *program) prepare(op engine.Op, in, out []engine.Desc) (engine.Kernel, error) {
	key := fmt.Sprintf("%T%+v %v %v", op, op, in, out)
	if k, ok := p.kernels[key]; ok {
		return k, nil
	}
	k, err := p.dev.Prepare(op, in, out)
	if err == nil {
		p.kernels[key] = k
	}
	return k, err
}

// prefer asks the device for the layouts that it would like.
func (p *program) prefer(op engine.Op, in, out []engine.Desc) (pin, pout []engine.Desc) {
	l, ok := p.dev.(engine.Layouter)
	if !ok {
		return in, out
	}
	return l.Prefer(op, in, out)
}

// bytes is the memory that a tensor takes on the device.
func (p *program) bytes(d engine.Desc) int64 {
	if l, ok := p.dev.(engine.Layouter); ok {
		return l.Bytes(d)
	}
	return d.Bytes()
}

// verify checks that every step reads what an earlier one, the host or the
// storage has written.
func (p *program) verify() error {
	made := make([]bool, len(p.values))
	for v, info := range p.values {
		made[v] = info.Origin != graph.FromOp
	}
	for i, s := range p.steps {
		for _, v := range s.In {
			if !made[p.values[v].root] && !made[v] {
				return fmt.Errorf("plan: step %d (%T) reads %s before it is made", i, s.Op, p.values[v].Name)
			}
		}
		for _, v := range s.Out {
			if v != graph.None {
				made[v], made[p.values[v].root] = true, true
			}
		}
	}
	return nil
}

func unsupported(err error) bool { return errors.Is(err, engine.ErrUnsupported) }
