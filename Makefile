# gocaffe's build. `make` lists the targets.

SHELL       := /bin/bash
GO          ?= go
BIN         := bin/gocaffe
SUDO        := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
# What the build and the tests need of Debian: headers of oneDNN, which is found
# at run time, and the image and HDF5 libraries.
PACKAGES    := libdnnl-dev libturbojpeg0-dev libhdf5-dev
# What the tests need besides: the compiler that made the CUDA kernels' PTX.
TESTPACKAGES := clang-14 g++
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.1
MNIST       := examples/mnist

.DEFAULT_GOAL := help
# How long each fuzz target runs, and how many inputs at once.
FUZZTIME    ?= 60s
FUZZPROCS   ?= 2
.PHONY: help deps build install test fuzz mnist bench bench-compare lint proto ptx check-headers test-cuda fake-cuda gpu-bundle clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

deps: ## install the Debian packages that are missing
	@missing=; for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
		echo "installing$$missing"; \
		$(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi

build: deps ## build bin/gocaffe
	$(GO) build -o $(BIN) ./cmd/gocaffe

install: build ## install gocaffe to $(PREFIX), /usr/local by default
	install -D -m 755 $(BIN) $(DESTDIR)$(or $(PREFIX),/usr/local)/bin/gocaffe

mnist: build ## make the MNIST databases, train LeNet and test it on all 10,000 images
	$(GO) run ./cmd/mnist-lmdb $(MNIST)
	$(BIN) train -solver $(MNIST)/lenet_solver.prototxt
	$(BIN) test -model $(MNIST)/lenet_train_test.prototxt -weights $(MNIST)/lenet_iter_10000.caffemodel -iterations 100

# The tests of engine/cuda run on libraries that stand in for NVIDIA's.
FAKECUDA := $(CURDIR)/bin/fakecuda
ONFAKE   := GOCAFFE_CUDA_LIBS=$(FAKECUDA) GOCAFFE_CUDNN_SEARCH=heuristic

test: PACKAGES += $(TESTPACKAGES)
test: deps fake-cuda ## run every test, as CI does
	$(GO) vet ./...
	$(ONFAKE) GOCAFFE_TEST_ENGINES=ref,cpu,cuda $(GO) test -timeout 18m ./...
	CGO_ENABLED=0 $(GO) test ./engine/ref ./engine/cuda ./net/... ./layers
	$(GO) test -v -run 'Headers' ./engine/cuda/internal/shim # says where NVIDIA's headers are missing

# The peers of `make bench`: CAFFE=path/to/caffe, and a Python that has torch.
TORCH_PYTHON ?= $(shell python3 -c 'import torch' 2>/dev/null && echo python3)

bench: build ## time the example nets, beside CAFFE=path/to/caffe and PyTorch where they are
	$(GO) run ./bench -gocaffe $(BIN) -caffe "$(CAFFE)" -python "$(TORCH_PYTHON)" -json bench/last.json $(BENCHFLAGS)

bench-compare: deps ## time this tree against commit REF=..., fail where it is slower
	bench/compare.sh "$(REF)" $(BENCHFLAGS)

fuzz: deps ## run every fuzz target for FUZZTIME (60s), one after the other
	@GO="$(GO)" FUZZTIME="$(FUZZTIME)" FUZZPROCS="$(FUZZPROCS)" .ci/fuzz

lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

proto: ## regenerate proto/caffepb from proto/caffe.proto
	command -v protoc >/dev/null || $(SUDO) apt-get install -y -qq protobuf-compiler
	GOBIN=$(CURDIR)/bin $(GO) install google.golang.org/protobuf/cmd/protoc-gen-go
	protoc --plugin=bin/protoc-gen-go -I proto --go_out=. --go_opt=module=github.com/gocaffe/gocaffe caffe.proto

ptx: PACKAGES := $(TESTPACKAGES)
ptx: deps ## compile the CUDA kernels again (clang-14, no CUDA toolkit)
	$(GO) generate ./engine/cuda/kernels

# Sets of versions of engine/cuda/internal/shim/wheels.sh.
WHEELS ?= 11 12 13

# NVIDIA's libraries check descriptors without a GPU; the driver that they ask for is ours.
check-headers: fake-cuda ## compare engine/cuda with NVIDIA's headers, libraries and assembler, out of Python's wheels (4 GB)
	@for set in $(WHEELS); do \
		folder=$$(mktemp -d) && echo "== set $$set" && engine/cuda/internal/shim/wheels.sh $$set $$folder && \
		mkdir $$folder/driver && cp $(FAKECUDA)/libcuda.so.1 $$folder/driver && \
		GOCAFFE_NVIDIA_HEADERS=$$(echo $$folder/nvidia/*/include | tr ' ' :) GOCAFFE_REAL_LIBRARIES=1 GOCAFFE_FAKECUDA_DRIVER=13000 \
		GOCAFFE_CUDA_LIBS=$$folder/driver:$$(echo $$folder/nvidia/*/lib | tr ' ' :) \
			$(GO) test -count=1 -v -run 'Headers|Alike|Compared|Symbols|Descriptors|Refusals|Engines' ./engine/cuda/internal/shim && \
		GOCAFFE_PTXAS=$$(ls $$folder/nvidia/*/bin/ptxas 2>/dev/null) $(GO) test -count=1 -v -run Assembles ./engine/cuda/kernels; \
		status=$$?; rm -rf $$folder; [ $$status = 0 ] || exit $$status; \
	done

# What of that runs through engine/cuda: its own tests, the conformance suite, goldens of
# layers and solvers, random nets, LeNet, real models and the command line.
test-cuda: PACKAGES += $(TESTPACKAGES)
test-cuda: deps fake-cuda ## run the tests of the CUDA engine on stand-ins for NVIDIA's libraries
	$(ONFAKE) GOCAFFE_TEST_ENGINES=ref,cuda $(GO) test -timeout 10m ./engine/cuda/... ./layers ./net/plan
	$(ONFAKE) GOCAFFE_TEST_ENGINES=cuda $(GO) test -timeout 10m -run 'Golden|GPU|ForwardModels' ./solver ./cmd/gocaffe

fake-cuda: ## build the stand-ins for NVIDIA's libraries that the tests run on
	$(GO) run ./engine/cuda/fake/build $(FAKECUDA)

gpu-bundle: deps ## make bin/gpu-bundle, a folder whose gpu-test.sh tests this tree on a machine with a GPU
	rm -rf bin/gpu-bundle
	GO="$(GO)" gpu/bundle.sh bin/gpu-bundle

clean: ## remove what the build made
	rm -rf bin
