package layers

import (
	"slices"

	"github.com/gocaffe/gocaffe/engine"
	"github.com/gocaffe/gocaffe/net/graph"
	"github.com/gocaffe/gocaffe/net/spec"
)

func init() {
	register(Def{Type: "Tile", Bottoms: exactly(1), Tops: exactly(1), Check: checkTile, Lower: lowerTile})
}

func checkTile(l *spec.Layer) error {
	switch p := l.GetTileParam(); {
	case p == nil || p.Tiles == nil:
		return l.FieldErrorf("tile_param", "Number of tiles must be specified: set tile_param.tiles")
	case p.GetTiles() <= 0:
		return l.FieldErrorf("tile_param.tiles", "Number of tiles must be positive.")
	}
	return nil
}

// lowerTile emits the bottom repeated tiles times along axis; its gradient is
// the sum of the tiles'.
func lowerTile(l *spec.Layer, b *graph.Builder, bottom []graph.Value) []graph.Value {
	p := l.GetTileParam()
	axis := b.Axis(bottom[0], int(p.GetAxis()))
	if p.GetTiles() == 1 {
		return bottom
	}
	return []graph.Value{b.Op(engine.Concat{Axis: axis}, slices.Repeat(bottom, int(p.GetTiles()))...)}
}
