# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries of the client, if they are installed. The only place that imports YAML, which comes with the Kubernetes client."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any

from ..https import libraries

try:
    import yaml

    IMPORT_ERROR = libraries.IMPORT_ERROR
    #: The safe loader. With libyaml it takes 4 to 7 percent of the time: 16 instead of 480 ms for a kubeconfig of 100 clusters.
    _LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
except ImportError:
    yaml = None
    IMPORT_ERROR = traceback.format_exc()

__all__ = ["IMPORT_ERROR", "load_yaml", "load_yaml_documents", "yaml"]


def load_yaml(text: str) -> Any:
    """Return the document in a text, as `yaml.safe_load` does.

    :raises yaml.YAMLError, ValueError, RecursionError: when the text is not YAML.
    """
    return yaml.load(text, Loader=_LOADER)


def load_yaml_documents(text: str) -> Iterator[Any]:
    """Return all documents in a text. The errors are those of `load_yaml`."""
    yield from yaml.load_all(text, Loader=_LOADER)
