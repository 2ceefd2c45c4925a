# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules through a hostile proxy and judges their messages, independent of the fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from support.hostile_proxy import HostileProxy
from support.lab import Lab
from support.logins import administrator_token
from support.modules import run_module
from support.playbooks import forms, leaks

__all__ = ["LOGIN", "WORK", "Hostile", "hostile", "judged"]

LOGIN = {"registry": "registry.example.com", "username": "reader", "password": "Kx7-correct-horse"}
#: The modules that talk to a cluster. Each module that writes has some work to do.
WORK: dict[str, dict[str, Any]] = {
    "pull_secret": {"name": "ours", "registries": [LOGIN]},
    "sa_link": {"secrets": ["theirs"], "require": "existing", "wait_timeout": 0},
    "image_puller_grant": {"projects": ["consumer"]},
    "sa_wait": {"timeout": 0},
}


@dataclass
class Hostile:
    """A proxy and the connection through it."""

    lab: Lab
    proxy: HostileProxy
    token: str

    @property
    def way(self) -> dict[str, Any]:
        """The connection options."""
        return {"host": self.proxy.url, "api_key": self.token, "ca_cert": self.lab.data["ca_cert"]}

    def run(self, module: str, /, **options: Any) -> dict[str, Any]:
        return judged(run_module(module, **self.way, **options), self.token)


@contextmanager
def hostile(lab: Lab, *, page: int = 0) -> Iterator[Hostile]:
    with HostileProxy(lab, page=page).running() as proxy:
        yield Hostile(lab, proxy, administrator_token(lab))


def judged(result: dict[str, Any], *tokens: str) -> dict[str, Any]:
    """The result, after a check of its messages: a failure is one readable line and shows no credential."""
    secrets = {*tokens, *forms(LOGIN["password"], LOGIN["username"])}
    assert leaks(result["_output"], secrets) == []
    said = [failure["error"] for failure in result.get("failures") or []]
    if result["failed"]:
        said.append(result["msg"])
        assert result["msg"].strip()
    for text in said:
        assert len(text.splitlines()) == 1, text
        assert text.isprintable(), text
        assert len(text) < 20_000, f"{len(text)} characters: {text[:500]}"
        for sign in ("Traceback", "internal error", "Error:", "object at 0x", " NoneType"):
            assert sign not in text, text
    return result
