# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a lab take KubeletConfigs for its pool `worker`, end that, or show them with the images of the credential provider.

usage: kubelet_configs.py create|delete|show

The cluster is that of the kubeconfig file in K8S_AUTH_KUBECONFIG.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from kubernetes.client import ApiClient, ApiextensionsV1Api, CustomObjectsApi
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config

GROUP, PLURAL = "machineconfiguration.openshift.io", "kubeletconfigs"
LABEL = f"pools.operator.{GROUP}/worker"
#: Seconds until the API server must know the kind.
PATIENCE = 60


def main() -> int:
    (verb,) = sys.argv[1:] or [""]
    kubeconfig = os.environ.get("K8S_AUTH_KUBECONFIG", "")
    if verb not in ("create", "delete", "show") or not kubeconfig:
        sys.exit("usage: K8S_AUTH_KUBECONFIG=FILE kubelet_configs.py create|delete|show")
    client = new_client_from_config(kubeconfig)
    {"create": create, "delete": delete, "show": show}[verb](client)
    return 0


def create(client: ApiClient) -> None:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {"kind": "KubeletConfig", "plural": PLURAL, "singular": "kubeletconfig", "listKind": "KubeletConfigList"}
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Cluster",
            "names": names,
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
    try:
        ApiextensionsV1Api(client).create_custom_resource_definition(body)
    except ApiException as error:
        if error.status != 409:
            raise
    _label_pool(client, "")
    until = time.monotonic() + PATIENCE
    while True:
        try:
            list_configs(client)
        except ApiException as error:
            if error.status not in (404, 429, 503) or time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


def delete(client: ApiClient) -> None:
    _label_pool(client, None)
    try:
        ApiextensionsV1Api(client).delete_custom_resource_definition(f"{PLURAL}.{GROUP}")
    except ApiException as error:
        if error.status != 404:
            raise


def show(client: ApiClient) -> None:
    """Print the settings of each KubeletConfig by name, and the images of the provider, as JSON."""
    configs = {each["metadata"]["name"]: each["spec"]["kubeletConfig"] for each in list_configs(client)}
    provider = CustomObjectsApi(client).get_cluster_custom_object(
        "config.openshift.io", "v1", "criocredentialproviderconfigs", "cluster"
    )
    print(json.dumps({"kubelet_configs": configs, "provider_images": provider["spec"]["matchImages"]}))


def list_configs(client: ApiClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = CustomObjectsApi(client).list_cluster_custom_object(GROUP, "v1", PLURAL)["items"]
    return found


def _label_pool(client: ApiClient, value: str | None) -> None:
    """Set the label with which a KubeletConfig selects the pool. None removes it."""
    body = {"metadata": {"labels": {LABEL: value}}}
    CustomObjectsApi(client).patch_cluster_custom_object(GROUP, "v1", "machineconfigpools", "worker", body)


if __name__ == "__main__":
    sys.exit(main())
