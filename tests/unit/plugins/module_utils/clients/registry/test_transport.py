# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registries: endpoints, challenges, indexes, rate limits and failed requests. Hostile servers: test_transport_client.py."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.connections import Endpoint
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.exchange import HttpResponse
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.transport import (
    ANY_ARCHITECTURE,
    INDEX_TYPES,
    AuthInfo,
    Challenge,
    IndexEntry,
    NotAsked,
    RateLimit,
    RegistryError,
    RegistryOptions,
    auth_info,
    check_authorities,
    chosen_entries,
    is_token_service_of,
    linux_entries,
    option_host,
    parse_architecture,
    parse_challenges,
    parse_json,
    rate_limit_of,
    registry_endpoint,
    send_registry_request,
    url_host,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.registry_keys import same_path
from hypothesis import example, given
from hypothesis import strategies as st
from support.objects import raised

# --- A failed request is an error of the registry. Requests and answers: clients/https. Hostile servers: test_client.py

URL = "https://127.0.0.1:1/v2/"


def test_a_failed_request_is_an_error_of_the_registry() -> None:
    with pytest.raises(RegistryError, match=r"^asking failed: .* whether the registry runs$"):
        send_registry_request("asking", URL, RegistryOptions("127.0.0.1:1"))


def test_an_inside_address_is_refused_with_the_option_that_allows_it() -> None:
    with pytest.raises(
        NotAsked,
        match=r"a loopback address, where only hosts .* add 127\.0\.0\.1:1 to image_pull_realm_hosts of the inventory \(",
    ):
        send_registry_request("asking", URL, RegistryOptions("127.0.0.1:1"), inside=False)


def test_unreadable_authorities_are_an_option_error() -> None:
    check_authorities(RegistryOptions("a", ca_cert="/none", validate_certs=False))
    with pytest.raises(OptionError, match=r"^option 'registry_ca_cert': '/none' cannot be read"):
        check_authorities(RegistryOptions("a", ca_cert="/none"))


# --- A text is read as the host and port of a registry, equal registries are recognized, and invalid texts are refused

NO_NAME = "the host is not a DNS name or an IP address"

HUB = Endpoint("registry-1.docker.io", 443)


class TestEndpoint:
    """The tests of clients/https cover the validity of a host."""

    @pytest.mark.parametrize("name", ["docker.io", "index.docker.io", "registry-1.docker.io"])
    @pytest.mark.parametrize("form", ["{}", "{}:443", "{}."])
    def test_all_names_of_docker_hub_are_one_endpoint(self, name: str, form: str) -> None:
        assert registry_endpoint(form.format(name)) == HUB
        assert registry_endpoint(form.format(name.upper())) == HUB
        assert same_path(name) == "docker.io", "the same names are Docker Hub's as in auth files"

    @pytest.mark.parametrize("text", ["docker.io:5000", "auth.docker.io", "hub.docker.com", "docker.io.example.com"])
    def test_a_host_other_than_docker_hub_keeps_its_name(self, text: str) -> None:
        assert registry_endpoint(text).host == text.partition(":")[0]

    def test_the_default_port_is_that_of_the_scheme(self) -> None:
        assert registry_endpoint("a.io", "http") == Endpoint("a.io", 80)
        assert registry_endpoint("docker.io", "http") == Endpoint("docker.io", 80)


class TestOptionHost:
    @pytest.mark.parametrize(
        ("text", "host"),
        [
            ("A.io", "A.io"),
            (" a.io:5000 ", "a.io:5000"),
            ("https://a.io", "a.io"),
            ("HTTPS://a.io/", "a.io"),
            ("a.io/team/app:v1", "a.io"),
            ("https://a.io:5000/v2/", "a.io:5000"),
            ("a.io:5000/app@sha256:0123456789abcdefABCDEF", "a.io:5000"),
            ("a.io/app:v1@sha384:00", "a.io"),
            ("a.io/app@sha512:00", "a.io"),
            ("[::1]:5000/app", "[::1]:5000"),
        ],
    )
    def test_option_host_is_the_part_before_the_path(self, text: str, host: str) -> None:
        assert option_host("registry", text) == host

    @pytest.mark.parametrize("scheme", ["http", "HTTP", "docker", "ftp", ""])
    def test_another_scheme_in_an_option_is_refused(self, scheme: str) -> None:
        assert raised(OptionError, lambda: option_host("realm_host", f"{scheme}://a.io")) == (
            "option 'realm_host': only https is supported, because others can read a login that is sent without TLS. Give "
            "host[:port] without a scheme"
        )

    @pytest.mark.parametrize(
        "text",
        [
            "alice:{}@a.io",
            "https://alice:{}@a.io",
            "alice:{}/with-a-slash@a.io",
            "alice:{}@sha256:00@a.io",
            "alice:1/{}@a.io",
        ],
    )
    def test_a_login_is_refused_and_never_shown(self, text: str) -> None:
        assert (
            raised(OptionError, lambda: option_host("registry", text.format("Canary")))
            == "option 'registry': give host[:port] without a user or password, such as 'a.io'"
        )

    @pytest.mark.parametrize("text", ["alice:Canary@sha1:00", "alice:Canary@sha256:0g", "alice:Canary@sha256:"])
    def test_an_invalid_digest_is_refused_as_a_login(self, text: str) -> None:
        with pytest.raises(OptionError, match="without a user or password") as error:
            option_host("registry", text)
        assert "Canary" not in str(error.value)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "",
                "option 'registry': '' does not begin with host[:port]: there is no host",
            ),
            (
                "https:///team",
                "option 'registry': '/team' does not begin with host[:port]: there is no host",
            ),
            (
                "a b/team",
                f"option 'registry': 'a b/team' does not begin with host[:port]: {NO_NAME}",
            ),
        ],
    )
    def test_an_option_without_a_host_is_refused(self, text: str, message: str) -> None:
        assert raised(OptionError, lambda: option_host("registry", text)) == message

    @given(st.text() | st.text("a.:/@[]1 \n"))
    def test_any_text_is_a_host_or_is_refused(self, text: str) -> None:
        try:
            registry_endpoint(option_host("registry", text))
        except OptionError as error:
            assert str(error).isprintable()


class TestUrlHost:
    @pytest.mark.parametrize(
        ("url", "host", "found"),
        [
            ("https://A.io/token?x=y", "A.io", Endpoint("a.io", 443)),
            ("http://a.io/token", "a.io", Endpoint("a.io", 80)),
        ],
    )
    def test_url_host_returns_the_host_as_written_and_its_endpoint(self, url: str, host: str, found: Endpoint) -> None:
        assert url_host(url) == (host, found)

    @pytest.mark.parametrize("url", ["a.io", "https://", "https:///token"])
    def test_a_text_that_is_not_a_url_of_a_host_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError):
            url_host(url)


@pytest.mark.parametrize(
    ("registry", "service", "is_one"),
    [
        ("q.io", "q.io:443", True),
        ("docker.io", "auth.docker.io", True),
        ("registry-1.docker.io", "auth.docker.io:443", True),
        ("docker.io:5000", "auth.docker.io", False),
        ("docker.io", "auth.docker.io:8443", False),
        ("q.io", "auth.docker.io", False),
        ("q.io", "auth.q.io", False),
        ("q.io", "q.io:5000", False),
        ("auth.docker.io", "docker.io", False),
    ],
)
def test_a_token_service_belongs_to_its_registry_only(registry: str, service: str, is_one: bool) -> None:
    assert is_token_service_of(registry_endpoint(registry), registry_endpoint(service)) is is_one


# --- The challenge of a 401 is read in every form: RFC 9110, traces of the integrated registry

SCOPE = 'Bearer realm="https://a.example.com/token",service="s",scope="repository:team/app:pull,push"'

TOKENS = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True)

VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126))


class TestParseChallenges:
    @pytest.mark.parametrize(
        ("header", "challenges"),
        [
            ("", []),
            ("Basic", [("basic", {})]),
            ('Basic realm="r"', [("basic", {"realm": "r"})]),
            ('BEARER Realm="R",SERVICE="S"', [("bearer", {"realm": "R", "service": "S"})]),
            (SCOPE, [("bearer", {"realm": "https://a.example.com/token", "service": "s",
             "scope": "repository:team/app:pull,push"})]),
            (r'Basic realm="a \"quoted\", \\ name"', [("basic", {"realm": 'a "quoted", \\ name'})]),
            ('Basic realm=openshift,error="access denied"',
             [("basic", {"realm": "openshift", "error": "access denied"})]),
            ('Basic realm = "a" , charset = UTF-8', [("basic", {"realm": "a", "charset": "UTF-8"})]),
            ('Basic realm="a",,  ,charset="b"', [("basic", {"realm": "a", "charset": "b"})]),
            ('Basic realm="a",realm="b"', [("basic", {"realm": "a"})]),
            ('Basic realm="", x=', [("basic", {"realm": "", "x": ""})]),
            ('Negotiate, Basic realm="a", Bearer realm="b",service="c"',
             [("negotiate", {}), ("basic", {"realm": "a"}), ("bearer", {"realm": "b", "service": "c"})]),
            (', Basic realm="a"', [("basic", {"realm": "a"})]),
            ('Basic realm="never closed', [("basic", {"realm": ""})]),
            ('"junk" Basic realm="a"', []),
            ('Bearer realm="a" "junk", Basic realm="b"', [("bearer", {"realm": "a"})]),
            ("Basic@", []),
            ("Basic\trealm=a\t", [("basic", {"realm": "a"})]),
            ("Basic\0", []),
            ('Basic realm="a\0b"', [("basic", {"realm": "a\0b"})]),
            ('Basic realm="a\r\n b"', [("basic", {"realm": "a\r\n b"})]),
            ('Basic realm="a\\\nb"', [("basic", {"realm": "a\nb"})]),
            ('Basic realm="a\\"', [("basic", {"realm": ""})]),
            ('Basic realm="\\\\"', [("basic", {"realm": "\\"})]),
            ('Basic realm=ä,x="ö"', [("basic", {"realm": "ä", "x": "ö"})]),
            ("Negotiate YII==", [("negotiate", {"yii": "="})]),
        ],
    )  # fmt: skip
    def test_parse_challenges_reads_each_header_of_the_table(self, header: str, challenges: Any) -> None:
        assert parse_challenges(header) == [Challenge(scheme, parameters) for scheme, parameters in challenges]

    @given(TOKENS, st.dictionaries(TOKENS.map(str.lower), VALUES, min_size=1, max_size=4))
    def test_parse_challenges_reads_back_any_quoted_value(self, scheme: str, parameters: dict[str, str]) -> None:
        quoted = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in parameters.items()}
        header = f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in quoted.items())
        assert parse_challenges(header) == [Challenge(scheme.lower(), parameters)]


class TestLongHeaders:
    """A header can make a careless parser try every way to read it. Here, 100 kB are read within a second."""

    SIZE = 100_000
    REALM = [("basic", {"realm": "r"})]

    @pytest.mark.parametrize(
        ("tail", "challenges"),
        [
            ('"' * SIZE, REALM),
            ("\\" * SIZE, REALM),
            ('\\"' * (SIZE // 2), REALM),
            (',x="' + "\\" * SIZE, [("basic", {"realm": "r", "x": ""})]),
            (',x="' + '\\"' * (SIZE // 2), [("basic", {"realm": "r", "x": ""})]),
            (',x="' + "\\a" * (SIZE // 2), [("basic", {"realm": "r", "x": ""})]),
            (',x="' + "a" * SIZE, [("basic", {"realm": "r", "x": ""})]),
            (',x="' + "\\a" * (SIZE // 2) + '"', [("basic", {"realm": "r", "x": "a" * (SIZE // 2)})]),
            (" " * SIZE, REALM),
            ("," * SIZE, REALM),
            (", " * (SIZE // 2) + '"', REALM),
            (" " + "a" * SIZE + "@", REALM),
            (" a" * (SIZE // 2), REALM + [("a", {})] * (SIZE // 2)),
            ("," + "=" * SIZE, REALM),
            (",x" + " " * SIZE + "@", [*REALM, ("x", {})]),
            (",x=a" * (SIZE // 4), [("basic", {"realm": "r", "x": "a"})]),
        ],
        ids=lambda value: repr(value)[:12],
    )
    def test_parse_challenges_reads_long_headers_in_one_pass(self, tail: str, challenges: Any) -> None:
        started = time.process_time()
        found = parse_challenges('Basic realm="r"' + tail)
        assert time.process_time() - started < 1
        assert found == [Challenge(scheme, parameters) for scheme, parameters in challenges]


class TestAuthInfo:
    @pytest.mark.parametrize(
        ("host", "headers", "info"),
        [
            ("registry-1.docker.io", ['Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'],
             AuthInfo("bearer", "https://auth.docker.io/token", "auth.docker.io", "registry.docker.io",
             delegated=True)),
            ("quay.io", ['Bearer realm="https://quay.io/v2/auth",service="quay.io"'],
             AuthInfo("bearer", "https://quay.io/v2/auth", "quay.io", "quay.io")),
            ("registry.svc:5000", ['Bearer realm="https://registry.svc:5000/openshift/token"'],
             AuthInfo("bearer", "https://registry.svc:5000/openshift/token", "registry.svc:5000")),
            ("a.io", ['Basic realm=openshift,error="access denied"'], AuthInfo("basic", "openshift", "a.io")),
            ("a.io", ['Negotiate, bearer realm="https://b.io/t"'],
             AuthInfo("bearer", "https://b.io/t", "b.io", "", True)),
            ("a.io", ['Basic realm="a"', 'Bearer realm="https://b.io"'], AuthInfo("basic", "a", "a.io")),
            ("a.io", ['Bearer service="s"', 'Basic realm="a"'], AuthInfo("basic", "a", "a.io")),
            ("a.io", ['Bearer realm="/token",service="s"'], AuthInfo("bearer", "/token", "a.io", "s")),
            ("a.io", ['Digest realm="https://b.io/t"'], None),
            ("a.io", ['Bearer realm="https://["', 'Basic realm="a"'], AuthInfo("basic", "a", "a.io")),
            ("a.io", ['Bearer realm="b"'], None),
            ("a.io", ['Bearer realm="/token\r\n X: y"'], None),
            ("a.io", ['Bearer realm="/to ken"'], None),
            ("a.io", ['Bearer realm="//b.io/token"'], None),
            ("a.io", ['Bearer realm=""'], None),
            ("a.io", ['Bearer realm="ftp://b.io"'], None),
            ("a.io", ['Bearer realm="https://b.io:99999/"'], None),
            ("a.io", ['Bearer realm="https://b\0.io/"'], None),
            ("a.io", ['Bearer realm="https://bücher.example.com/"'], None),
            ("a.io", ['Bearer realm="https://b.io/t'], None),
            ("a.io", ["Basic"], AuthInfo("basic", "", "a.io")),
            ("a.io", ['Bearer realm="https://u:p@b.io/t", service="s"'],
             AuthInfo("bearer", "https://u:p@b.io/t", "b.io", "s", delegated=True)),
            ("a.io", ["Negotiate"], None),
            ("a.io", [], None),
        ],
    )  # fmt: skip
    def test_auth_info_uses_the_first_scheme_that_a_node_supports(
        self, host: str, headers: list[str], info: AuthInfo | None
    ) -> None:
        assert auth_info(host, headers) == info

    @pytest.mark.parametrize(
        ("host", "realm_host", "delegated"),
        [
            ("a.io", "A.IO", False),
            ("a.io", "a.io:443", False),
            ("a.io:443", "a.io", False),
            ("a.io.", "a.io", False),
            ("a.io", "a.io.:443", False),
            ("a.io:5000", "a.io", True),
            ("a.io", "a.io:80", True),
            ("a.io", "sub.a.io", True),
            ("[::1]:5000", "[::1]:5000", False),
            ("[::1]", "[0::1]:443", False),
            ("docker.io", "auth.docker.io", True),
            ("docker.io", "index.docker.io", False),
            ("index.docker.io", "registry-1.docker.io:443", False),
            ("docker.io:5000", "registry-1.docker.io:5000", True),
        ],
    )
    def test_delegated_means_another_host_or_port(self, host: str, realm_host: str, delegated: bool) -> None:
        info = auth_info(host, [f'Bearer realm="https://{realm_host}/token"'])
        assert info is not None
        assert info.delegated is delegated

    @pytest.mark.parametrize(("host", "delegated"), [("a.io:80", False), ("a.io", True)])
    def test_a_realm_without_tls_has_another_default_port(self, host: str, delegated: bool) -> None:
        info = auth_info(host, ['Bearer realm="http://a.io/token"'])
        assert info is not None
        assert info.delegated is delegated

    @given(
        st.text()
        | st.text().map(lambda text: f'Bearer realm="{text}"')
        | st.text().map(lambda text: f"Bearer realm={text}")
    )
    @example('Bearer realm="https://[x"')
    @example('Bearer realm="https://a℀b"')
    def test_a_malformed_header_never_raises_an_error(self, header: str) -> None:
        auth_info("a.io", [header])


# --- The manifests that a node can choose from an index

OCI, DOCKER = INDEX_TYPES

ONE, TWO = (f"sha256:{digit * 64}" for digit in "ab")


def entries(*manifests: Any, media_type: str = OCI) -> list[IndexEntry]:
    return list(linux_entries({"manifests": [*manifests]}, media_type))


def entry(digest: Any = ONE, **platform: Any) -> dict[str, Any]:
    return {"digest": digest, "platform": {"os": "linux", **platform}}


@pytest.mark.parametrize(
    ("platform", "architecture"),
    [
        ({"architecture": "amd64"}, "amd64"),
        ({"architecture": "amd64", "variant": ""}, "amd64"),
        ({"architecture": "arm64", "variant": "v8"}, "arm64"),
        ({"architecture": "arm", "variant": "v7"}, "arm"),
        ({"architecture": "amd64", "variant": "v2"}, None),
        ({"architecture": "arm64", "variant": "v9"}, None),
        ({"architecture": "amd64", "os": "windows"}, None),
        ({"architecture": "unknown", "os": "unknown"}, None),
        ({"architecture": "unknown"}, None),
        ({"architecture": "a/b"}, None),
        ({"architecture": 5}, None),
        ({}, None),
    ],
)
def test_an_entry_counts_if_a_linux_node_can_choose_it(platform: dict[str, Any], architecture: str | None) -> None:
    assert entries(entry(**platform)) == ([IndexEntry(architecture, ONE)] if architecture else [])


def test_an_entry_without_a_platform_is_for_all_nodes_in_an_oci_index_only() -> None:
    assert entries({"digest": ONE}) == [IndexEntry(ANY_ARCHITECTURE, ONE)]
    assert entries({"digest": ONE}, media_type=DOCKER) == []


def test_an_invalid_digest_is_dropped() -> None:
    assert entries(entry("../token", architecture="amd64")) == [IndexEntry("amd64", "")]


@pytest.mark.parametrize("content", [{}, {"manifests": 5}, {"manifests": {"a": 1}}], ids=str)
def test_an_odd_index_has_no_entry(content: dict[str, Any]) -> None:
    assert list(linux_entries(content, DOCKER)) == []


def test_an_entry_for_all_nodes_is_the_last_choice() -> None:
    found = entries({"digest": ONE}, entry(TWO, architecture="amd64"))
    assert chosen_entries(found, "amd64") == [IndexEntry("amd64", TWO)]
    assert chosen_entries(found, "s390x") == [IndexEntry(ANY_ARCHITECTURE, ONE)]
    assert chosen_entries(found[1:], "s390x") == []


def test_an_architecture_has_the_form_of_a_name() -> None:
    odd = ("", "AMD64", "x" * 21, "a\n", "{{ x }}", 5, None)
    assert [parse_architecture({"architecture": each}) for each in odd] == [""] * len(odd)
    assert parse_architecture({"architecture": "ppc64le"}) == "ppc64le"


@pytest.mark.parametrize("body", [b"", b"[]", b"5", b"\xff", b"[" * 60_000])
def test_a_body_that_is_no_object_is_empty(body: bytes) -> None:
    assert parse_json(body) == {}


# --- The headers of a pull rate limit are read, and odd ones are ignored


def found(*headers: tuple[str, str]) -> RateLimit | None:
    return rate_limit_of(HttpResponse(200, headers))


def test_the_headers_of_docker_hub_are_read() -> None:
    headers = (("ratelimit-limit", "100;w=21600"), ("ratelimit-remaining", "76;w=21600"))
    assert found(*headers) == RateLimit(100, 76, 21600)


def test_a_header_that_is_missing_leaves_its_number_unknown() -> None:
    assert found() is None
    assert found(("RateLimit-Remaining", "0")) == RateLimit(None, 0, None)
    assert found(("RateLimit-Limit", " 100 ; w=60 ")) == RateLimit(100, None, 60)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "-1",
        "1.5",
        "1e9",
        "9" * 10_000,
        "100;w=",
        "100;w=x",
        "100;w=1;w=2",
        "100, 100;w=60",
        "\u0661",
        "1\n",
        "1;w=" + "1" * 10,
        "\xff",
    ],
)
def test_hostile_values_are_ignored(value: str) -> None:
    assert found(("ratelimit-limit", value)) is None
    assert found(("ratelimit-limit", value), ("ratelimit-remaining", "5;w=60")) == RateLimit(None, 5, 60)


def test_a_header_that_appears_twice_is_ignored() -> None:
    assert found(("ratelimit-limit", "1"), ("RateLimit-Limit", "2")) is None
