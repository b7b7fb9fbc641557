package data

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gocaffe/gocaffe/data/decode"
	"github.com/gocaffe/gocaffe/data/imagelist"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// OpenDenseImageData makes the Loader of a DenseImageData layer, SegNet's: dense_image_data_param, and of transform_param the mean and the
// scale, which labels do not have. Mirroring and cropping move an image and its labels together; crops are at random places in tests too.
func OpenDenseImageData(p *caffepb.LayerParameter, o Options) (*Loader, error) {
	param := p.GetDenseImageDataParam()
	if n := len(p.GetTop()); n != 2 {
		return nil, fmt.Errorf("a DenseImageData layer has 2 tops (data, label), not %d", n)
	}
	for _, size := range []struct {
		name          string
		height, width uint32
	}{{"new_height and new_width", param.GetNewHeight(), param.GetNewWidth()}, {"crop_height and crop_width", param.GetCropHeight(), param.GetCropWidth()}} {
		if (size.height == 0) != (size.width == 0) {
			return nil, fmt.Errorf("Current implementation requires %s to be set at the same time.", size.name)
		}
		if uint64(size.height)*uint64(size.width) > decode.MaxPixels {
			return nil, fmt.Errorf("%s are %d and %d: more than %d pixels", size.name, size.height, size.width, decode.MaxPixels)
		}
	}
	l, err := newLoader(p, &o, param.GetBatchSize())
	if err != nil {
		return nil, err
	}
	if l.transform.mirror || l.transform.crop > 0 {
		return nil, errors.New("transform_param: mirror and crop_size would leave the labels as they are; use those of dense_image_data_param")
	}
	l.transform.dense, l.transform.mirror = true, param.GetMirror()
	l.transform.cut = [2]int{int(param.GetCropHeight()), int(param.GetCropWidth())}
	l.decoding = decoding{source: param.GetSource(), mode: decode.Color, height: int(param.GetNewHeight()), width: int(param.GetNewWidth()), dense: true}
	if !param.GetIsColor() {
		l.decoding.mode = decode.Gray
	}
	if err := l.openPairs(param, &o); err != nil {
		return nil, err
	}
	return l, l.probe("dense_image_data_layer.cpp", 109)
}

// openPairs opens the list and draws the layer's seeds: shuffle, skip, mirrors and crops.
func (l *Loader) openPairs(param *caffepb.DenseImageDataParameter, o *Options) error {
	const file = "dense_image_data_layer.cpp"
	if param.GetMeanFile() != "" {
		l.later.Warningf(file, 1, "dense_image_data_param.mean_file is not used, as in SegNet; the mean is transform_param's")
	}
	l.later.Infof(file, 41, "Opening file %s", param.GetSource())
	entries, masks, err := readPairs(param.GetSource())
	if err != nil {
		return err
	}
	list := &listSource{name: param.GetSource(), root: param.GetRootFolder(), entries: entries, masks: masks}
	l.source = list
	if param.GetShuffle() {
		l.later.Infof(file, 51, "Shuffling data")
		list.startShuffle(o.Random())
	} else if l.transform.train && o.Rank > 0 && param.GetRandSkip() == 0 {
		l.later.Warningf(file, 1, "Shuffling or skipping recommended for multi-GPU")
	}
	l.later.Infof(file, 56, "A total of %d examples.", list.Len())
	if n := param.GetRandSkip(); n > 0 {
		skip := o.Random() % n
		l.later.Infof(file, 63, "Skipping first %d data points.", skip)
		if err := list.skip(int64(skip)); err != nil {
			return err
		}
		l.consumed.Mark = list.at
	}
	if l.transform.random() {
		l.seed = o.Random()
	}
	return nil
}

// readPairs reads a list: an image and its label image on each line, neither with a space in its path. Blank lines are ignored.
func readPairs(path string) (entries []imagelist.Entry, masks []string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the image list: %w", err)
	}
	number := int32(0)
	for line := range strings.Lines(string(text)) {
		number++
		words := strings.Fields(line)
		switch len(words) {
		case 0:
			continue
		case 2:
		default:
			return nil, nil, fmt.Errorf("%s:%d: %d paths, want that of an image and that of its labels, without spaces in them", path, number, len(words))
		}
		entries = append(entries, imagelist.Entry{Path: words[0], Line: number})
		masks = append(masks, words[1])
	}
	if len(entries) == 0 {
		return nil, nil, fmt.Errorf("image list %s: File is empty", path)
	}
	return entries, masks, nil
}
