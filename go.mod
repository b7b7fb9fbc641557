module github.com/gocaffe/gocaffe

go 1.26.8

require (
	github.com/sbinet/npyio v0.6.0
	golang.org/x/term v0.47.0
	google.golang.org/protobuf v1.36.12
)

require (
	golang.org/x/sys v0.49.0 // indirect
	gonum.org/v1/gonum v0.9.3 // indirect
)
