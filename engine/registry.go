package engine

import (
	"fmt"
	"sort"
	"strings"
)

// Config is what the command line says about a device.
type Config struct {
	// Warn is told, in one line, of what an engine can do without but a user should know
	// of, such as a cache file that cannot be read. It may be nil.
	Warn func(line string)

	Index     int    // which device of its kind, -gpu's number
	Threads   int    // 0: one a core
	Precision string // "" is PrecisionFP32; an engine refuses what it lacks
}

var opens = map[string]func(Config) (Device, error){}

// Register makes an engine known by name; an engine's package calls it from
// init. A second registration of a name is a bug and panics.
func Register(name string, open func(Config) (Device, error)) {
	if _, dup := opens[name]; dup {
		panic("engine: " + name + " registered twice")
	}
	opens[name] = open
}

// Open opens a device of the named engine.
func Open(name string, c Config) (Device, error) {
	open, ok := opens[name]
	if !ok {
		return nil, fmt.Errorf("engine: no engine %q in this binary (known: %s)", name, strings.Join(Names(), ", "))
	}
	return open(c)
}

// Names lists the registered engines in order.
func Names() []string {
	names := make([]string, 0, len(opens))
	for n := range opens {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
