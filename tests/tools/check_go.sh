#!/bin/sh
# The Go sources are formatted, vetted and tested; with the flags of the build, so that its cache serves here too.
set -eu
cd "$(dirname "$0")/.."
unformatted=$(gofmt -l lab bench/kubectl)
[ -z "$unformatted" ] || { echo "not formatted: $unformatted"; exit 1; }
export CGO_ENABLED=0 GOFLAGS="-mod=readonly -trimpath -buildvcs=false -tags=containers_image_openpgp"
(cd lab && go vet . && go test -ldflags='-s -w' .)
(cd bench/kubectl && go vet .)
