#!/bin/sh
# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The same job in a shell loop. usage: kubectl.sh KUBECTL SECRET PROJECT NAMESPACE...
# Ends with the number of commands that failed: a second run creates again what is there.
kubectl=$1 secret=$2 project=$3 failed=0
shift 3
for namespace in "$@"; do
  "$kubectl" -n "$namespace" create secret docker-registry "$secret" \
    --docker-server=registry.example.com --docker-username=user --docker-password=password || failed=$((failed + 1))
  # The list is atomic: what a patch leaves out is lost.
  there=$("$kubectl" -n "$namespace" get serviceaccount default \
    -o jsonpath='{range .imagePullSecrets[*]}{"{\"name\":\""}{.name}{"\"},"}{end}')
  case $there in
  *"\"$secret\""*) ;;
  *) "$kubectl" -n "$namespace" patch serviceaccount default \
    -p "{\"imagePullSecrets\":[$there{\"name\":\"$secret\"}]}" || failed=$((failed + 1)) ;;
  esac
  "$kubectl" -n "$namespace" create rolebinding "$secret" \
    --clusterrole=system:image-puller --group="system:serviceaccounts:$project" || failed=$((failed + 1))
done
echo "failed $failed"
