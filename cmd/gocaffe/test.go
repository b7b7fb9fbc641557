package main

import (
	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/internal/glog"
	"github.com/gocaffe/gocaffe/net"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// score is the sum of one scalar of the net's outputs over all batches.
type score struct {
	name       string
	lossWeight float32
	sum        float32
}

// test scores a net: the mean of every output over -iterations batches.
func test(a *app) (err error) {
	if a.flags.model == "" {
		return fatalf("caffe.cpp", 258, "Need a model definition to score. Name its prototxt with -model")
	}
	if a.flags.weights == "" {
		return fatalf("caffe.cpp", 259, "Need model weights to score. Name the .caffemodel with -weights")
	}
	if err := a.checkIterations(); err != nil {
		return err
	}
	dev, err := a.openDevice(a.firstGPU(266, 270), 275)
	if err != nil {
		return err
	}
	defer closing(dev, &err)
	n, err := a.newNet(caffepb.Phase_TEST, net.Options{Device: dev})
	if err != nil {
		return err
	}
	defer closing(n, &err)
	if err := a.copyTrained(n); err != nil {
		return err
	}
	a.log.Infof("caffe.cpp", 281, "Running for %d iterations.", a.flags.iterations)
	return a.score(n)
}

// score runs the batches and logs each one's outputs, then the means. Sums are float32, as Caffe's.
func (a *app) score(n *net.Net) error {
	var loss float32
	var scores []score
	for i := range int(a.flags.iterations) {
		if err := n.Forward(); err != nil {
			return fatalAt("caffe.cpp", 290, err)
		}
		l, err := n.Loss()
		if err != nil {
			return err
		}
		loss += l
		if scores, err = a.batch(n, i, scores); err != nil {
			return err
		}
	}
	count := float32(a.flags.iterations)
	a.log.Infof("caffe.cpp", 309, "Loss: %s", glog.G(loss/count))
	for _, s := range scores {
		mean := s.sum / count
		suffix := ""
		if s.lossWeight != 0 {
			suffix = " (* " + glog.G(s.lossWeight) + " = " + glog.G(s.lossWeight*mean) + " loss)"
		}
		a.log.Infof("caffe.cpp", 321, "%s = %s%s", s.name, glog.G(mean), suffix)
	}
	return nil
}

// batch logs the outputs of batch i and adds them to the scores.
func (a *app) batch(n *net.Net, i int, scores []score) ([]score, error) {
	at := 0
	for _, o := range n.Outputs() {
		values, err := read(n, o.Name, o.Shape)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			if at == len(scores) {
				scores = append(scores, score{name: o.Name, lossWeight: o.LossWeight})
			}
			scores[at].sum += v
			at++
			a.log.Infof("caffe.cpp", 304, "Batch %d, %s = %s", i, o.Name, glog.G(v))
		}
	}
	return scores, nil
}

// read gives a blob's values.
func read(n *net.Net, blob string, shape engine.Shape) ([]float32, error) {
	values := make([]float32, shape.Count())
	return values, n.Read(blob, values)
}

func (a *app) checkIterations() error {
	if a.flags.iterations < 1 {
		return fatalf("caffe.cpp", 281, "-iterations %d: give the number of batches, 1 or more", a.flags.iterations)
	}
	return nil
}
