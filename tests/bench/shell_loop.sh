#!/bin/sh
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The same job in a shell loop. usage: shell_loop.sh kubectl|oc PROGRAM SECRET PROJECT NAMESPACE...; a SECRET of - is one for each namespace, with a login of its own
# Ends with the number of commands that failed: a second run creates again what is there.
kind=$1 program=$2 given=$3 group=system:serviceaccounts:$4 failed=0
shift 4

tool() {
  "$program" -n "$namespace" "$@"
}

kubectl_link() {
  # The list is atomic: what a patch leaves out is lost.
  there=$(tool get serviceaccount default \
    -o jsonpath='{range .imagePullSecrets[*]}{"{\"name\":\""}{.name}{"\"},"}{end}')
  case $there in
  *"\"$secret\""*) ;;
  *) tool patch serviceaccount default -p "{\"imagePullSecrets\":[$there{\"name\":\"$secret\"}]}" ;;
  esac
}

kubectl_grant() {
  tool create rolebinding "$secret" --clusterrole=system:image-puller --group="$group"
}

oc_link() {
  tool secrets link default "$secret" --for=pull
}

oc_grant() {
  tool policy add-role-to-group system:image-puller "$group" --rolebinding-name="$secret"
}

for namespace in "$@"; do
  secret=$given user=user
  test "$given" != - || { secret=$namespace user=$namespace; }
  tool create secret docker-registry "$secret" \
    --docker-server=registry.example.com --docker-username="$user" --docker-password=password || failed=$((failed + 1))
  "${kind}_link" || failed=$((failed + 1))
  "${kind}_grant" || failed=$((failed + 1))
done
echo "failed $failed"
