package decode

import (
	"strings"
	"testing"

	"github.com/gocaffe/gocaffe/internal/damagetest"
)

// Pictures with any damage are an error, or have other pixels and the size that they say. A PNG or BMP that is cut is an error; a JPEG that
// is cut behind its header has gray for what it lacks, as in OpenCV.
func TestDamagedPictures(t *testing.T) {
	files := pictures(t)
	var d Decoder
	defer d.Close()
	for _, picture := range []string{"d_gray.jpg", "b_420.jpg", "cmyk.jpg", "rgb.png", "nrgba.png", "rgb.bmp"} {
		whole := files[picture]
		if whole == nil {
			t.Fatalf("no picture %s", picture)
		}
		failed := 0
		damagetest.Each(t, whole, 300, func(name string, b []byte) {
			name = picture + ": " + name
			damagetest.Within(t, name, 64<<20, func() {
				img, err := d.Decode(b, Color)
				switch {
				case err != nil:
					failed++
				case len(img.Pix) != img.Width*img.Height*img.Channels || img.Channels != 3:
					t.Errorf("%s: %d bytes for %d x %d x %d", name, len(img.Pix), img.Width, img.Height, img.Channels)
				case len(b) < len(whole)-12 && !strings.HasSuffix(picture, "jpg"): // a PNG's last chunk has 12 bytes
					t.Errorf("%s: no error", name)
				}
			})
		})
		if failed < 50 {
			t.Errorf("%s: %d damages were found, want more", picture, failed)
		}
	}
}
