package data_test

import (
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/data"
	"github.com/gocaffe/gocaffe/proto/caffepb"
)

// TestSeedDraws counts what a layer takes from the process's random stream when it is set up: Caffe's transformer two numbers if it
// draws at all, a shuffle one, the prefetch thread always one. The layers behind get their initial weights from what follows.
func TestSeedDraws(t *testing.T) {
	t.Chdir(goldenFolder(t))
	const (
		lmdb = `data_param { source: "lmdb_resized" batch_size: 1 backend: LMDB }`
		list = `image_data_param { source: "list.txt" root_folder: "images/" batch_size: 1 new_height: 8 new_width: 8 shuffle: true }`
	)
	for _, c := range []struct {
		text string
		want int
	}{
		{`layer { type: "Data" top: "d" ` + lmdb + ` }`, 1},
		{`layer { type: "Data" top: "d" transform_param { mirror: true } ` + lmdb + ` }`, 3},
		{`layer { type: "ImageData" top: "d" top: "l" ` + list + ` }`, 2},
		{`layer { type: "Data" top: "d" phase: TEST transform_param { mirror: true } ` + lmdb + ` }`, 3},
		{`layer { type: "Data" top: "d" transform_param { crop_size: 4 } ` + lmdb + ` }`, 3},
		{`layer { type: "Data" top: "d" phase: TEST transform_param { crop_size: 4 } ` + lmdb + ` }`, 1},
		{`layer { type: "ImageData" top: "d" top: "l" ` + strings.Replace(list, "shuffle", "rand_skip: 3 shuffle", 1) + ` }`, 3},
		{`layer { type: "ImageData" top: "d" top: "l" transform_param { crop_size: 4 } ` + list + ` }`, 4},
	} {
		drawn := 0
		l, err := open(layer(t, c.text), data.Options{Phase: caffepb.Phase_TRAIN, Random: func() uint32 { drawn++; return 1 }})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if drawn != c.want {
			t.Errorf("%s takes %d numbers, want %d", c.text, drawn, c.want)
		}
	}
}
