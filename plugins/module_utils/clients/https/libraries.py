# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library of all requests, if it is installed. The only place that imports it."""

from __future__ import annotations

import traceback

try:
    import certifi
    import urllib3
    from urllib3._collections import HTTPHeaderDict
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    IMPORT_ERROR = None
except ImportError:
    certifi = urllib3 = HTTPHeaderDict = None  # type: ignore[assignment,misc]
    # Classes that are derived from them can then be defined, but not used.
    HTTPConnection = HTTPSConnection = HTTPConnectionPool = HTTPSConnectionPool = object  # type: ignore[assignment,misc]
    IMPORT_ERROR = traceback.format_exc()

__all__ = [
    "IMPORT_ERROR",
    "HTTPConnection",
    "HTTPConnectionPool",
    "HTTPHeaderDict",
    "HTTPSConnection",
    "HTTPSConnectionPool",
    "certifi",
    "urllib3",
]
