package solver

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"strings"
)

// position is what Caffe's .solverstate lacks: where the data is and where the random stream.
type position struct {
	Random []byte   `json:"random"`
	Train  []byte   `json:"train_data"`
	Tests  [][]byte `json:"test_data"`
}

func (s *Solver) position() (*position, error) {
	var p position
	var err error
	if p.Random, err = s.random.MarshalBinary(); err != nil {
		return nil, err
	}
	if p.Train, err = s.train.DataState(); err != nil {
		return nil, err
	}
	for _, t := range s.tests {
		state, err := t.DataState()
		if err != nil {
			return nil, err
		}
		p.Tests = append(p.Tests, state)
	}
	return &p, nil
}

// sideFile is the contents of the file beside a .solverstate; README.md describes it.
type sideFile struct {
	Iter        int      `json:"iter"`
	State       digest   `json:"solverstate"` // of the files that it belongs to
	Model       digest   `json:"caffemodel"`
	WindowStart int      `json:"loss_window_start"`
	Losses      []byte   `json:"losses"` // float32, little endian: JSON has no NaN
	Smoothed    []byte   `json:"smoothed_loss"`
	Position    position `json:"position"`
}

// sidePath is the side file of a .solverstate.
func sidePath(state string) string { return state + ".gocaffe" }

// sideHeader starts a side file: the version of the format, then the length and the CRC-32C of the
// JSON that follows.
const sideHeader = "gocaffe training state %d, %d bytes, crc32c %08x\n"

const sideVersion = 1

func (f *sideFile) write(w io.Writer) error {
	body, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return err
	}
	body = append(body, '\n')
	if _, err := fmt.Fprintf(w, sideHeader, sideVersion, len(body), crc32.Checksum(body, castagnoli)); err != nil {
		return err
	}
	_, err = w.Write(body)
	return err
}

// readSide reads a side file. What is wrong with it is said with its name and with how to go on.
func readSide(path string) (*sideFile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := parseSide(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w. Resume from another snapshot, or remove this file: then the data starts again at its first record, as in Caffe", path, err)
	}
	return f, nil
}

func parseSide(text string) (*sideFile, error) {
	var version, size int
	var sum uint32
	header, body, _ := strings.Cut(text, "\n")
	if _, err := fmt.Sscanf(header+"\n", sideHeader, &version, &size, &sum); err != nil {
		return nil, errors.New("this is not the side file of a snapshot")
	}
	switch {
	case version != sideVersion:
		return nil, fmt.Errorf("it is in format %d, this program knows %d", version, sideVersion)
	case len(body) != size:
		return nil, fmt.Errorf("it has %d bytes of %d", len(body), size)
	case crc32.Checksum([]byte(body), castagnoli) != sum:
		return nil, errors.New("it is damaged: its checksum is wrong")
	}
	f := new(sideFile)
	return f, json.Unmarshal([]byte(body), f)
}

func floatBytes(values ...float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func bytesFloat(b []byte) []float32 {
	var values []float32
	for ; len(b) >= 4; b = b[4:] {
		values = append(values, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return values
}
