package layers

import "github.com/gocaffe/gocaffe/net/spec"

func init() {
	register(Def{Type: "Python", Refuse: refusePython})
}

// refusePython refuses the layer: what it computes is a class of a Python module,
// which nothing in a prototxt describes.
func refusePython(l *spec.Layer) error {
	p := l.GetPythonParam()
	return l.FieldErrorf("python_param", "Python layers are not supported: class %q of module %q would have to run here; "+
		"replace the layer by Caffe's own types, or by an Input layer if it only reads data", p.GetLayer(), p.GetModule())
}
