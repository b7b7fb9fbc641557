package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/gocaffe/gocaffe/data"
	"github.com/gocaffe/gocaffe/data/lmdb"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// inputs are data layers alone: the pictures are 256 pixels wide and high.
var inputs = []struct{ Name, Layer string }{
	{"ImageData, JPEG, resize 240, crop 224, mirror", `layer { name: "data" type: "ImageData" top: "data" top: "label" transform_param { crop_size: 224 mirror: true mean_value: 104 mean_value: 117 mean_value: 123 }
  image_data_param { source: "%[1]s/list.txt" root_folder: "%[1]s/" batch_size: 64 new_height: 240 new_width: 240 shuffle: true } }`},
	{"LMDB, JPEG, crop 224, mirror", `layer { name: "data" type: "Data" top: "data" top: "label" transform_param { crop_size: 224 mirror: true mean_value: 104 mean_value: 117 mean_value: 123 }
  data_param { source: "%[1]s/encoded" backend: LMDB batch_size: 64 } }`},
	{"LMDB, raw, crop 224, mirror", `layer { name: "data" type: "Data" top: "data" top: "label" transform_param { crop_size: 224 mirror: true mean_value: 104 mean_value: 117 mean_value: 123 }
  data_param { source: "%[1]s/raw" backend: LMDB batch_size: 64 } }`},
	{"LMDB, raw, whole pictures", `layer { name: "data" type: "Data" top: "data" top: "label" transform_param { scale: 0.00390625 }
  data_param { source: "%[1]s/raw" backend: LMDB batch_size: 64 } }`},
}

const (
	pictures       = 640
	inputBatch     = 64
	inputIteration = 60 // batches in a turn, beyond those made ahead
)

// inputResult is the rate of one data layer, in pictures a second.
type inputResult struct {
	Input   string             `json:"input"`
	OneCore map[string]float64 `json:"one_core"` // by contender, everything on one core
	All     map[string]float64 `json:"all_cores"`
}

// input measures the data layers of gocaffe and Caffe.
func input(o settings, contenders []contender) ([]inputResult, error) {
	folder, err := os.MkdirTemp("", "gocaffe-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	if err := makePictures(folder); err != nil {
		return nil, err
	}
	fmt.Printf("%-48s %8s", "pictures a second", "cores")
	for _, c := range contenders {
		fmt.Printf(" %10s", c.name)
	}
	fmt.Println()
	var results []inputResult
	for i, in := range inputs {
		model := filepath.Join(folder, fmt.Sprint(i, ".prototxt"))
		if err := os.WriteFile(model, fmt.Appendf(nil, "name: \"input\"\n"+in.Layer+"\n", folder), 0o644); err != nil {
			return nil, err
		}
		r := inputResult{Input: in.Name}
		if r.OneCore, err = inputTurns(o, model, contenders, "taskset", "-c", "0"); err != nil {
			return nil, err
		}
		printRates(in.Name, "1", contenders, r.OneCore)
		if r.All, err = inputTurns(o, model, contenders); err != nil {
			return nil, err
		}
		printRates("", "all", contenders, r.All)
		results = append(results, r)
	}
	return results, nil
}

func inputTurns(o settings, model string, contenders []contender, prefix ...string) (map[string]float64, error) {
	best := map[string]float64{}
	for range o.rounds {
		for _, c := range contenders {
			if c.binary == "" {
				continue
			}
			ms, err := forwardTime(append(append([]string{}, prefix...), c.binary), model)
			if err != nil {
				return nil, err
			}
			best[c.name] = max(best[c.name], inputBatch/ms*1000)
		}
	}
	return best, nil
}

// forwardTime runs `time`, whose log has Caffe's words in both programs.
func forwardTime(command []string, model string) (ms float64, err error) {
	args := append(command[1:], "time", "-model", model, "-iterations", fmt.Sprint(inputIteration))
	cmd := exec.Command(command[0], args...)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, lastLine(log.String()))
	}
	return average(log.String(), "Forward pass")
}

func printRates(name, cores string, contenders []contender, rates map[string]float64) {
	fmt.Printf("%-48s %8s", name, cores)
	for _, c := range contenders {
		if c.binary != "" {
			fmt.Printf(" %10.0f", rates[c.name])
		}
	}
	fmt.Println()
}

// makePictures writes JPEG files with their list, and databases of the same
// pictures, encoded and raw.
func makePictures(folder string) error {
	var list bytes.Buffer
	raw, err := lmdb.Create(filepath.Join(folder, "raw"), data.Discard)
	if err != nil {
		return err
	}
	encoded, err := lmdb.Create(filepath.Join(folder, "encoded"), data.Discard)
	if err != nil {
		return err
	}
	for i := range pictures {
		file, pixels, err := picture(i)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%04d.jpg", i)
		fmt.Fprintln(&list, name, i%10)
		if err := os.WriteFile(filepath.Join(folder, name), file, 0o644); err != nil {
			return err
		}
		d := &caffepb.Datum{Channels: proto.Int32(3), Height: proto.Int32(side), Width: proto.Int32(side), Label: proto.Int32(int32(i % 10)), Data: pixels}
		if err := put(raw, name, d); err != nil {
			return err
		}
		d.Data, d.Encoded = file, proto.Bool(true)
		if err := put(encoded, name, d); err != nil {
			return err
		}
	}
	if err := raw.Close(); err != nil {
		return err
	}
	if err := encoded.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "list.txt"), list.Bytes(), 0o644)
}

func put(w *lmdb.Writer, key string, d *caffepb.Datum) error {
	value, err := proto.Marshal(d)
	if err != nil {
		return err
	}
	return w.Put(key, value)
}

const side = 256

// picture draws waves with some grain: a JPEG of about 30 kB, as a photo has,
// and the pixels by channels.
func picture(n int) (file, pixels []byte, err error) {
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	pixels = make([]byte, 3*side*side)
	grain := uint32(n + 1)
	for y := range side {
		for x := range side {
			grain = grain*1664525 + 1013904223
			wave := math.Sin(float64(x*(n%7+1))/40) + math.Cos(float64(y*(n%5+1))/30)
			v := uint8(128 + 45*wave + float64(grain>>27))
			img.SetRGBA(x, y, color.RGBA{v, v / 2, 255 - v, 255})
			for c, b := range [3]byte{255 - v, v / 2, v} {
				pixels[(c*side+y)*side+x] = b
			}
		}
	}
	var out bytes.Buffer
	err = jpeg.Encode(&out, img, &jpeg.Options{Quality: 90})
	return out.Bytes(), pixels, err
}
