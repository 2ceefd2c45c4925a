# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Login plugins are run, their output becomes a login, and failures are reported. The programs are real."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube import login
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ConnectError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.kubeconfig import Pem, Section
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.login import Credential, LoginPlugin
from support.objects import b64, raised

V1 = "client.authentication.k8s.io/v1"
SECRET = "secret-of-the-plugin"
TITLE = "login plugin 'sh' of user 'u'"
CLUSTER = Section("cluster 'c'", {"server": "https://a"}, Path())


def answer(status: Any, **more: Any) -> str:
    return json.dumps({"kind": "ExecCredential", "apiVersion": V1, "status": status, **more})


def plugin(script: str, directory: Path | str = ".", cluster: Section = CLUSTER, **more: Any) -> LoginPlugin:
    """A shell script as a plugin."""
    values = {"apiVersion": V1, "command": "sh", "args": ["-c", script, "sh"], **more}
    return LoginPlugin.of(Section("user 'u'", values, Path(directory)), cluster)


def printing(text: str) -> LoginPlugin:
    return plugin('printf %s "$TEXT"', env=[{"name": "TEXT", "value": text}])


def error_of(found: LoginPlugin) -> str:
    caught = raised(ConnectError, found.fetch)
    assert SECRET not in caught
    assert caught.isprintable()
    return caught


class TestCredential:
    def test_a_printed_token_is_the_credential(self) -> None:
        assert printing(answer({"token": "t\n"})).fetch() == Credential("Bearer t")

    def test_a_printed_certificate_with_its_key_is_the_credential(self) -> None:
        found = printing(answer({"clientCertificateData": "cert", "clientKeyData": "key"})).fetch()
        assert found == Credential(
            "", Pem(f"the certificate of {TITLE}", data=b"cert"), Pem(f"the key of {TITLE}", data=b"key")
        )

    def test_a_printed_token_and_certificate_are_both_in_the_credential(self) -> None:
        found = printing(answer({"token": "t", "clientCertificateData": "cert", "clientKeyData": "key"})).fetch()
        assert found.authorization == "Bearer t"
        assert found.certificate is not None

    @pytest.mark.parametrize(
        "time_text",
        ["2030-01-01T00:00:30Z", "2030-01-01T00:00:30z", "2030-01-01T02:00:30+02:00", "2030-01-01T00:00:30.123456789Z"],
    )
    def test_the_credential_is_due_before_it_expires(self, time_text: str) -> None:
        found = printing(answer({"token": "t", "expirationTimestamp": time_text})).fetch()
        assert found == Credential("Bearer t", due=1893456020.0)

    def test_the_plugin_is_run_each_time(self, tmp_path: Path) -> None:
        script = (
            f'echo x >>count; printf %s \'{answer({"token": "TOKEN"})}\' | sed "s/TOKEN/t$(wc -l <count | tr -d " ")/"'
        )
        found = plugin(script, tmp_path)
        assert [found.fetch().authorization for _time in range(2)] == ["Bearer t1", "Bearer t2"]

    @pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
    def test_each_api_version_is_accepted(self, version: str) -> None:
        name = f"client.authentication.k8s.io/{version}"
        text = answer({"token": "t"}, apiVersion=name)
        assert plugin(f"echo '{text}'", apiVersion=name).fetch() == Credential("Bearer t")


class TestFailures:
    @pytest.mark.parametrize(
        "status", [None, {}, {"token": ""}, {"clientKeyData": "k"}, {"clientCertificateData": "c"}]
    )
    def test_a_status_without_token_and_certificate_is_an_error(self, status: Any) -> None:
        assert error_of(printing(answer(status))) == f"{TITLE} printed neither a token nor a certificate with its key"

    def test_half_a_certificate_next_to_a_token_is_an_error(self) -> None:
        assert "printed neither" in error_of(printing(answer({"token": "t", "clientKeyData": SECRET})))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            SECRET,
            "[]",
            f'"{SECRET}"',
            "[" * 60_000,
            answer({"token": SECRET}, kind="Secret"),
            answer({"token": SECRET}, apiVersion="client.authentication.k8s.io/v1beta1"),
        ],
        ids=["nothing", "text", "list", "string", "deep", "kind", "version"],
    )
    def test_output_that_is_not_a_credential_is_an_error(self, text: str) -> None:
        assert error_of(printing(text)) == f"{TITLE} printed something that is not an ExecCredential of {V1}"

    def test_output_that_is_not_text_is_an_error(self) -> None:
        assert "not an ExecCredential" in error_of(plugin(r"printf '\377'"))

    @pytest.mark.parametrize(
        ("status", "problem"),
        [
            ({"token": f"{SECRET} x"}, " is not a token: it contains a space, a line end or a character outside ASCII"),
            ({"token": 7}, " cannot be used: 'token' is not a string: put it in quotes"),
            ([], " cannot be used: 'status' is not a mapping"),
        ],
    )
    def test_an_invalid_credential_is_an_error(self, status: Any, problem: str) -> None:
        assert error_of(printing(answer(status))) == f"the output of {TITLE}{problem}"

    @pytest.mark.parametrize("time_text", ["soon", "2030-13-01T00:00:00Z", "2030-01-01T00:00:00"])
    def test_an_invalid_expiration_time_is_an_error(self, time_text: str) -> None:
        text = error_of(printing(answer({"token": SECRET, "expirationTimestamp": time_text})))
        assert text == f"{TITLE} printed an expirationTimestamp that is not a time"

    @pytest.mark.parametrize(("end", "status"), [("exit 3", 3), ("kill -9 $$", -9)])
    def test_the_exit_status_is_reported_and_the_output_is_not(self, end: str, status: int) -> None:
        assert error_of(plugin(f"echo {SECRET} | tee /dev/stderr; {end}")) == (
            f"{TITLE} failed with exit status {status}. Run it by hand to see why (its output is not shown, because it "
            "may be a credential), or give 'api_key'"
        )

    def test_the_output_of_the_plugin_does_not_reach_the_output_of_the_task(
        self, capfd: pytest.CaptureFixture[str]
    ) -> None:
        plugin(f"echo '{answer({'token': 't'})}'; echo {SECRET} >&2").fetch()
        assert capfd.readouterr() == ("", "")

    def test_a_plugin_that_is_not_installed_is_reported_with_its_hint(self) -> None:
        found = plugin("", command="no-such-plugin", installHint="see\nhttps://example.com")
        assert error_of(found) == (
            "login plugin 'no-such-plugin' of user 'u' cannot be run: No such file or directory. Install it, or correct its "
            "path (see https://example.com)"
        )

    def test_a_plugin_with_an_impossible_name_is_reported(self) -> None:
        assert error_of(plugin("", command="a\0b")) == (
            "login plugin 'a b' of user 'u' cannot be run: its command is not valid. Install it, or correct its path"
        )

    def test_a_plugin_that_asks_for_input_gets_no_answer_and_ends(self) -> None:
        """The plugin has no input and no terminal, so it cannot wait for either."""
        assert "exit status 1." in error_of(plugin("read name || exit 1"))
        assert "exit status 2." in error_of(plugin("(: </dev/tty) 2>/dev/null || exit 2"))

    def test_a_plugin_that_does_not_end_is_stopped_with_its_child_processes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(login, "_LONGEST_SECONDS", 0.3)
        os.mkfifo(tmp_path / "pipe")
        reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        assert error_of(plugin("(echo started; sleep 100) >pipe & sleep 100", tmp_path)) == (
            f"{TITLE} did not end within 0 s. Log in with it by hand first, because it cannot ask for anything, or give "
            "'api_key'"
        )
        with os.fdopen(reader, "rb") as pipe:
            os.set_blocking(reader, True)
            assert pipe.read() == b"started\n", "the pipe ends when no process holds it any more"

    def test_a_child_process_of_the_plugin_does_not_hold_up_the_task(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The child keeps the output open. The wait for it is limited as well."""
        monkeypatch.setattr(login, "_LONGEST_SECONDS", 0.3)
        assert "did not end within" in error_of(plugin("sleep 100 & exit 0"))


class TestWhatItIsTold:
    def info(self, found: LoginPlugin) -> Any:
        return json.loads(found.environment["KUBERNETES_EXEC_INFO"])

    def test_the_plugin_is_informed_that_it_is_not_interactive(self) -> None:
        assert self.info(plugin("")) == {"apiVersion": V1, "kind": "ExecCredential", "spec": {"interactive": False}}

    def test_the_plugin_receives_its_cluster_if_it_asks_for_it(self, tmp_path: Path) -> None:
        (tmp_path / "ca.pem").write_bytes(b"authority")
        values = {
            "server": "https://a",
            "tls-server-name": "b",
            "insecure-skip-tls-verify": False,
            "proxy-url": "http://c",
            "certificate-authority": "ca.pem",
            "extensions": [
                "odd",
                {"name": "other", "extension": 1},
                {"name": "client.authentication.k8s.io/exec", "extension": {"d": "e"}},
            ],
            "disable-compression": True,
        }
        cluster = Section("cluster 'c'", values, tmp_path)
        assert self.info(plugin("", cluster=cluster, provideClusterInfo=True))["spec"] == {
            "interactive": False,
            "cluster": {
                "server": "https://a",
                "tls-server-name": "b",
                "proxy-url": "http://c",
                "certificate-authority-data": b64(b"authority"),
                "config": {"d": "e"},
            },
        }
        assert "cluster" not in self.info(plugin("", cluster=cluster))["spec"]

    def test_the_plugin_receives_a_cluster_with_a_server_only(self) -> None:
        assert self.info(plugin("", provideClusterInfo=True))["spec"]["cluster"] == {"server": "https://a"}

    def test_the_plugin_gets_its_own_variables_and_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OURS", "x")
        monkeypatch.setenv("BOTH", "ours")
        found = plugin("", env=[{"name": "ITS", "value": "y"}, {"name": "BOTH", "value": "its"}])
        assert [found.environment[name] for name in ("OURS", "ITS", "BOTH")] == ["x", "y", "its"]
        assert "ITS" not in os.environ

    def test_the_plugin_runs_in_the_directory_of_the_kubeconfig(self, tmp_path: Path) -> None:
        script = tmp_path / "script"
        script.write_text(f"#!/bin/sh\necho '{answer({'token': 'TOKEN'})}' | sed s/TOKEN/$1/\n")
        script.chmod(0o700)
        assert plugin("", tmp_path, command="./script", args=["a"]).fetch() == Credential("Bearer a")


class TestDescription:
    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"command": None}, "user 'u' cannot be used: its login plugin has no 'command'"),
            ({"command": 7}, "user 'u' cannot be used: 'command' is not a string: put it in quotes"),
            ({"args": "x"}, "user 'u' cannot be used: 'args' is not a list of strings"),
            ({"env": {}}, "user 'u' cannot be used: the 'env' of its login plugin is not a list"),
            ({"env": [SECRET]},
             "user 'u' cannot be used: an entry in the 'env' of its login plugin has no name or value"),
            ({"env": [{"name": SECRET}]},
             "user 'u' cannot be used: an entry in the 'env' of its login plugin has no name or value"),
            ({"env": [{"name": "x", "value": 7}]},
             "user 'u' cannot be used: an entry in the 'env' of its login plugin has no name or value"),
            ({"apiVersion": "v2"},
             f"{TITLE} cannot be used: its apiVersion is none of client.authentication.k8s.io/v1, "
             "client.authentication.k8s.io/v1beta1, client.authentication.k8s.io/v1alpha1"),
            ({"interactiveMode": "Always"},
             f"{TITLE} cannot be used: it needs a terminal (interactiveMode Always), and a task has none. Give 'api_key'"),
        ],
    )  # fmt: skip
    def test_an_invalid_plugin_description_is_refused(self, changes: Any, problem: str) -> None:
        assert raised(ConnectError, lambda: plugin("", **changes)) == problem

    @pytest.mark.parametrize("mode", ["Never", "IfAvailable", None])
    def test_a_plugin_is_accepted_if_it_can_run_without_a_terminal(self, mode: str | None) -> None:
        plugin("", interactiveMode=mode)

    def test_the_repr_of_a_plugin_hides_its_arguments(self) -> None:
        assert SECRET not in repr(plugin(SECRET))
