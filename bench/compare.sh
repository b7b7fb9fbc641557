#!/usr/bin/env bash
# Compares the working tree with another commit: builds both and times the nets in
# turns. Fails where the working tree is slower.
#
#   bench/compare.sh REF [flags of bench]
set -euo pipefail
cd "$(dirname "$0")/.."
ref=${1:?name the commit to compare with}
shift
work=$(mktemp -d)
trap 'git worktree remove --force "$work/tree" 2>/dev/null || true; rm -rf "$work"' EXIT
git worktree add --quiet --detach "$work/tree" "$ref"
(cd "$work/tree" && go build -o "$work/base" ./cmd/gocaffe)
go build -o "$work/new" ./cmd/gocaffe
go run ./bench -gocaffe "$work/new" -base "$work/base" -latency=false -input=false -scaling=false -layers=false "$@"
