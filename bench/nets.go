package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// net is one prototxt with constant input under the stage "dummy".
type net struct {
	Name, Model  string
	Milliseconds float64 // about what a pass takes on two cores: it gives the number of iterations
	Latency      bool    // also measured with batch 1
}

var allNets = []net{
	{"LeNet", "examples/mnist/lenet_train_test.prototxt", 5, false},
	{"CIFAR-10 quick", "examples/cifar10/quick_train_test.prototxt", 25, false},
	{"AlexNet", "examples/alexnet/train_val.prototxt", 350, false},
	{"GoogLeNet", "examples/googlenet/train_val.prototxt", 450, false},
	{"VGG-16", "examples/vgg16/train_val.prototxt", 950, false},
	{"SqueezeNet", "examples/squeezenet/train_val.prototxt", 250, true},
	{"ResNet-50", "examples/resnet50/train_val.prototxt", 650, true},
	{"MobileNet", "examples/mobilenet/train_val.prototxt", 200, true},
}

// mode is what a pass is.
type mode struct {
	phase string
	batch int // instead of the prototxt's; 0 keeps it
}

var (
	training  = mode{phase: "TRAIN"}
	inference = mode{phase: "TEST", batch: 1}
)

var (
	dummyLayer = regexp.MustCompile(`(?s)type: "DummyData".*?\n}`)
	firstDim   = regexp.MustCompile(`shape \{ dim: \d+`)
)

// model is the path of the net's prototxt with the mode's batch, in folder where
// it had to be written anew.
func (m mode) model(n net, folder string) (string, error) {
	if m.batch == 0 {
		return n.Model, nil
	}
	text, err := os.ReadFile(n.Model)
	if err != nil {
		return "", err
	}
	at := dummyLayer.FindIndex(text)
	if at == nil {
		return "", fmt.Errorf("%s has no DummyData layer whose batch could be %d", n.Model, m.batch)
	}
	changed := firstDim.ReplaceAll(text[at[0]:at[1]], fmt.Appendf(nil, "shape { dim: %d", m.batch))
	text = append(append(append([]byte{}, text[:at[0]]...), changed...), text[at[1]:]...)
	path := filepath.Join(folder, filepath.Base(filepath.Dir(n.Model))+".prototxt")
	return path, os.WriteFile(path, text, 0o644)
}
