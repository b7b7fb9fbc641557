// Package proto reads and writes Caffe's files: prototxt nets and solvers with the position of
// every field, and the binary weights, solver states and blobs.
//
// The messages themselves are in package caffepb, generated from caffe.proto.
package proto
