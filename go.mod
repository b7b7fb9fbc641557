module github.com/gocaffe/gocaffe

go 1.26.8

require (
	github.com/sbinet/npyio v0.6.0
	google.golang.org/protobuf v1.36.12
)

require gonum.org/v1/gonum v0.9.3 // indirect
