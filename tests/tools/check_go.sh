#!/bin/sh
# The lab's sources are formatted and vetted.
set -eu
cd "$(dirname "$0")/../lab"
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || { echo "not formatted: $unformatted"; exit 1; }
CGO_ENABLED=0 go vet -tags containers_image_openpgp .
