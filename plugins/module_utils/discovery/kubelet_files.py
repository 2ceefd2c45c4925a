# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the kubelet's settings from a rendered MachineConfig or from kubeadm's config map. Nothing else of these objects is kept.

The settings of a MachineConfig include the credential providers of the kubelet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..clients.kube.client import Cluster
from ..clients.kube.errors import Forbidden, UnknownResource
from ..clients.kube.stored_yaml import parse_yaml
from ..core.errors import ImagePullError
from ..core.objects import Json, ObjectRef, as_dict, as_str
from ..engine.fetching import Answer
from ..explain.lookup import UnreadableObject
from ..images.credential_providers import trim_providers
from ..images.kubelet_settings import (
    DROP_IN_DIRECTORY,
    DROP_IN_SUFFIX,
    INVALID_SETTINGS,
    KUBEADM_CONFIG_MAP,
    KUBEADM_SETTINGS,
    KUBELET_FILE_PATH,
    PROVIDERS,
    merge_drop_ins,
    trim_settings,
)
from ..platform.machine_config import MACHINE_CONFIG, text_of_file, texts_in_directory, texts_of_unit

__all__ = ["read_kubelet_file"]

#: The key of kubeadm's config map.
_KUBEADM_KEY = "kubelet"
#: The unit of the kubelet on OpenShift.
_UNIT = "kubelet.service"
#: The option with the path of the providers' file, and the option with a path that can be read here.
_PROVIDER_OPTION = "--image-credential-provider-config"
_PROVIDER_FILE = re.compile(rf"""{_PROVIDER_OPTION}(?:=|\s|\\\n)+["']?([^\s"'\\]+)""")


def read_kubelet_file(cluster: Cluster, ref: ObjectRef) -> Answer:
    """Return the settings in the file, None if the object does not exist, or the error."""
    of_kubeadm = ref == KUBEADM_SETTINGS
    source = KUBEADM_CONFIG_MAP if of_kubeadm else ObjectRef(MACHINE_CONFIG, "", ref.name)
    try:
        obj = cluster.get(source)
        if obj is None:
            return None
        return _settings_of_kubeadm(obj) if of_kubeadm else _settings_of_node(obj)
    except UnknownResource:
        return None
    except Forbidden:
        return UnreadableObject(f"the caller may not read {source}")
    except ValueError as error:
        return UnreadableObject(f"the kubelet's file in {source} cannot be read: {error}")
    except ImagePullError as error:
        return error


def _settings_of_kubeadm(obj: Json) -> dict[str, Any]:
    """:raises ValueError: when the object has no readable file."""
    text = as_str(as_dict(obj.get("data")).get(_KUBEADM_KEY))
    if not text:
        raise ValueError("it is missing")
    return trim_settings(parse_yaml(text))


def _settings_of_node(obj: Json) -> dict[str, Any]:
    """:raises ValueError: when the object has no readable file."""
    texts = texts_of_unit(obj, _UNIT)
    unit = "\n".join(texts)
    settings = merge_drop_ins(parse_yaml(text_of_file(obj, KUBELET_FILE_PATH)), _drop_ins(obj, unit))
    return {**settings, PROVIDERS: _providers(obj, unit)} if texts else settings


def _providers(obj: Json, unit: str) -> list[Json] | None:
    """The kubelet's credential providers. None if no object shows them, such as those in a directory or in a file of the node's image."""
    paths = _PROVIDER_FILE.findall(unit)
    if len(set(paths)) > 1 or unit.count(_PROVIDER_OPTION) > len(paths):
        return None
    try:
        return [each for path in paths[:1] for each in trim_providers(parse_yaml(text_of_file(obj, path)))]
    except ValueError:
        return None


def _drop_ins(obj: Json, unit: str) -> Iterator[Json]:
    """The drop-in files that the kubelet reads, in its order. No kubelet starts with a file that cannot be parsed."""
    if f"--config-dir={DROP_IN_DIRECTORY}" not in unit:
        return
    try:
        for text in texts_in_directory(obj, DROP_IN_DIRECTORY, DROP_IN_SUFFIX):
            yield parse_yaml(text)
    except ValueError:
        yield INVALID_SETTINGS
