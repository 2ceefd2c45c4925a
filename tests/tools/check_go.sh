#!/bin/sh
# The lab's sources are formatted, vetted and tested; with the flags of the build, so that its cache serves here too.
set -eu
cd "$(dirname "$0")/../lab"
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || { echo "not formatted: $unformatted"; exit 1; }
export CGO_ENABLED=0 GOFLAGS="-mod=readonly -trimpath -buildvcs=false -tags=containers_image_openpgp"
go vet .
go test -ldflags='-s -w' .
