# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports the libraries of the client, if they are installed. No other module imports them.

Of the Kubernetes client, only the connection pool, the configuration with its proxy settings, and the reader of the logins that it
renews itself (`auth-provider`) are used. They exist from 24.2 to 37, while its models changed.
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
