// Package gocaffe holds the tests of the repository as a whole; the command is
// cmd/gocaffe.
package gocaffe
