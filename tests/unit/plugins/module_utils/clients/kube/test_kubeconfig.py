# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster and the user of a kubeconfig's context are found, and an unusable kubeconfig is refused."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ConnectError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.kubeconfig import (
    Pem,
    Section,
    client_context,
    load_kubeconfig,
    parse_yaml,
)
from support.client_certificates import authority, issue, server_side
from support.objects import b64, raised

WAY_OUT = (
    "Set 'kubeconfig: /path/to/kubeconfig', with 'context: NAME' for another context than its current one, or set 'host' and 'api_key', or "
    "export K8S_AUTH_KUBECONFIG=/path/to/kubeconfig"
)

SECRET = "secret-content"


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def config(**more: Any) -> dict[str, Any]:
    """A kubeconfig with two contexts, `one` and `two`. The first is the current one."""
    numbers = ("one", "two")
    return {
        "current-context": "one",
        "contexts": [{"name": n, "context": {"cluster": f"cluster-{n}", "user": f"user-{n}"}} for n in numbers],
        "clusters": [{"name": f"cluster-{n}", "cluster": {"server": f"https://{n}"}} for n in numbers],
        "users": [{"name": f"user-{n}", "user": {"token": f"token-{n}"}} for n in numbers],
        **more,
    }


def written(path: Path, content: Any) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return str(path)


def error_of(given: Any, context: str | None = None) -> str:
    with pytest.raises(ConnectError) as caught:
        load_kubeconfig(given, context)
    assert str(caught.value).isprintable()
    assert SECRET not in str(caught.value)
    return str(caught.value)


class TestContext:
    @pytest.mark.parametrize(("context", "named"), [(None, "one"), ("", "one"), ("one", "one"), ("two", "two")])
    def test_the_current_or_the_given_context_is_loaded(self, context: str | None, named: str) -> None:
        found = load_kubeconfig(config(), context)
        assert found.cluster.values == {"server": f"https://{named}"}
        assert found.user.values == {"token": f"token-{named}"}

    def test_titles_and_directories_are_those_of_the_file(self, tmp_path: Path) -> None:
        path = written(tmp_path / "dir/config", config())
        found = load_kubeconfig(path, None)
        assert found.cluster.title == f"cluster 'cluster-one' in kubeconfig {path}"
        assert found.user.title == f"user 'user-one' in kubeconfig {path}"
        assert found.user.directory == found.cluster.directory == tmp_path / "dir"

    def test_data_is_relative_to_the_current_directory(self) -> None:
        found = load_kubeconfig(config(), None)
        assert found.user.title == "user 'user-one' in the kubeconfig given as data"
        assert found.user.directory == Path()

    @pytest.mark.parametrize("context", [{"cluster": "cluster-one"}, {"cluster": "cluster-one", "user": ""}], ids=str)
    def test_a_context_without_a_user_has_no_login(self, context: Any) -> None:
        found = load_kubeconfig(config(contexts=[{"name": "one", "context": context}]), None)
        assert found.cluster.values == {"server": "https://one"}
        assert found.user.values == {}
        assert found.user.title == "context 'one' in the kubeconfig given as data"

    @pytest.mark.parametrize("user", [{"name": "user-one"}, {"name": "user-one", "user": None}], ids=str)
    def test_an_empty_user_has_no_values(self, user: Any) -> None:
        assert load_kubeconfig(config(users=[user]), None).user.values == {}

    def test_the_first_user_of_a_name_counts(self) -> None:
        users = [{"name": "user-one", "user": {"token": n}} for n in ("first", "second")]
        assert load_kubeconfig(config(users=users), None).user.values == {"token": "first"}

    @pytest.mark.parametrize(
        ("changes", "context", "problem"),
        [
            ({"contexts": None}, None, "it has no context 'one'. "),
            ({"contexts": []}, None, "it has no context 'one'. "),
            ({"current-context": ""}, None, "it has no current-context. Give 'context'. "),
            ({"current-context": None}, None, "it has no current-context. Give 'context'. "),
            ({"clusters": []}, None, "it has no cluster 'cluster-one'. "),
            ({"users": [{"name": "x"}, {"name": "y"}]}, None, "it has no user 'user-one' (only x, y). "),
            ({"users": {"name": SECRET}}, None, "'users' is not a list. "),
            ({"users": [SECRET]}, None, "an entry of 'users' has no name. "),
            ({"users": [{"user": SECRET}]}, None, "an entry of 'users' has no name. "),
            ({"clusters": [{"name": 7}]}, None, "an entry of 'clusters' has no name. "),
        ],
    )
    def test_an_incomplete_kubeconfig_is_refused_with_the_problem(
        self, changes: Any, context: str | None, problem: str
    ) -> None:
        assert error_of(config(**changes), context) == (
            f"the kubeconfig given as data cannot be used: {problem}{WAY_OUT}"
        )

    @pytest.mark.parametrize(("wanted", "meant"), [("no\nwhere", "one"), ("twoo", "two")])
    def test_an_unknown_context_is_refused_with_one_that_exists(self, wanted: str, meant: str) -> None:
        shown = wanted.replace("\n", " ")
        assert error_of(config(), wanted) == (
            f"the kubeconfig given as data cannot be used: it has no context '{shown}' (only one, two). Set 'context: {meant}', or another 'kubeconfig'"
        )

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"contexts": [{"name": "one"}]}, "context 'one' in {} cannot be used: it names no cluster"),
            (
                {"contexts": [{"name": "one", "context": {"cluster": 7}}]},
                "context 'one' in {} cannot be used: 'cluster' is not a string: put it in quotes",
            ),
            (
                {"users": [{"name": "user-one", "user": [SECRET]}]},
                "user 'user-one' in {} cannot be used: 'user' is not a mapping",
            ),
            ({"current-context": 7}, "{} cannot be used: 'current-context' is not a string: put it in quotes"),
        ],
    )
    def test_a_value_of_another_type_is_refused_with_the_problem(self, changes: Any, problem: str) -> None:
        assert error_of(config(**changes)) == problem.format("the kubeconfig given as data")


class TestFiles:
    @pytest.mark.parametrize("given", [None, ""])
    def test_the_default_kubeconfig_is_in_the_home_directory(self, tmp_path: Path, given: str | None) -> None:
        written(tmp_path / ".kube/config", config())
        found = load_kubeconfig(given, None)
        assert found.user.title == "user 'user-one' in the kubeconfig ~/.kube/config"
        assert found.user.directory == tmp_path / ".kube"

    def test_the_variable_kubeconfig_is_read_at_load_time(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written(tmp_path / ".kube/config", config())
        monkeypatch.setenv("KUBECONFIG", written(tmp_path / "other", config(**{"current-context": "two"})))
        found = load_kubeconfig(None, None)
        assert found.user.title == f"user 'user-two' in the kubeconfig {tmp_path / 'other'}"

    def test_a_tilde_means_the_home_directory(self, tmp_path: Path) -> None:
        written(tmp_path / "mine", config())
        assert load_kubeconfig("~/mine", None).user.directory == tmp_path

    def test_the_first_of_several_files_with_a_value_counts(self, tmp_path: Path) -> None:
        """Missing files are ignored."""
        first = written(tmp_path / "a/config", {"clusters": config()["clusters"]})
        second = config(users=[{"name": "user-two", "user": {"token": "second"}}], clusters=[{"name": "cluster-two"}])
        third = config(**{"current-context": "one"}, users=[{"name": "user-two", "user": {"token": "third"}}])
        paths = f"{first}:{tmp_path / 'none'}::" + written(tmp_path / "b/config", {**second, "current-context": "two"})
        found = load_kubeconfig(f"{paths}:{written(tmp_path / 'c', third)}", None)
        assert found.cluster.values == {"server": "https://two"}
        assert found.cluster.directory == tmp_path / "a"
        assert found.user.values == {"token": "second"}
        assert found.user.directory == tmp_path / "b"

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            ("", "{} is empty"),
            ("{}", "{} is empty"),
            (f"[{SECRET}]", "{} is not a kubeconfig"),
            (SECRET, "{} is not a kubeconfig"),
            (f"users: [{SECRET}\nx: [", "{} is not valid YAML at line 2"),
            (f"users:\n\t- token: {SECRET}\n", "{} is not valid YAML at line 2"),
            ("a: \x00", "{} is not valid YAML"),
            ("a: 2001-99-99", "{} is not valid YAML"),
            ("[" * 10_000 + "}", "{} is not valid YAML at line 1"),
        ],
    )
    def test_invalid_content_of_a_file_is_refused_with_the_problem(
        self, tmp_path: Path, content: str, problem: str
    ) -> None:
        path = written(tmp_path / "config", content)
        assert error_of(path) == f"kubeconfig {path} cannot be used: {problem.format(path)}. {WAY_OUT}"

    def test_a_file_that_is_not_text_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "config"
        path.write_bytes(b"\xff\xfe\xff")
        assert error_of(str(path)) == f"kubeconfig {path} cannot be used: {path} is not valid YAML. {WAY_OUT}"

    def test_an_unreadable_file_is_refused(self, tmp_path: Path) -> None:
        assert error_of(str(tmp_path)) == (
            f"kubeconfig {tmp_path} cannot be used: {tmp_path} cannot be read: Is a directory. {WAY_OUT}"
        )

    @pytest.mark.parametrize("given", ["/none", "/none:/neither"])
    def test_a_missing_file_is_refused(self, given: str) -> None:
        assert error_of(given) == f"kubeconfig {given} cannot be used: there is no such file. {WAY_OUT}"

    def test_the_start_of_a_relative_path_is_named_in_the_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ansible runs a module in the directory of the playbook."""
        monkeypatch.chdir(tmp_path)
        said = (
            f"kubeconfig ./none cannot be used: there is no such file in {tmp_path}, where a relative path begins. Give the whole path, "
            f'such as "{{{{ inventory_dir }}}}/none". {WAY_OUT}'
        )
        assert error_of("./none") == said

    def test_a_missing_default_file_is_refused(self) -> None:
        assert error_of(None) == f"the kubeconfig ~/.kube/config cannot be used: there is no such file. {WAY_OUT}"

    @pytest.mark.parametrize("given", [yaml.safe_dump(config()), f'{{"users": "{SECRET}"}}', [SECRET], 7])
    def test_content_that_is_not_a_dictionary_is_refused_and_not_repeated(self, given: Any) -> None:
        assert error_of(given) == (
            "the kubeconfig given as data cannot be used: it is neither a path nor a dictionary: give a path, or the content "
            f"through the filter from_yaml. {WAY_OUT}"
        )

    def test_an_empty_dictionary_is_not_the_default(self, tmp_path: Path) -> None:
        written(tmp_path / ".kube/config", config())
        assert error_of({}).startswith("the kubeconfig given as data cannot be used: it has no current-context")


def section(**values: Any) -> Section:
    return Section("user 'u'", values, Path("/dir"))


class TestSection:
    def test_a_section_returns_texts_flags_and_parts(self) -> None:
        found = section(a="x", b=["y", "z"], c=True, d={"e": "f"}, none=None)
        assert (found.text("a"), found.text("none"), found.text("absent")) == ("x", "", "")
        assert (found.texts("b"), found.texts("none"), found.texts("absent")) == (("y", "z"), (), ())
        assert (found.flag("c"), found.flag("none"), found.flag("absent")) == (True, False, False)
        assert found.part("d") == Section("user 'u'", {"e": "f"}, Path("/dir"))
        assert (found.part("none"), found.part("absent")) == (None, None)

    @pytest.mark.parametrize(
        ("method", "value", "problem"),
        [
            ("text", 7, "is not a string: put it in quotes"),
            ("text", ["x"], "is not a string: put it in quotes"),
            ("texts", "x", "is not a list of strings"),
            ("texts", ["x", 7], "is not a list of strings"),
            ("flag", "true", "is neither true nor false"),
            ("flag", 1, "is neither true nor false"),
            ("part", ["x"], "is not a mapping"),
            ("file", 7, "is not a string: put it in quotes"),
        ],
    )
    def test_a_section_refuses_other_types(self, method: str, value: Any, problem: str) -> None:
        with pytest.raises(ConnectError) as caught:
            getattr(section(a=value), method)("a")
        assert str(caught.value) == f"user 'u' cannot be used: 'a' {problem}"

    @pytest.mark.parametrize(("value", "path"), [("x", "/dir/x"), ("/x", "/x"), (None, ""), ("", "")])
    def test_files_are_relative_to_the_kubeconfig(self, value: Any, path: str) -> None:
        assert section(a=value).file("a") == path

    @pytest.mark.parametrize(
        ("values", "pem"),
        [
            ({}, None),
            ({"key": "x.pem"}, Pem("'key' of user 'u'", path="/dir/x.pem")),
            ({"key-data": "eHg=", "key": "x.pem"}, Pem("'key-data' of user 'u'", data=b"xx")),
            ({"key-data": " e\nHg= "}, Pem("'key-data' of user 'u'", data=b"xx")),
        ],
    )
    def test_a_section_returns_certificates_from_data_or_a_file(self, values: Any, pem: Pem | None) -> None:
        assert section(**values).pem("key") == pem

    @pytest.mark.parametrize("data", [SECRET, "eHg", "é"])
    def test_a_certificate_that_is_not_base64_is_refused(self, data: str) -> None:
        with pytest.raises(ConnectError, match=r"^user 'u' cannot be used: 'key-data' is not base64$"):
            section(**{"key-data": data}).pem("key")

    def test_the_repr_of_a_section_hides_its_values(self) -> None:
        assert SECRET not in repr(section(token=SECRET)) + repr(load_kubeconfig(config(), None))
        assert b64(b"x") not in repr(section(token="eA=="))


# --- YAML of an object becomes plain data, and no error quotes it


def test_yaml_and_json_are_parsed() -> None:
    assert parse_yaml("a: [b, c]\nd: null\n") == {"a": ["b", "c"], "d": None}
    assert parse_yaml('{"a": {"b": true}}') == {"a": {"b": True}}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", "it is not valid YAML"),
        ("[" * 2000, "it is not valid YAML"),
        ("!!python/object/apply:os.system [canary]", "it is not valid YAML"),
        ("a: 9999-99-99", "it is not valid YAML"),
        ("canary", "it is not a mapping"),
        ("", "it is not a mapping"),
        (f"a: {'x' * 300_000}", "it is too long"),
    ],
)
def test_a_text_that_is_not_a_mapping_is_an_error(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        parse_yaml(text)
    assert "canary" not in str(caught.value)


# --- Certificates are presented and verified over real connections, and unusable certificates are refused

CA = Pem("'ca_cert'", data=authority().certificate)

CLIENT = issue("client")

CERTIFICATE, KEY = Pem("the certificate", data=CLIENT.certificate), Pem("the key", data=CLIENT.key)


def in_file(pem: Pem, path: Path) -> Pem:
    path.write_bytes(pem.data)
    return Pem(pem.origin, path=str(path))


def context_of(directory: Path, **parts: Any) -> ssl.SSLContext:
    return client_context(
        "127.0.0.1",
        **{"verify": True, "authority": CA, "certificate": None, "key": None, **parts},
        directory=str(directory),
    )


def talk(context: ssl.SSLContext, directory: Path, name: str = "127.0.0.1") -> Any:
    """The client certificate that the test's server receives, None without one."""
    certificate, _protocol = seen_by_server(context, directory, name)
    return dict(part[0] for part in certificate["subject"])["commonName"] if certificate else None


def seen_by_server(context: ssl.SSLContext, directory: Path, name: str = "127.0.0.1") -> Any:
    """The client certificate, and the protocol that server and client agree on."""
    seen: list[Any] = []
    tls = server_side(directory, issue("server"), clients=authority())
    tls.set_alpn_protocols(["http/1.1", "http/1.0"])

    def serve(listening: socket.socket) -> None:
        connection = listening.accept()[0]
        with connection:
            try:
                with tls.wrap_socket(connection, server_side=True) as secured:
                    seen.append((secured.getpeercert(), secured.selected_alpn_protocol()))
                    secured.sendall(b"x")
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        with (
            socket.create_connection(listening.getsockname()) as plain,
            context.wrap_socket(plain, server_hostname=name) as secured,
        ):
            assert secured.recv(1) == b"x"
        thread.join(10)
    (both,) = seen
    return both


class TestTrust:
    @pytest.mark.parametrize("as_file", [True, False])
    def test_a_server_of_the_given_authority_is_trusted(self, tmp_path: Path, as_file: bool) -> None:
        given = in_file(CA, tmp_path / "ca") if as_file else CA
        assert talk(context_of(tmp_path, authority=given), tmp_path) is None

    @pytest.mark.parametrize("other", [None, Pem("it", data=authority("other").certificate)])
    def test_a_server_of_another_authority_is_not_trusted(self, tmp_path: Path, other: Pem | None) -> None:
        with pytest.raises(ssl.SSLCertVerificationError):
            talk(context_of(tmp_path, authority=other), tmp_path)

    @pytest.mark.parametrize("given", [None, CA])
    def test_any_server_is_accepted_if_verification_is_off(self, tmp_path: Path, given: Pem | None) -> None:
        assert talk(context_of(tmp_path, verify=False, authority=given), tmp_path, "example.com") is None

    def test_the_authorities_of_the_system_are_used_if_none_is_given(self, tmp_path: Path) -> None:
        default = ssl.create_default_context()
        assert context_of(tmp_path, authority=None).cert_store_stats() == default.cert_store_stats()
        assert context_of(tmp_path).cert_store_stats()["x509_ca"] == 1
        assert context_of(tmp_path, authority=None, verify=False).cert_store_stats()["x509_ca"] == 0

    @pytest.mark.parametrize("as_file", [True, False])
    def test_comments_in_an_authority_can_be_in_any_alphabet(self, tmp_path: Path, as_file: bool) -> None:
        pem = Pem("it", data="# Autorité\n".encode() + CA.data)
        context = context_of(tmp_path, authority=in_file(pem, tmp_path / "ca") if as_file else pem)
        assert context.cert_store_stats()["x509_ca"] == 1

    @pytest.mark.parametrize(
        "content", [b"", b"secret", b"-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n"]
    )
    @pytest.mark.parametrize("as_file", [True, False])
    def test_an_authority_without_a_certificate_is_refused(self, tmp_path: Path, content: bytes, as_file: bool) -> None:
        pem = Pem("'ca_cert'", data=content)
        given, name = (in_file(pem, tmp_path / "ca"), f"'ca_cert' {tmp_path / 'ca'}") if as_file else (pem, "'ca_cert'")
        assert (
            raised(ConnectError, lambda: context_of(tmp_path, authority=given))
            == f"{name} contains no certificate in PEM format: give the file with that of the server's authority, which begins with -----BEGIN CERTIFICATE-----"
        )


class TestProtocol:
    def test_the_protocol_stays_the_same_when_connections_begin(self, tmp_path: Path) -> None:
        context = context_of(tmp_path)
        # urllib3 does this for each connection. Another protocol makes the difference visible.
        context.set_alpn_protocols(["http/1.0"])
        assert seen_by_server(context, tmp_path)[1] == "http/1.1"


class TestShow:
    @pytest.mark.parametrize("certificate_in_file", [True, False])
    @pytest.mark.parametrize("key_in_file", [True, False])
    def test_the_certificate_of_the_client_is_shown_and_no_key_stays_in_a_file(
        self, tmp_path: Path, certificate_in_file: bool, key_in_file: bool
    ) -> None:
        directory = tmp_path / "temporary"
        directory.mkdir()
        certificate = in_file(CERTIFICATE, tmp_path / "c") if certificate_in_file else CERTIFICATE
        key = in_file(KEY, tmp_path / "k") if key_in_file else KEY
        context = context_of(directory, certificate=certificate, key=key)
        assert talk(context, tmp_path) == "client"
        assert list(directory.iterdir()) == [], "no key stays in a file"

    def test_a_certificate_and_its_key_in_one_file_are_shown(self, tmp_path: Path) -> None:
        both = in_file(Pem("both", data=CLIENT.certificate + CLIENT.key), tmp_path / "both")
        assert talk(context_of(tmp_path, certificate=both), tmp_path) == "client"

    @pytest.mark.parametrize(
        ("certificate", "key"),
        [
            (b"secret", CLIENT.key),
            (CLIENT.certificate, b"secret"),
            (CLIENT.certificate, issue("other").key),
            (CLIENT.certificate, CLIENT.encrypted_key(b"secret")),
        ],
        ids=["no certificate", "no key", "another key", "encrypted"],
    )
    def test_an_unusable_client_certificate_is_refused(self, tmp_path: Path, certificate: bytes, key: bytes) -> None:
        pems = Pem("'client_cert'", data=certificate), in_file(Pem("'client_key'", data=key), tmp_path / "key")
        assert raised(ConnectError, lambda: context_of(tmp_path, certificate=pems[0], key=pems[1])) == (
            f"'client_cert' with 'client_key' {tmp_path / 'key'} cannot be used: not in PEM format, or encrypted, or the key "
            "does not belong to the certificate"
        )
        assert list(tmp_path.iterdir()) == [tmp_path / "key"]

    def test_a_certificate_without_its_key_is_named_once(self, tmp_path: Path) -> None:
        with pytest.raises(ConnectError, match="^the certificate cannot be used: not in PEM"):
            context_of(tmp_path, certificate=CERTIFICATE)


class TestCertificateFiles:
    @pytest.mark.parametrize("part", ["authority", "certificate", "key"])
    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("{}/none", "No such file or directory. Correct the path, or create the file there"),
            ("{}", "Is a directory. Name a file"),
            ("{}/a\0b", "the path is not valid"),
        ],
    )
    def test_an_unreadable_file_is_named_with_the_reason(
        self, tmp_path: Path, part: str, path: str, reason: str
    ) -> None:
        place = path.format(tmp_path)
        parts = {"certificate": CERTIFICATE, "key": KEY, part: Pem("'it'", path=place)}
        caught = raised(ConnectError, lambda: context_of(tmp_path, **parts))
        shown = place.replace("\0", " ")
        assert caught == (f"'it' {shown} cannot be read on the host that runs the task: {reason}")

    def test_content_returns_the_pem_of_data_or_a_file(self, tmp_path: Path) -> None:
        assert KEY.content() == CLIENT.key
        assert in_file(KEY, tmp_path / "k").content() == CLIENT.key

    def test_the_repr_of_a_key_hides_it(self) -> None:
        assert "PRIVATE" not in repr(KEY) + str(KEY)
