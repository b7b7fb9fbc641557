//go:build cgo && linux

package shim

/*
#cgo noescape gc_launch
#cgo nocallback gc_launch
#include "driver.h"
*/
import "C"

import "unsafe"

// Stream is a queue of the GPU.
type Stream struct {
	ctx *Context
	c   C.CUstream
}

// nonBlocking: the stream does not wait for the legacy default stream.
const nonBlocking = 1

// NewStream makes a queue.
func (c *Context) NewStream() (*Stream, error) {
	s := &Stream{ctx: c}
	if err := c.check("cuStreamCreate", C.gc_cuStreamCreate(c.c, &s.c, nonBlocking)); err != nil {
		return nil, err
	}
	return s, nil
}

// Close frees the queue.
func (s *Stream) Close() error {
	return s.ctx.check("cuStreamDestroy", C.gc_cuStreamDestroy_v2(s.ctx.c, s.c))
}

// Sync waits until the queue is empty, and gives the error of what has run.
func (s *Stream) Sync() error {
	return s.ctx.check("cuStreamSynchronize", C.gc_cuStreamSynchronize(s.ctx.c, s.c))
}

// CopyIn queues a copy from pinned memory to the GPU.
func (s *Stream) CopyIn(dst uint64, src []byte) error {
	p := unsafe.Pointer(unsafe.SliceData(src))
	return s.ctx.check("cuMemcpyHtoDAsync", C.gc_cuMemcpyHtoDAsync_v2(s.ctx.c, C.CUdeviceptr(dst), p, C.size_t(len(src)), s.c))
}

// CopyOut queues a copy from the GPU to pinned memory.
func (s *Stream) CopyOut(dst []byte, src uint64) error {
	p := unsafe.Pointer(unsafe.SliceData(dst))
	return s.ctx.check("cuMemcpyDtoHAsync", C.gc_cuMemcpyDtoHAsync_v2(s.ctx.c, p, C.CUdeviceptr(src), C.size_t(len(dst)), s.c))
}

// Copy queues a copy on the GPU; the two must not overlap.
func (s *Stream) Copy(dst, src uint64, bytes int64) error {
	return s.ctx.check("cuMemcpyDtoDAsync", C.gc_cuMemcpyDtoDAsync_v2(s.ctx.c, C.CUdeviceptr(dst), C.CUdeviceptr(src), C.size_t(bytes), s.c))
}

// Fill queues writing v to every byte.
func (s *Stream) Fill(at uint64, v byte, bytes int64) error {
	return s.ctx.check("cuMemsetD8Async", C.gc_cuMemsetD8Async(s.ctx.c, C.CUdeviceptr(at), C.uchar(v), C.size_t(bytes), s.c))
}

// Dim is a size of up to three axes, all at least 1.
type Dim [3]uint32

// Launch queues a kernel. args is the one struct that it takes, of the given size.
func (s *Stream) Launch(f *Function, grid, block Dim, shared uint32, args unsafe.Pointer, size uintptr) error {
	r := C.gc_launch(s.ctx.c, f.c, (*C.uint)(&grid[0]), (*C.uint)(&block[0]), C.uint(shared), s.c, args, C.size_t(size))
	if r == 0 {
		return nil
	}
	return s.ctx.check("cuLaunchKernel("+f.Name+")", r)
}

// Event marks a place in a queue.
type Event struct {
	ctx *Context
	c   C.CUevent
}

// noTiming: events only order streams, which costs less.
const noTiming = 2

// NewEvent makes an event that orders streams.
func (c *Context) NewEvent() (*Event, error) { return c.newEvent(noTiming) }

// NewTimer makes an event that also takes the time.
func (c *Context) NewTimer() (*Event, error) { return c.newEvent(0) }

func (c *Context) newEvent(flags C.uint) (*Event, error) {
	e := &Event{ctx: c}
	if err := c.check("cuEventCreate", C.gc_cuEventCreate(c.c, &e.c, flags)); err != nil {
		return nil, err
	}
	return e, nil
}

// Close frees the event.
func (e *Event) Close() error {
	return e.ctx.check("cuEventDestroy", C.gc_cuEventDestroy_v2(e.ctx.c, e.c))
}

// Record puts the event behind all that the queue holds now.
func (s *Stream) Record(e *Event) error {
	return s.ctx.check("cuEventRecord", C.gc_cuEventRecord(s.ctx.c, e.c, s.c))
}

// Wait lets what is queued from now on start after the event's last Record.
func (s *Stream) Wait(e *Event) error {
	return s.ctx.check("cuStreamWaitEvent", C.gc_cuStreamWaitEvent(s.ctx.c, s.c, e.c, 0))
}

// Sync waits for the event's last Record.
func (e *Event) Sync() error {
	return e.ctx.check("cuEventSynchronize", C.gc_cuEventSynchronize(e.ctx.c, e.c))
}

// Since is the time in milliseconds from one timer's Record to the other's.
func (e *Event) Since(from *Event) (float32, error) {
	var ms C.float
	err := e.ctx.check("cuEventElapsedTime", C.gc_cuEventElapsedTime(e.ctx.c, &ms, from.c, e.c))
	return float32(ms), err
}

// Graph is recorded work that can be launched again and again.
type Graph struct {
	ctx *Context
	c   C.CUgraphExec
}

// threadLocal: while a stream captures, other threads may call what they like.
const threadLocal = 1

// Capture starts to record what is queued instead of running it.
func (s *Stream) Capture() error {
	return s.ctx.check("cuStreamBeginCapture", C.gc_cuStreamBeginCapture_v2(s.ctx.c, s.c, threadLocal))
}

// EndCapture ends the recording and makes it ready to run.
func (s *Stream) EndCapture() (*Graph, error) {
	var g C.CUgraph
	if err := s.ctx.check("cuStreamEndCapture", C.gc_cuStreamEndCapture(s.ctx.c, s.c, &g)); err != nil {
		return nil, err
	}
	defer C.gc_cuGraphDestroy(s.ctx.c, g)
	x := &Graph{ctx: s.ctx}
	if err := s.ctx.check("cuGraphInstantiate", C.gc_cuGraphInstantiateWithFlags(s.ctx.c, &x.c, g, 0)); err != nil {
		return nil, err
	}
	return x, nil
}

// Replay queues the recorded work.
func (s *Stream) Replay(g *Graph) error {
	return s.ctx.check("cuGraphLaunch", C.gc_cuGraphLaunch(s.ctx.c, g.c, s.c))
}

// Close frees the recorded work.
func (g *Graph) Close() error {
	return g.ctx.check("cuGraphExecDestroy", C.gc_cuGraphExecDestroy(g.ctx.c, g.c))
}
