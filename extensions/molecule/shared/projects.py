# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create or delete the namespaces of a test. Namespaces that a test did not create are never deleted.

usage: projects.py create|delete NAME ...

The cluster is that of the kubeconfig file in K8S_AUTH_KUBECONFIG.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from kubernetes.client import CoreV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config

MADE = "image-pull.openshift-ops.example.com/test"
#: Seconds until a namespace must be deleted.
PATIENCE = 120


def main() -> int:
    verb, *names = sys.argv[1:] or [""]
    kubeconfig = os.environ.get("K8S_AUTH_KUBECONFIG", "")
    if verb not in ("create", "delete") or not kubeconfig:
        sys.exit("usage: K8S_AUTH_KUBECONFIG=FILE projects.py create|delete NAME ...")
    if not Path(kubeconfig).is_file():
        sys.exit(f"projects.py: there is no kubeconfig file {kubeconfig}. Run 'molecule create' first")
    api = CoreV1Api(new_client_from_config(kubeconfig))
    for name in names:
        try:
            create(api, name) if verb == "create" else delete(api, name)
        except ApiException as error:
            sys.exit(f"projects.py: namespace {name} could not be {verb}d: {error.status} {error.reason}")
    return 0


def labels(api: CoreV1Api, name: str) -> dict[str, str] | None:
    """Return the labels of a namespace; None if it does not exist."""
    try:
        return api.read_namespace(name).metadata.labels or {}
    except ApiException as error:
        if error.status == 404:
            return None
        raise


def create(api: CoreV1Api, name: str) -> None:
    found = labels(api, name)
    if found is None:
        api.create_namespace({"metadata": {"name": name, "labels": {MADE: "true"}}})
    elif MADE not in found:
        sys.exit(f"projects.py: namespace {name} exists and was not created by a test. Use another name for the test")


def delete(api: CoreV1Api, name: str) -> None:
    if MADE not in (labels(api, name) or {}):
        return
    api.delete_namespace(name)
    until = time.monotonic() + PATIENCE
    while labels(api, name) is not None:
        if time.monotonic() > until:
            sys.exit(
                f"projects.py: namespace {name} was not deleted within {PATIENCE} seconds. Check its conditions and finalizers"
            )
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
