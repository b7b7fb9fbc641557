package solver

// lossWindow is the mean of the last losses (average_loss), kept as Caffe keeps it: corrected by
// each new loss, not summed anew, so that its rounding is Caffe's too.
type lossWindow struct {
	size     int
	start    int // the iteration at which the window began
	losses   []float32
	smoothed float32
}

func newLossWindow(size, start int) *lossWindow {
	return &lossWindow{size: size, start: start, losses: make([]float32, 0, size)}
}

// add takes the loss of an iteration.
func (w *lossWindow) add(iter int, loss float32) {
	if len(w.losses) < w.size {
		w.losses = append(w.losses, loss)
		n := float32(len(w.losses))
		w.smoothed = (float32(w.smoothed*(n-1)) + loss) / n
		return
	}
	oldest := (iter - w.start) % w.size
	w.smoothed += (loss - w.losses[oldest]) / float32(w.size)
	w.losses[oldest] = loss
}
