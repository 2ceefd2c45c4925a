# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login that the server refuses in the middle of a run is renewed once, and the final reason for a failure is reported once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.hostile import WORK, judged
from support.hostile_proxy import Act, HostileProxy, refused, revoked
from support.lab import Lab, path_of
from support.logins import administrator_token, exec_plugin, user_kubeconfig
from support.modules import run_module
from support.proxy import Exchange
from support.statuses import times_said

COUNT = 12
CONCURRENCY = 4


@pytest.fixture(scope="module")
def names(lab) -> list[str]:
    made = [f"login-{number}" for number in range(COUNT)]
    for name in made:
        lab.namespace(name)
    return made


class Logins:
    """A kubeconfig whose login is read from `file`. `tokens` holds the first token and the next one."""

    def __init__(self, lab: Lab, proxy: HostileProxy, directory: Path) -> None:
        self.lab, self.proxy, self.directory = lab, proxy, directory
        self.tokens = [administrator_token(lab), administrator_token(lab)]
        self.file = directory / "token"
        self.file.write_text(self.tokens[0])
        self.plugin = directory / "plugin"

    def by_file(self) -> dict[str, Any]:
        return {"tokenFile": str(self.file)}

    def by_token(self) -> dict[str, Any]:
        return {"token": self.tokens[0]}

    def by_program(self, **how: Any) -> dict[str, Any]:
        return exec_plugin(self.plugin, self.file, **how)

    @property
    def runs(self) -> int:
        """Return the number of runs of the program."""
        return len(self.plugin.with_suffix(".runs").read_text().split())

    def rotated(self, proxy: HostileProxy, exchange: Exchange) -> None:
        """Invalidate the first token and put the next one in the file."""
        if self.tokens[0] in exchange.headers["Authorization"]:
            # The file is replaced atomically, as a kubelet does it, because the module may read it at the same time.
            new = self.file.with_suffix(".new")
            new.write_text(self.tokens[1])
            new.replace(self.file)
            revoked(proxy, exchange)
        else:
            exchange.answer(proxy.ask(exchange))

    def lost(self, proxy: HostileProxy, exchange: Exchange) -> None:
        """Invalidate the first token and provide no other."""
        self.file.unlink(missing_ok=True)
        revoked(proxy, exchange)

    def run(self, user: dict[str, Any], names: list[str], act: Act | None = None) -> dict[str, Any]:
        """Create a secret in each namespace. `act` handles the writes after the third."""
        for name in names:
            self.lab.api("DELETE", path_of(name, "secrets", "ours"), expect=(200, 404))
        if act is not None:
            self.proxy.rule("POST .*/secrets", act, after=3 if len(names) > 3 else 0)
        kubeconfig = user_kubeconfig(self.lab, self.proxy.url, self.directory / "kubeconfig", user)
        options = {"namespaces": names, "concurrency": CONCURRENCY, **WORK["pull_secret"]}
        return judged(run_module("pull_secret", kubeconfig=kubeconfig, **options), *self.tokens)


@pytest.fixture
def logins(lab, tmp_path) -> Iterator[Logins]:
    with HostileProxy(lab).running() as proxy:
        yield Logins(lab, proxy, tmp_path)


class TestRenewed:
    @pytest.mark.parametrize("how", ["by_file", "by_program"])
    def test_a_new_token_is_used(self, logins, names, how):
        """Another process renews the file. The program's answer contains no expiry time, and it runs once more."""
        result = logins.run(getattr(logins, how)(), names, logins.rotated)
        assert not result["failed"], result["msg"]
        assert result["summary"]["changed"] == COUNT
        assert how == "by_file" or logins.runs == 2
        # Each write is sent once, and once more if it was under way with the old token.
        assert len(logins.proxy.asked("POST")) <= COUNT + CONCURRENCY

    @pytest.mark.parametrize("how", ["by_file", "by_program", "by_token"])
    def test_an_unchanged_token_ends_the_run(self, logins, names, how):
        result = logins.run(getattr(logins, how)(), names, revoked)
        assert result["summary"]["changed"] == 3
        assert times_said(result["msg"], 401) == 1
        assert how != "by_program" or logins.runs == 2
        assert len(logins.proxy.asked("POST")) <= 3 + 2 * CONCURRENCY


class TestNamed:
    @pytest.mark.parametrize("when", ["before", "during"])
    def test_a_missing_token_file_is_named(self, logins, names, when):
        if when == "before":
            logins.file.unlink()
        result = logins.run(logins.by_file(), names, logins.lost)
        assert result["summary"]["changed"] == (0 if when == "before" else 3)
        assert str(logins.file) in result["msg"]
        assert len(logins.proxy.asked("POST")) <= (0 if when == "before" else 3 + 2 * CONCURRENCY)

    def test_a_failed_exec_plugin_is_named_and_its_output_is_not_shown(self, logins, names):
        result = logins.run(logins.by_program(fails="canary-5e1f"), names)
        assert result["failed"]
        assert str(logins.plugin) in result["msg"]
        assert "canary-5e1f" not in result["_output"]

    def test_a_token_in_the_servers_message_is_not_shown(self, logins, names):
        said = refused(422, "Invalid", f"got Bearer {logins.tokens[0]}")
        assert times_said(logins.run(logins.by_token(), names[:3], said)["msg"], 422)
