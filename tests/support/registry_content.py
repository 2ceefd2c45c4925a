# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry with given responses for one repository, over TLS on 127.0.0.1. It records the requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.proof import (
    RegistryImage,
    RegistryLogin,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.transport import RegistryOptions

from support.certificates import server_context
from support.hostile_registry import HostileRegistry, served

__all__ = ["Content", "ContentRegistry", "serve_content"]

#: Responses by the path behind the repository: status, media type, body.
Content = Mapping[str, tuple[int, str, bytes]]

_REPOSITORY = "team/app"


@dataclass
class ContentRegistry:
    """`login` is None for a registry that wants none."""

    server: HostileRegistry
    options: RegistryOptions
    login: RegistryLogin | None

    def image(self, reference: str = "v1") -> RegistryImage:
        return RegistryImage(self.server.host, _REPOSITORY, reference)

    @property
    def requests(self) -> list[str]:
        """The method of each request with the path behind the repository."""
        lines = [each.decode("latin-1").split("\r\n")[0] for each in self.server.requests]
        return [line.removesuffix(" HTTP/1.1").replace(f"/v2/{_REPOSITORY}/", "") for line in lines]


@contextmanager
def serve_content(
    certificate: str, content: Content, *headers: str, needs_login: bool = False
) -> Iterator[ContentRegistry]:
    """Yield a registry that runs. Other paths do not exist. `headers` are lines of each response."""

    def script(server: HostileRegistry) -> Iterable[bytes]:
        lines = server.requests[-1].decode("latin-1").split("\r\n")
        method, path, _version = lines[0].split(" ")
        status, kind, body = content.get(path.removeprefix(f"/v2/{_REPOSITORY}/"), (404, "text/plain", b""))
        challenge = []
        if needs_login and not any(line.lower().startswith("authorization:") for line in lines):
            status, body, challenge = 401, b"", ['WWW-Authenticate: Basic realm="r"']
        head = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", *challenge, *headers]
        yield "\r\n".join([*head, f"Content-Length: {len(body)}", "Connection: close", "", ""]).encode()
        yield b"" if method == "HEAD" else body

    with served(script, server_context(certificate)) as server:
        options = RegistryOptions(server.host, ca_cert=certificate, timeout=20.0)
        yield ContentRegistry(server, options, RegistryLogin("alice", "Canary-77") if needs_login else None)
