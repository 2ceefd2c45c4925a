# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries that the client stands on, where they are installed. The only place that imports them.

Of the Kubernetes client only its pool of connections and its configuration are used, with their way to reach a proxy, and its
reader of the login kinds that it renews itself (`auth-provider`): they are there from 24.2 to 37, its models changed.
"""

from __future__ import annotations

import traceback

try:
    import urllib3
    import yaml
    from kubernetes.client import Configuration
    from kubernetes.client.rest import RESTClientObject
    from kubernetes.config import kube_config
    from urllib3._collections import HTTPHeaderDict

    IMPORT_ERROR = None
except ImportError:
    urllib3 = yaml = HTTPHeaderDict = None  # type: ignore[assignment,misc]
    Configuration = RESTClientObject = kube_config = None
    IMPORT_ERROR = traceback.format_exc()

__all__ = [
    "IMPORT_ERROR",
    "Configuration",
    "HTTPHeaderDict",
    "RESTClientObject",
    "kube_config",
    "urllib3",
    "yaml",
]
