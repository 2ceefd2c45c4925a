# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login of the environment, or of a kubeconfig that the task does not name, is sent only over certain routes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.login import (
    ConnectionOptions,
    Route,
    check_scope,
    prefer_own_login,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from hypothesis import given
from hypothesis import strategies as st

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
