# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins: their headers, their renewal, and the routes on which they are sent."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ConnectError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.kubeconfig import (
    Pem,
    load_kubeconfig,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.login import (
    ConnectionOptions,
    Credential,
    CredentialSource,
    Route,
    basic_header,
    bearer_header,
    check_scope,
    forms_of,
    from_token_file,
    login_of_user,
    prefer_own_login,
    static_login,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from hypothesis import given
from hypothesis import strategies as st
from support.objects import b64, raised
from support.scripted_pool import Clock

# --- A login is used until it is due or refused, and then renewed


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


# --- A credential becomes the headers that log a request in


class TestBearer:
    @pytest.mark.parametrize("given", ["abc.DEF-1~!", "abc.DEF-1~!\n", " abc.DEF-1~! "])
    def test_white_space_around_a_token_is_removed(self, given: str) -> None:
        assert bearer_header(given, "it") == "Bearer abc.DEF-1~!"

    @pytest.mark.parametrize("given", ["", " \n"])
    def test_an_empty_token_is_refused(self, given: str) -> None:
        with pytest.raises(ConnectError, match=r"^option 'api_key' is empty$"):
            bearer_header(given, "option 'api_key'")

    @pytest.mark.parametrize("given", ["a b", "a\nb", "ab\x7f", "é", "\x00", "漢"])
    def test_a_token_that_does_not_fit_in_a_header_is_refused_and_not_repeated(self, given: str) -> None:
        with pytest.raises(ConnectError) as caught:
            bearer_header(given, "it")
        assert str(caught.value) == "it is not a token: it contains a space, a line end or a character outside ASCII"


class TestBasic:
    @pytest.mark.parametrize(("user", "password"), [("u", "p"), ("ü", "ä:漢")])
    def test_a_basic_login_is_encoded_in_utf_8(self, user: str, password: str) -> None:
        assert basic_header(user, password) == "Basic " + b64(f"{user}:{password}")

    def test_half_a_letter_in_a_password_causes_no_traceback(self) -> None:
        assert basic_header("u", "\udc00") == "Basic dTrtsIA="


class TestFormsOf:
    def test_forms_of_a_token_include_its_base64_form(self) -> None:
        found = forms_of("Bearer some-token")
        assert {"some-token", b64(b"some-token")} <= found
        assert "Bearer" not in found

    def test_forms_of_a_password_include_the_encoded_forms(self) -> None:
        found = forms_of(basic_header("user", "pass:wörd"))
        assert {"pass:wörd", "user:pass:wörd", basic_header("user", "pass:wörd")[6:], "pass%3Aw%C3%B6rd"} <= found
        assert "user" not in found

    @pytest.mark.parametrize("authorization", ["", "Bearer "])
    def test_an_empty_login_has_no_forms(self, authorization: str) -> None:
        assert forms_of(authorization) == frozenset()


class TestCredential:
    @pytest.mark.parametrize(
        ("other", "is_other"),
        [
            (Credential("a"), False),
            (Credential("a", due=7.0), False),
            (Credential("b"), True),
            (Credential("a", Pem("p", data=b"c")), True),
        ],
    )
    def test_another_token_or_certificate_counts_as_another_credential(self, other: Credential, is_other: bool) -> None:
        assert other.is_other_than(Credential("a")) is is_other
        assert Credential("a").is_other_than(other) is is_other

    def test_the_repr_of_a_credential_hides_it(self) -> None:
        assert "secret" not in repr(Credential("secret"))


# --- A login of the environment, or of a kubeconfig that the task does not name, is sent only over certain routes

HOST = "https://api.example.com:6443"

OTHER = "https://mallory.example.com"

AWX = ConnectionOptions(host=HOST, api_key="theirs")

CERTIFICATE = ConnectionOptions(host=HOST, client_cert="/theirs/cert", client_key="/theirs/key")

PASSWORD = ConnectionOptions(host=HOST, username="user", password="theirs")

KUBECONFIG = ConnectionOptions(kubeconfig="/theirs/config")

NOTHING = ConnectionOptions()


def effective(environment: ConnectionOptions, task: dict[str, Any]) -> ConnectionOptions:
    """The options as Ansible passes them: the task's options, and the environment's for all others."""
    merged = ConnectionOptions(**{**vars(environment), **task})
    return prefer_own_login(merged, environment)


def refusal(environment: ConnectionOptions, server: str = HOST, verify: bool = True, **task: Any) -> str:
    """The reason why the route is refused, empty if it is allowed. `server` is the server of the kubeconfig."""
    options = effective(environment, task)
    route = Route(options.host or server, server, verify, options.proxy or "", environment.proxy or "")
    try:
        check_scope(options, environment, route)
    except OptionError as error:
        assert "theirs" not in str(error).replace("/theirs/", "")
        return str(error)
    return ""


class TestOwnLogin:
    @pytest.mark.parametrize("environment", [AWX, CERTIFICATE, PASSWORD])
    @pytest.mark.parametrize(
        "own",
        [
            {"api_key": "own"},
            {"username": "own", "password": "own"},
            {"client_cert": "/own/cert", "client_key": "/own/key"},
        ],
    )
    def test_a_login_of_the_task_replaces_the_whole_login_of_the_environment(
        self, environment: ConnectionOptions, own: dict[str, str]
    ) -> None:
        options = effective(environment, own)
        logins = ("api_key", "username", "password", "client_cert", "client_key")
        assert {name: getattr(options, name) for name in logins if getattr(options, name)} == own
        assert refusal(environment, host=OTHER, **own) == ""

    @pytest.mark.parametrize("environment", [AWX, CERTIFICATE, PASSWORD, NOTHING])
    def test_the_login_of_the_environment_stays_without_a_login_of_the_task(
        self, environment: ConnectionOptions
    ) -> None:
        assert effective(environment, {}) == environment

    def test_the_same_login_in_the_task_is_still_that_of_the_environment(self) -> None:
        assert refusal(AWX, host=OTHER, api_key=" theirs\n")
        assert refusal(PASSWORD, host=OTHER, username="another", password="theirs")
        assert refusal(CERTIFICATE, host=OTHER, client_cert="/other/../theirs/cert")
        assert refusal(CERTIFICATE, host=OTHER, client_cert="/own/cert", client_key="/theirs/key")

    def test_half_a_login_of_the_task_is_refused_for_another_server(self) -> None:
        assert refusal(PASSWORD, host=OTHER, username="another")


class TestServer:
    @pytest.mark.parametrize("environment", [AWX, CERTIFICATE, PASSWORD])
    @pytest.mark.parametrize(
        "host",
        [
            *(OTHER, "http://api.example.com:6443", f"{HOST}/other", "https://api.example.com", "https://[::1"),
            *(f"{OTHER}\\@api.example.com:6443", f"{OTHER}:6443\\@api.example.com:6443"),
        ],
    )
    def test_the_login_of_the_environment_is_refused_for_another_server(
        self, environment: ConnectionOptions, host: str
    ) -> None:
        said = refusal(environment, host=host)
        assert host in said and "K8S_AUTH_HOST" in said and "'api_key'" in said

    @pytest.mark.parametrize("host", [HOST, f"{HOST}/", "HTTPS://API.example.com:6443", f" {HOST}"])
    def test_the_same_server_in_another_form_is_accepted(self, host: str) -> None:
        assert refusal(AWX, host=host) == ""
        assert refusal(ConnectionOptions(host="https://a", api_key="theirs"), host="https://a:443") == ""

    def test_the_message_names_the_variables(self) -> None:
        assert "(K8S_AUTH_API_KEY)" in refusal(AWX, host=OTHER)
        assert "(K8S_AUTH_CLIENT_CERT, K8S_AUTH_CLIENT_KEY)" in refusal(CERTIFICATE, host=OTHER)

    def test_a_login_without_a_server_is_for_the_server_of_the_task(self) -> None:
        assert refusal(ConnectionOptions(api_key="theirs"), host=OTHER) == ""

    def test_a_login_next_to_a_kubeconfig_in_the_environment_is_for_its_servers(self) -> None:
        both = ConnectionOptions(kubeconfig="/theirs/config", api_key="theirs")
        assert refusal(both, context="any") == refusal(both) == ""
        for task in ({"host": OTHER}, {"kubeconfig": "/own/config"}, {"kubeconfig": {}}):
            assert "kubeconfig in the environment" in refusal(both, OTHER, **task)

    @pytest.mark.parametrize("environment", [KUBECONFIG, NOTHING])
    def test_the_login_of_a_kubeconfig_is_for_its_server(self, environment: ConnectionOptions) -> None:
        assert "belongs to its own server" in refusal(environment, host=OTHER, context="any")
        assert refusal(environment, host=f"{HOST}/", context="any") == ""
        assert refusal(environment, OTHER, context="any") == ""

    def test_a_kubeconfig_of_the_task_is_accepted_unless_it_is_that_of_the_environment(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to("/theirs/config")
        for own in ("/own/config", {"users": []}, "/own/config:/own/other"):
            assert refusal(KUBECONFIG, host=OTHER, kubeconfig=own) == ""
        for same in ("/theirs/config", "/theirs//config", str(tmp_path / "link"), "/theirs/config:"):
            assert refusal(KUBECONFIG, host=OTHER, kubeconfig=same)

    def test_a_kubeconfig_of_the_environment_joined_with_another_is_still_refused(self) -> None:
        several = ConnectionOptions(kubeconfig="/theirs/config:/theirs/other")
        for joined in ("/theirs/config:/not/there", "/not/there:/theirs/config"):
            assert refusal(KUBECONFIG, host=OTHER, kubeconfig=joined)
            assert refusal(several, host=OTHER, kubeconfig=joined)
            assert refusal(ConnectionOptions(kubeconfig="/theirs/config", api_key="theirs"), OTHER, kubeconfig=joined)

    def test_a_kubeconfig_and_a_host_of_the_environment_are_accepted_together(self) -> None:
        assert refusal(ConnectionOptions(kubeconfig="/theirs/config", host=OTHER)) == ""


class TestProxy:
    @pytest.mark.parametrize("environment", [AWX, PASSWORD, KUBECONFIG, NOTHING])
    def test_a_proxy_of_the_task_is_accepted_only_with_verified_tls(self, environment: ConnectionOptions) -> None:
        assert refusal(environment, proxy="http://proxy") == ""
        assert "could read it" in refusal(environment, verify=False, proxy="http://proxy")
        assert "could read it" in refusal(environment, proxy="http://proxy", ca_cert="/own/ca")
        assert "could read it" in refusal(environment, "http://127.0.0.1", proxy="http://proxy") or environment.host

    def test_the_proxy_of_the_environment_is_trusted(self) -> None:
        environment = ConnectionOptions(host=HOST, api_key="theirs", proxy="http://proxy", ca_cert="/theirs/ca")
        assert refusal(environment, verify=False) == refusal(environment, ca_cert="/own/ca") == ""
        assert refusal(environment, proxy="http://other") == ""

    @pytest.mark.parametrize("own", [{"api_key": "own"}, {"kubeconfig": {}}], ids=str)
    def test_a_login_of_the_task_is_accepted_with_any_proxy(self, own: dict[str, Any]) -> None:
        assert refusal(NOTHING, verify=False, proxy="http://proxy", ca_cert="/own/ca", **own) == ""

    def test_a_proxy_login_of_the_environment_is_only_for_its_proxy(self) -> None:
        for name in ("proxy_basic_auth", "basic_auth"):
            environment = ConnectionOptions(
                proxy="http://proxy", proxy_headers={name: "theirs:theirs", "user_agent": "a"}
            )
            assert "another proxy would get it" in refusal(environment, proxy="http://other")
            assert refusal(environment) == ""
            assert refusal(environment, proxy="http://other", proxy_headers={name: "own:own", "user_agent": "a"}) == ""
        assert refusal(ConnectionOptions(proxy_headers={"basic_auth": "theirs:theirs"}), proxy="http://other") == ""


TEXTS = st.none() | st.sampled_from(["", "own", "own2"])


@given(
    environment=st.sampled_from([AWX, CERTIFICATE, PASSWORD]),
    task=st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("api_key", "username", "password", "client_cert", "client_key"), TEXTS),
            "kubeconfig": st.none() | st.sampled_from(["", "/own/config", "/theirs/config"]),
            "context": TEXTS,
            "host": st.sampled_from([OTHER]),
        },
    ),
    verify=st.booleans(),
)
def test_no_options_send_a_login_of_the_environment_elsewhere(
    environment: ConnectionOptions, task: dict[str, Any], verify: bool
) -> None:
    options = effective(environment, task)
    sent = {getattr(options, name) for name in ("api_key", "password", "client_cert", "client_key")} - {None, ""}
    theirs = {environment.api_key, environment.password, environment.client_cert, environment.client_key} - {None}
    if sent & theirs and options.host == OTHER:
        assert refusal(environment, OTHER, verify, **task)
