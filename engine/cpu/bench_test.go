package cpu_test

import (
	"testing"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/engine/cpu"
	"github.com/gocaffe/gocaffe/engine/enginetest"
)

func BenchmarkOps(b *testing.B) {
	enginetest.OpenOrSkip(b, cpu.Name, engine.Config{})
	enginetest.Bench(b, cpu.Open)
}
