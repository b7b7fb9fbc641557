package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// DetectionFiles are the files that a DetectionOutput layer with save_output_param.output_directory writes (SSD): what was found in each
// of num_test_image images, in pixels of the images of name_size_file, which come in the order of the data. Then they are begun anew.
//
//	VOC     PREFIX + class name + ".txt" for each class: "IMAGE SCORE XMIN YMIN XMAX YMAX"
//	ILSVRC  PREFIX + ".txt": "IMAGE CLASS SCORE XMIN YMIN XMAX YMAX"
//	COCO    PREFIX + ".json": image_id, category_id (the class' name), bbox (x, y, width, height) and score
//
// It is used by one goroutine at a time.
type DetectionFiles struct {
	param      *caffepb.SaveOutputParameter // nil: nothing is written
	background int
	log        Logger
	names      map[int]string
	images     []imageSize
	round      int // of how many images
	done       int // images of this round
	complete   bool
	found      []found
}

// found is an object in an image: its box in pixels, the corner and the size.
type found struct {
	image string
	class int
	score float32
	box   [4]float32
}

// CreateDetectionFiles reads the classes' names and the images, and makes the folder. As in SSD nothing is written where label_map_file
// or name_size_file is missing, which is warned of.
func CreateDetectionFiles(p *caffepb.DetectionOutputParameter, log Logger) (*DetectionFiles, error) {
	if log == nil {
		log = Discard
	}
	save := p.GetSaveOutputParam()
	if save.GetLabelMapFile() == "" || save.GetNameSizeFile() == "" {
		log.Warningf("detection_output_layer.cpp", 49, "Provide label_map_file and name_size_file if output results to files: nothing is written to %s",
			save.GetOutputDirectory())
		return &DetectionFiles{log: log}, nil
	}
	f := &DetectionFiles{param: save, background: int(p.GetBackgroundLabelId()), log: log}
	var err error
	if f.names, err = readLabelMap(save.GetLabelMapFile()); err != nil {
		return nil, err
	}
	if f.images, err = readNameSizes(save.GetNameSizeFile()); err != nil {
		return nil, err
	}
	if f.round = len(f.images); save.NumTestImage != nil {
		f.round = int(save.GetNumTestImage())
	}
	if f.round < 1 || f.round > len(f.images) {
		return nil, fmt.Errorf("num_test_image is %d, but %s names %d images", f.round, save.GetNameSizeFile(), len(f.images))
	}
	if err := os.MkdirAll(save.GetOutputDirectory(), 0o777); err != nil {
		return nil, fmt.Errorf("Failed to create directory: %w", err)
	}
	return f, nil
}

// Write takes the detections of a batch, rows of item, class, score, xmin, ymin, xmax, ymax with items in order, and a tensor with an
// element for each item.
func (f *DetectionFiles) Write(shapes []engine.Shape, data [][]float32) error {
	if f.param == nil {
		return nil
	}
	if len(shapes) != 2 || len(data) != 2 || len(data[0])%7 != 0 {
		return fmt.Errorf("files of detections: want rows of 7 and the items, got shapes %v", shapes)
	}
	rows := data[0]
	for item := range shapes[1].Count() {
		for ; len(rows) > 0 && int(rows[0]) == item; rows = rows[7:] {
			if err := f.add(rows[:7]); err != nil {
				return err
			}
		}
		if f.done++; f.done == f.round {
			if err := f.flush(); err != nil {
				return err
			}
			f.done, f.complete = 0, true
		}
	}
	if len(rows) > 0 {
		return fmt.Errorf("files of detections: row %v is of no item from 0 to %d, or not in order", rows[:7], shapes[1].Count()-1)
	}
	return nil
}

// add notes a row. One of class −1 stands for an image in which nothing was found.
func (f *DetectionFiles) add(row []float32) error {
	class := int(row[1])
	if class < 0 {
		return nil
	}
	if _, ok := f.names[class]; !ok {
		return fmt.Errorf("Cannot find label: %d in the label map %s", class, f.param.GetLabelMapFile())
	}
	image := f.images[f.done]
	for _, v := range row {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("image %s: row %v of the detections has what is no number", image.name, row)
		}
	}
	b := pixels([4]float32(row[3:]), image, f.param.GetResizeParam())
	f.found = append(f.found, found{image.name, class, row[2], [4]float32{hundredths(b[0]), hundredths(b[1]), hundredths(b[2] - b[0]), hundredths(b[3] - b[1])}})
	return nil
}

// hundredths rounds as SSD does.
func hundredths(v float32) float32 { return float32(math.Round(float64(v*100)) / 100) }

// pixels is a box in parts of the net's input as pixels of the image that was made to fit there.
func pixels(b [4]float32, image imageSize, resize *caffepb.ResizeParameter) [4]float32 {
	height, width := float32(image.height), float32(image.width)
	switch {
	case resize == nil:
	case resize.GetResizeMode() == caffepb.ResizeParameter_FIT_LARGE_SIZE_AND_PAD:
		b = withoutPadding(b, width/height, float32(resize.GetWidth()), float32(resize.GetHeight()))
	case resize.GetResizeMode() == caffepb.ResizeParameter_FIT_SMALL_SIZE && resize.GetHeightScale() != 0 && resize.GetWidthScale() != 0:
		h, w := float32(resize.GetHeightScale()), float32(resize.GetWidthScale())
		return clip([4]float32{b[0] * w, b[1] * h, b[2] * w, b[3] * h}, width, height)
	}
	b = clip(b, 1, 1)
	return [4]float32{b[0] * width, b[1] * height, b[2] * width, b[3] * height}
}

// clip moves corners into a picture.
func clip(b [4]float32, width, height float32) [4]float32 {
	in := func(v, end float32) float32 { return max(min(v, end), 0) }
	return [4]float32{in(b[0], width), in(b[1], height), in(b[2], width), in(b[3], height)}
}

// withoutPadding is a box in parts of the image, which stands in the middle of an input of width × height. One that is in the padding
// alone stays as it is (SSD).
func withoutPadding(b [4]float32, aspect, width, height float32) [4]float32 {
	var left, top float32
	if aspect > width/height {
		top = (height - width/aspect) / 2 / height
	} else {
		left = (width - height*aspect) / 2 / width
	}
	right, bottom := 1-left, 1-top
	if b[0] >= right || b[2] <= left || b[1] >= bottom || b[3] <= top {
		return b
	}
	return [4]float32{(b[0] - left) / (right - left), (b[1] - top) / (bottom - top), (b[2] - left) / (right - left), (b[3] - top) / (bottom - top)}
}

// Close writes a round that is not complete, unless there was one that is.
func (f *DetectionFiles) Close() error {
	if f.done == 0 {
		return nil
	}
	f.log.Warningf("detection_output_layer.cpp", 1, "%d of %d images were detected in since the files in %s were begun", f.done, f.round, f.param.GetOutputDirectory())
	if f.complete {
		return nil
	}
	f.done = 0
	return f.flush()
}

// flush writes all files of the round.
func (f *DetectionFiles) flush() error {
	files := map[string][]byte{}
	switch prefix := f.param.GetOutputNamePrefix(); f.param.GetOutputFormat() {
	case "VOC":
		for class, name := range f.names {
			if class != f.background {
				files[prefix+name+".txt"] = nil
			}
		}
		for _, d := range f.found {
			name := prefix + f.names[d.class] + ".txt"
			files[name] = append(files[name], d.line("")...)
		}
	case "ILSVRC":
		files[prefix+".txt"] = nil
		for _, d := range f.found {
			files[prefix+".txt"] = append(files[prefix+".txt"], d.line(" "+strconv.Itoa(d.class))...)
		}
	case "COCO":
		files[prefix+".json"] = f.coco()
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := replace(filepath.Join(f.param.GetOutputDirectory(), name), files[name]); err != nil {
			return err
		}
	}
	f.found = nil
	return nil
}

// line has whole pixels: the corner's, and those of the size added to it.
func (d found) line(class string) string {
	x, y := int(d.box[0]), int(d.box[1])
	return fmt.Sprintf("%s%s %s %d %d %d %d\n", d.image, class, strconv.FormatFloat(float64(d.score), 'g', 6, 32), x, y, x+int(d.box[2]), y+int(d.box[3]))
}

// coco is a JSON array with an object a line. Names that are numbers are written as such, as in COCO's own files.
func (f *DetectionFiles) coco() []byte {
	var out bytes.Buffer
	out.WriteString("[")
	for i, d := range f.found {
		if i > 0 {
			out.WriteString(",")
		}
		box, _ := json.Marshal(d.box)
		score, _ := json.Marshal(d.score)
		fmt.Fprintf(&out, "\n{\"image_id\": %s, \"category_id\": %s, \"bbox\": %s, \"score\": %s}", jsonName(d.image), jsonName(f.names[d.class]), box, score)
	}
	out.WriteString("\n]\n")
	return out.Bytes()
}

func jsonName(name string) []byte {
	var n json.Number
	if json.Unmarshal([]byte(name), &n) == nil && n.String() == name {
		return []byte(name)
	}
	quoted, _ := json.Marshal(name)
	return quoted
}

// replace writes a file in place of one that is there.
func replace(path string, text []byte) error {
	partial := path + ".partial"
	err := os.WriteFile(partial, text, 0o666)
	if err == nil {
		err = os.Rename(partial, path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("files of detections: %w", err), os.Remove(partial))
	}
	return nil
}
