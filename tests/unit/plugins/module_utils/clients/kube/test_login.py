# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login is used until it is due or refused, and then renewed."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ConnectError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.kubeconfig import load_kubeconfig
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.login import (
    Credential,
    CredentialSource,
    from_token_file,
    login_of_user,
    static_login,
)
from support.objects import raised
from support.scripted_pool import Clock


class Source:
    """Gives the answers in order and repeats the last one. Counts the calls."""

    def __init__(self, *answers: Credential | ConnectError) -> None:
        self.answers, self.fetched = list(answers), 0

    def __call__(self) -> Credential:
        answer = self.answers[min(self.fetched, len(self.answers) - 1)]
        self.fetched += 1
        if isinstance(answer, ConnectError):
            raise answer
        return answer


ONE, TWO = Credential("one"), Credential("two")
FAILS = ConnectError("it failed")


def login_of(*answers: Credential | ConnectError) -> tuple[CredentialSource, Source, Clock]:
    source, clock = Source(*answers), Clock(1000.0)
    return CredentialSource(source, clock.now), source, clock


class TestCurrent:
    def test_a_login_without_an_end_is_fetched_once(self) -> None:
        login, source, clock = login_of(ONE, TWO)
        assert source.fetched == 0
        assert login.current() == (1, ONE)
        clock.seconds += 1e9
        assert login.current() == (1, ONE)
        assert source.fetched == 1

    @pytest.mark.parametrize(("due", "again_after"), [(0.0, 60.0), (1059.0, 60.0), (1061.0, 61.0), (1300.0, 300.0)])
    def test_a_due_login_is_fetched_again_at_most_once_a_minute(self, due: float, again_after: float) -> None:
        login, source, clock = login_of(Credential("one", due=due), TWO)
        login.current()
        clock.seconds = 1000.0 + again_after - 0.1
        assert login.current()[0] == 1
        assert source.fetched == 1
        clock.seconds = 1000.0 + again_after
        assert login.current() == (2, TWO)
        clock.seconds += 1e9
        login.current()
        assert source.fetched == 2

    def test_an_unchanged_login_keeps_its_number_and_is_fetched_again_later(self) -> None:
        login, source, clock = login_of(Credential("one", due=0.0))
        for minute in range(1, 4):
            assert login.current()[0] == 1
            assert source.fetched == minute
            clock.seconds += 60.0

    def test_the_old_login_is_used_until_there_is_a_new_one(self) -> None:
        first = Credential("one", due=0.0)
        login, source, clock = login_of(first, FAILS, FAILS, TWO)
        login.current()
        for attempt in (2, 3):
            clock.seconds += 60.0
            assert [login.current() for _request in range(3)] == [(1, first)] * 3
            assert source.fetched == attempt
        clock.seconds += 60.0
        assert login.current() == (2, TWO)

    def test_a_failed_first_fetch_is_an_error(self) -> None:
        login, _source, _clock = login_of(FAILS)
        with pytest.raises(ConnectError, match=r"^it failed$"):
            login.current()


def test_all_fetched_logins_are_secrets() -> None:
    """Even a refused login is a secret: another server may still accept it."""
    login, _source, _clock = login_of(Credential("Bearer canary-1"), Credential("Bearer canary-2"))
    assert login.secrets == frozenset()
    login.current()
    assert "canary-1" in login.secrets
    assert login.renew(1)
    assert {"canary-1", "canary-2"} <= login.secrets
    assert "Bearer canary-1" not in login.secrets


class TestRenew:
    def test_renew_fetches_another_login(self) -> None:
        login, source, _clock = login_of(ONE, TWO)
        assert login.renew(login.current()[0])
        assert login.current() == (2, TWO)
        assert source.fetched == 2

    def test_renew_returns_false_without_another_login(self) -> None:
        login, source, _clock = login_of(ONE)
        number, _credential = login.current()
        assert [login.renew(number) for _attempt in range(3)] == [False] * 3
        assert source.fetched == 2

    def test_one_renewal_serves_all_threads_with_the_same_refused_login(self) -> None:
        login, source, _clock = login_of(ONE, TWO, Credential("three"))
        number, _credential = login.current()
        assert [login.renew(number) for _thread in range(3)] == [True] * 3
        assert source.fetched == 2

    def test_a_renewed_login_can_be_refused_and_renewed_again(self) -> None:
        login, source, _clock = login_of(ONE, TWO, Credential("three"))
        login.renew(login.current()[0])
        assert login.renew(2)
        assert login.current()[0] == 3
        assert not login.renew(3)
        assert source.fetched == 4

    def test_a_failed_renewal_raises_the_reason(self) -> None:
        login, _source, _clock = login_of(ONE, FAILS)
        with pytest.raises(ConnectError, match=r"^it failed$"):
            login.renew(login.current()[0])

    def test_one_thread_at_a_time_renews_the_login(self) -> None:
        fetching, most = 0, 0
        numbers = iter(range(100))

        def fetch() -> Credential:
            nonlocal fetching, most
            fetching += 1
            most = max(most, fetching)
            fetching -= 1
            return Credential(f"token-{next(numbers)}")

        barrier = threading.Barrier(8)
        login = CredentialSource(fetch)

        def work(_thread: int) -> bool:
            number, _credential = login.current()
            barrier.wait(10)
            return login.renew(number)

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(work, range(8)))
        assert most == 1
        assert next(numbers) == 2


def test_a_fixed_login_is_returned_unchanged() -> None:
    assert static_login("Bearer x")() == Credential("Bearer x")


class TestTokenFile:
    def test_the_token_file_is_read_each_time(self, tmp_path: Path) -> None:
        file = tmp_path / "token"
        fetch = from_token_file(str(file), "the token")
        file.write_text("one\n")
        assert fetch() == Credential("Bearer one", due=0.0)
        file.write_text("two\n")
        assert fetch().authorization == "Bearer two"

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (None, " cannot be read: No such file or directory"),
            (b"\xff", " cannot be read: it is not text"),
            (b"\n", " is empty"),
            (b"a b", " is not a token: it contains a space, a line end or a character outside ASCII"),
        ],
    )
    def test_an_unusable_token_file_is_reported(self, tmp_path: Path, content: bytes | None, problem: str) -> None:
        file = tmp_path / "token"
        if content is not None:
            file.write_bytes(content)
        assert raised(ConnectError, from_token_file(str(file), "the token")) == f"the token {file}{problem}"


def config_with(user: Any) -> dict[str, Any]:
    return {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://a"}}],
        "users": [{"name": "u", "user": user}],
    }


def login_with(user: Any, directory: Path) -> Credential:
    """The login of a user in a kubeconfig file in the directory."""
    file = directory / "config"
    file.write_text(yaml.safe_dump(config_with(user)))
    return login_of_user(load_kubeconfig(str(file), None))()


class TestOfUser:
    @pytest.mark.parametrize(
        ("user", "credential"),
        [
            ({}, Credential("")),
            (None, Credential("")),
            ({"token": "t"}, Credential("Bearer t")),
            ({"username": "u", "password": "p"}, Credential("Basic dTpw")),
            ({"token": "t", "username": "u", "password": "p"}, Credential("Bearer t")),
            ({"token": "old", "tokenFile": "token"}, Credential("Bearer new", due=0.0)),
            ({"token": "t", "auth-provider": {"name": "gcp"}}, Credential("Bearer t")),
            ({"username": "u", "password": "p", "auth-provider": {"name": "gcp"}}, Credential("Basic dTpw")),
            ({"client-certificate": "c", "auth-provider": {"name": "gcp"}}, Credential("")),
        ],
    )
    def test_the_login_of_a_user_comes_from_its_token_or_password(
        self, tmp_path: Path, user: Any, credential: Credential
    ) -> None:
        (tmp_path / "token").write_text("new")
        assert login_with(user, tmp_path) == credential

    def test_the_login_of_a_user_can_come_from_a_plugin(self, tmp_path: Path) -> None:
        answer = {
            "kind": "ExecCredential",
            "apiVersion": "client.authentication.k8s.io/v1",
            "status": {"token": "printed"},
        }
        run = {"apiVersion": answer["apiVersion"], "command": "sh", "args": ["-c", f"echo '{json.dumps(answer)}'"]}
        assert login_with({"exec": run}, tmp_path) == Credential("Bearer printed")

    @pytest.mark.parametrize(
        ("user", "problem"),
        [
            (
                {"username": "u"},
                "user 'u' in kubeconfig {} cannot be used: it has only one of username and password",
            ),
            (
                {"password": "p"},
                "user 'u' in kubeconfig {} cannot be used: it has only one of username and password",
            ),
            (
                {"token": "a b"},
                "'token' of user 'u' in kubeconfig {} is not a token: it contains a space, a line end or a character "
                "outside ASCII",
            ),
            ({"token": 7}, "user 'u' in kubeconfig {} cannot be used: 'token' is not a string: put it in quotes"),
            ({"exec": []}, "user 'u' in kubeconfig {} cannot be used: 'exec' is not a mapping"),
            ({"auth-provider": 7}, "user 'u' in kubeconfig {} cannot be used: 'auth-provider' is not a mapping"),
            (
                {"auth-provider": {"name": "gcp", "config": {"access-token": "canary"}}},
                "user 'u' in kubeconfig {} cannot be used: it has only the 'auth-provider' 'gcp', which is not supported. Use an 'exec' "
                "plugin instead: install gke-gcloud-auth-plugin, and run 'gcloud container clusters get-credentials CLUSTER'. Or give "
                "'api_key'",
            ),
            (
                {"auth-provider": {"name": "azure"}},
                "user 'u' in kubeconfig {} cannot be used: it has only the 'auth-provider' 'azure', which is not supported. Use an 'exec' "
                "plugin instead: install Azure's kubelogin, and run 'kubelogin convert-kubeconfig'. Or give 'api_key'",
            ),
            (
                {"auth-provider": {"name": "oidc\n"}},
                "user 'u' in kubeconfig {} cannot be used: it has only the 'auth-provider' 'oidc', which is not supported. Use an 'exec' "
                "plugin instead: write the kubeconfig again with the tool of your cloud or identity provider. Or give 'api_key'",
            ),
        ],
    )
    def test_an_invalid_user_is_reported(self, tmp_path: Path, user: Any, problem: str) -> None:
        assert raised(ConnectError, lambda: login_with(user, tmp_path)) == problem.format(tmp_path / "config")

    def test_an_unreadable_token_file_of_a_user_is_reported_with_its_key(self, tmp_path: Path) -> None:
        assert raised(ConnectError, lambda: login_with({"tokenFile": "none"}, tmp_path)) == (
            f"'tokenFile' of user 'u' in kubeconfig {tmp_path / 'config'} {tmp_path / 'none'} cannot be read: No such file "
            "or directory"
        )
