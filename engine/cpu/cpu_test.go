package cpu_test

import (
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cpu"
	"github.com/gocaffe/gocaffe/engine/enginetest"
)

func TestConformance(t *testing.T) {
	enginetest.OpenOrSkip(t, cpu.Name, engine.Config{})
	enginetest.Run(t, cpu.Open)
}
