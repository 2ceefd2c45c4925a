# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs programs that print a login: the `exec` of a kubeconfig's user.

Their input and output: Kubernetes documentation, 'client-go credential plugins'. A task has no terminal, so they cannot ask
questions. Their output may be a credential, so none of it is shown.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .credential import Credential, bearer_header
from .errors import ConnectError, one_line
from .kubeconfig import Section
from .tls import Pem

__all__ = ["LoginPlugin"]

_LONGEST_SECONDS = 60.0
#: Seconds before its expiry at which a credential is fetched again.
_EARLIER_SECONDS = 10.0
_VERSIONS = tuple(f"client.authentication.k8s.io/{version}" for version in ("v1", "v1beta1", "v1alpha1"))
_EXTENSION = "client.authentication.k8s.io/exec"


@dataclass(frozen=True, repr=False)
class LoginPlugin:
    """One program. `title` names it in messages."""

    title: str
    command: str
    arguments: tuple[str, ...]
    version: str
    environment: Mapping[str, str]
    directory: Path
    hint: str = ""

    @classmethod
    def of(cls, section: Section, cluster: Section) -> LoginPlugin:
        """Return the program of a user's `exec`. A plugin that requests it gets the `cluster`.

        :raises ConnectError: if it cannot be run here.
        """
        command, version = section.text("command"), section.text("apiVersion")
        if not command:
            raise section.error("its login plugin has no 'command'")
        title = f"login plugin {one_line(command)!r} of {section.title}"
        if version not in _VERSIONS:
            raise ConnectError(f"{title} cannot be used: its apiVersion is none of {', '.join(_VERSIONS)}")
        if section.text("interactiveMode") == "Always":
            raise ConnectError(
                f"{title} cannot be used: it needs a terminal (interactiveMode Always), and a task has none. Give 'api_key'"
            )
        spec: dict[str, Any] = {"interactive": False}
        if section.flag("provideClusterInfo"):
            spec["cluster"] = _exec_cluster(cluster)
        info = {"apiVersion": version, "kind": "ExecCredential", "spec": spec}
        environment = {**os.environ, **_variables(section), "KUBERNETES_EXEC_INFO": json.dumps(info)}
        return cls(
            title, command, section.texts("args"), version, environment, section.directory, section.text("installHint")
        )

    def fetch(self) -> Credential:
        """Run the program and return its credential.

        :raises ConnectError: if it fails, or prints no credential.
        """
        status = self._status(self._run_command())
        token, expiry = status.text("token"), status.text("expirationTimestamp")
        certificate, key = status.text("clientCertificateData"), status.text("clientKeyData")
        if bool(certificate) != bool(key) or not (token or certificate):
            raise ConnectError(f"{self.title} printed neither a token nor a certificate with its key")
        return Credential(
            bearer_header(token, f"the output of {self.title}") if token else "",
            Pem(f"the certificate of {self.title}", data=certificate.encode()) if certificate else None,
            Pem(f"the key of {self.title}", data=key.encode()) if key else None,
            self._due(expiry) if expiry else None,
        )

    def _run_command(self) -> bytes:
        try:
            # The linter wants AnsibleModule.run_command, but there is no AnsibleModule here.
            process = subprocess.Popen(  # noqa: S603 # pylint: disable=ansible-bad-function
                [self.command, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self.directory,
                env=self.environment,
                # Without a terminal it cannot wait for input, and its child processes can be ended with it.
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "its command is not valid"
            hint = f" ({one_line(self.hint)})" if self.hint else ""
            raise ConnectError(f"{self.title} cannot be run: {reason}. Install it, or correct its path{hint}") from None
        printed = self._wait_for_output(process)
        if process.returncode:
            raise ConnectError(
                f"{self.title} failed with exit status {process.returncode}. Run it by hand to see why (its output is "
                "not shown, because it may be a credential), or give 'api_key'"
            )
        return printed

    def _wait_for_output(self, process: subprocess.Popen[bytes]) -> bytes:
        try:
            return process.communicate(timeout=_LONGEST_SECONDS)[0]
        except subprocess.TimeoutExpired:
            _kill_process(process)
            raise ConnectError(
                f"{self.title} did not end within {_LONGEST_SECONDS:.0f} s. Log in with it by hand first, because it "
                "cannot ask for anything, or give 'api_key'"
            ) from None
        except BaseException:
            _kill_process(process)
            raise

    def _status(self, printed: bytes) -> Section:
        try:
            answer = json.loads(printed)
        except (ValueError, RecursionError):
            answer = None
        found = Section(f"the output of {self.title}", answer if isinstance(answer, Mapping) else {}, Path())
        if found.values.get("kind") != "ExecCredential" or found.values.get("apiVersion") != self.version:
            raise ConnectError(f"{self.title} printed something that is not an ExecCredential of {self.version}")
        return found.part("status") or found

    def _due(self, expiry: str) -> float:
        """The time to renew, from RFC 3339, of which Python 3.10 reads only a part."""
        text = re.sub(r"\.\d+", "", expiry.replace("Z", "+00:00").replace("z", "+00:00"))
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            time = None
        if time is None or time.tzinfo is None:
            raise ConnectError(f"{self.title} printed an expirationTimestamp that is not a time")
        return time.timestamp() - _EARLIER_SECONDS


def _kill_process(process: subprocess.Popen[bytes]) -> None:
    """End the process and its child processes, which would keep its output open."""
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _variables(section: Section) -> dict[str, str]:
    given = section.values.get("env")
    if not isinstance(given, (list, type(None))):
        raise section.error("the 'env' of its login plugin is not a list")
    variables = {}
    for entry in given or ():
        if not isinstance(entry, Mapping) or not all(isinstance(entry.get(part), str) for part in ("name", "value")):
            raise section.error("an entry in the 'env' of its login plugin has no name or value")
        variables[entry["name"]] = entry["value"]
    return variables


def _exec_cluster(cluster: Section) -> dict[str, Any]:
    """The cluster as a plugin gets it (client-go tools/auth/exec/exec.go, ConfigToExecCluster)."""
    names = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")
    told = {name: cluster.values[name] for name in names if cluster.values.get(name)}
    authority = cluster.pem("certificate-authority")
    if authority is not None:
        told["certificate-authority-data"] = base64.b64encode(authority.content()).decode("ascii")
    for extension in cluster.values.get("extensions") or ():
        if isinstance(extension, Mapping) and extension.get("name") == _EXTENSION:
            told["config"] = extension.get("extension")
    return told
