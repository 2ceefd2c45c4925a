# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that a certificate names the host."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

__all__ = ["enforce_hostname"]


def enforce_hostname(context: ssl.SSLContext, host: str | None) -> ssl.SSLContext:
    """Change the context so that it compares a certificate with `host` even if the caller names none, and return it.

    urllib3 1.26, which some releases of the Kubernetes client require, does not name a host that is an IP address. Python then refuses
    the connection to the server or proxy.
    """

    def also_named(keywords: Mapping[str, Any]) -> dict[str, Any]:
        return {**keywords, "server_hostname": keywords.get("server_hostname") or host}

    class Named(ssl.SSLContext):
        def wrap_socket(self, *arguments: Any, **keywords: Any) -> Any:
            return super().wrap_socket(*arguments, **also_named(keywords))

        def wrap_bio(self, *arguments: Any, **keywords: Any) -> Any:
            return super().wrap_bio(*arguments, **also_named(keywords))

    context.__class__ = Named
    return context
