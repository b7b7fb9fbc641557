//go:build cgo && linux

package cuda

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/gocaffe/gocaffe/engine/cuda/internal/shim"
)

// planCache keeps what searches found in a file of the user's cache folder, so that a
// machine searches once. What was found holds for one version of cuDNN, one kind of GPU
// and one driver; the file's name has them, and its content again.
type planCache struct {
	mu    sync.Mutex
	ctx   *shim.Context
	file  string // "" where there is no folder for caches
	is    cacheHeader
	plans map[string]plan
	read  bool
	warn  func(string) // told once a cache that cannot be used
}

type cacheHeader struct {
	Format int    `json:"format"`
	Cudnn  string `json:"cudnn"`
	GPU    string `json:"gpu"`
	Driver string `json:"driver"`
}

type cacheFile struct {
	cacheHeader
	Plans map[string]plan `json:"plans"`
}

// plan is the fastest algo of a search.
type plan struct {
	Name         string  `json:"name"`
	Microseconds float64 `json:"microseconds"`
}

// cacheFormat is the file's; another one is ignored.
const cacheFormat = 1

var notInNames = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

// open says whose plans they are. XDG_CACHE_HOME moves the file, as it does every cache.
func (c *planCache) open(ctx *shim.Context, warn func(string)) {
	c.ctx, c.plans, c.warn = ctx, map[string]plan{}, warn
}

// name names the file, when the first plan is looked for: cuDNN is open then, or missing.
func (c *planCache) name() {
	c.is = cacheHeader{Format: cacheFormat, Cudnn: "none", GPU: c.ctx.Name, Driver: c.ctx.Info().Version}
	if lib, err := shim.OpenCudnn(); err == nil {
		c.is.Cudnn = lib.Version()
	}
	if folder, err := os.UserCacheDir(); err == nil {
		name := fmt.Sprintf("cudnn-%s-%s-%s.json", c.is.Cudnn, c.is.GPU, c.is.Driver)
		c.file = filepath.Join(folder, "gocaffe", notInNames.ReplaceAllString(name, "_"))
	}
}

// lookup is the name of the algo that a search found.
func (c *planCache) lookup(key string) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.load()
	p, ok := c.plans[key]
	return p.Name, ok
}

// load reads the file once.
func (c *planCache) load() {
	if c.read {
		return
	}
	c.read = true
	c.name()
	if c.file == "" {
		return
	}
	plans, err := c.stored()
	if err != nil {
		c.warn(fmt.Sprintf("cuda: the cache of convolution algorithms is not used: %v; it is written anew", err))
		return
	}
	maps.Copy(c.plans, plans)
}

// stored is the file's content; nothing if there is none.
func (c *planCache) stored() (map[string]plan, error) {
	text, err := os.ReadFile(c.file)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var f cacheFile
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", c.file, err)
	}
	if f.cacheHeader != c.is {
		return nil, fmt.Errorf("%s is of format %d, cuDNN %s, %s and driver %s", c.file, f.Format, f.Cudnn, f.GPU, f.Driver)
	}
	return f.Plans, nil
}

// enter adds a plan and writes the file, with what other processes wrote since. A file
// that cannot be written costs the next run a search, and no more.
func (c *planCache) enter(key string, p plan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.load()
	c.plans[key] = p
	if c.file == "" {
		return
	}
	if others, err := c.stored(); err == nil {
		for k, v := range others {
			if _, ok := c.plans[k]; !ok {
				c.plans[k] = v
			}
		}
	}
	if err := c.save(); err != nil {
		c.warn(fmt.Sprintf("cuda: the cache of convolution algorithms cannot be kept: %v", err))
		c.file = ""
	}
}

// save replaces the file at once, so that no reader sees half of it.
func (c *planCache) save() error {
	text, err := json.MarshalIndent(cacheFile{c.is, c.plans}, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.file), 0o777); err != nil {
		return err
	}
	t, err := os.CreateTemp(filepath.Dir(c.file), ".cudnn-*")
	if err != nil {
		return err
	}
	_, err = t.Write(append(text, '\n'))
	if e := t.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(t.Name(), c.file)
	}
	if err != nil {
		_ = os.Remove(t.Name()) // the reason is told already
	}
	return err
}
