package data

import (
	"fmt"
	"os"

	"github.com/gocaffe/gocaffe/proto"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// imageSize is an image of a name_size_file: what it is called and how large it is.
type imageSize struct {
	name          string
	height, width int
}

// readNameSizes reads a name_size_file: "NAME HEIGHT WIDTH" for each image, separated by any white space (SSD).
func readNameSizes(path string) ([]imageSize, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("Failed to open name size file: %w", err)
	}
	t := &tokens{name: path, text: text, line: 1}
	var list []imageSize
	for {
		i := imageSize{name: t.next()}
		if i.name == "" {
			break
		}
		i.height, i.width = int(t.int("the height of "+i.name)), int(t.int("the width of "+i.name))
		if i.height <= 0 || i.width <= 0 {
			t.fail("image %s has height %d and width %d", i.name, i.height, i.width)
		}
		if t.err != nil {
			return nil, t.err
		}
		list = append(list, i)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("name size file %s names no image", path)
	}
	return list, nil
}

// readLabelMap reads the names of the classes.
func readLabelMap(path string) (map[int]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("Failed to read label map file: %w", err)
	}
	var m caffepb.LabelMap
	if err := proto.UnmarshalText(path, text, &m); err != nil {
		return nil, err
	}
	names := map[int]string{}
	for _, item := range m.GetItem() {
		if item.Label == nil || item.Name == nil {
			return nil, fmt.Errorf("label map file %s: an item has no label or no name: {%v}", path, item)
		}
		if other, known := names[int(item.GetLabel())]; known {
			return nil, fmt.Errorf("label map file %s: there are many duplicates of label: %d is %q and %q", path, item.GetLabel(), other, item.GetName())
		}
		names[int(item.GetLabel())] = item.GetName()
	}
	return names, nil
}
