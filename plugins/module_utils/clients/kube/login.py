# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options, and logins: their own server, how they are fetched and renewed, also by the `exec` of a kubeconfig's user.

Environment variables give a server and a login for it, as in AWX. A person who may set variables of such a job must not see that login.
So it is sent only to that server: another server, or a proxy that could read it, needs a login of the task itself. The same applies to a
kubeconfig that the task does not name. Logins are compared by value, regardless of how they came into the task's options.

The input and output of such programs: Kubernetes documentation, 'client-go credential plugins'. A task has no terminal, so they cannot ask
questions. Their output may be a credential, so none of it is shown.

The client library reads a token file once, runs a plugin once, and continues without a login if the plugin fails (kubernetes client
24.2 to 37, config/kube_config.py). This module fetches each login again when it is due, and when the API server refuses it.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...core.errors import OptionError
from ...core.files import describe_read_error
from ...core.redaction import secret_forms
from ..https.exchange import urllib3
from .errors import ConnectError, one_line
from .kubeconfig import Kubeconfig, Pem, Section

#: The options of each login, and the secret options among them.
_LOGINS = (
    (("api_key",), ("api_key",)),
    (("username", "password"), ("password",)),
    (("client_cert", "client_key"), ("client_cert", "client_key")),
)
_PATHS = ("client_cert", "client_key", "ca_cert")
_PROXY_LOGINS = ("proxy_basic_auth", "basic_auth")
_DEFAULT_PORTS = {"http": 80, "https": 443}

_OWN_LOGIN = "Give the task a login of its own, such as 'api_key'"


@dataclass(frozen=True, repr=False)
class ConnectionOptions:
    """The connection options, with their names. `kubeconfig` is a path (several joined by `:`) or the content as a mapping.

    `persist_config` has no effect. It is an option of kubernetes.core, with which one entry of `module_defaults` is shared.
    """

    kubeconfig: str | Mapping[str, Any] | None = None
    context: str | None = None
    host: str | None = None
    api_key: str | None = None
    username: str | None = None
    password: str | None = None
    validate_certs: bool | None = None
    ca_cert: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    proxy: str | None = None
    no_proxy: str | None = None
    proxy_headers: Mapping[str, Any] | None = None
    persist_config: bool | None = None
    impersonate_user: str | None = None
    impersonate_groups: tuple[str, ...] = ()

    @property
    def has_login(self) -> bool:
        return bool(self.api_key or self.username or self.client_cert)

    @property
    def names_kubeconfig(self) -> bool:
        """Whether a kubeconfig or context is given, including an empty kubeconfig."""
        return self.kubeconfig not in (None, "") or bool(self.context)


@dataclass(frozen=True)
class Route:
    """The route of the requests. `host` is their target, `server` the server that a kubeconfig names for its login.

    `proxy` is empty for no proxy. `environment_proxy` is the proxy that the environment names.
    """

    host: str
    server: str
    verify: bool
    proxy: str = ""
    environment_proxy: str = ""


def prefer_own_login(options: ConnectionOptions, environment: ConnectionOptions) -> ConnectionOptions:
    """Return the options without the logins of the environment, if the task gives one of its own."""
    given = [(names, secrets) for names, secrets in _LOGINS if any(getattr(options, name) for name in names)]
    theirs = [names for names, secrets in given if _is_of_environment(options, environment, secrets)]
    if not theirs or len(theirs) == len(given):
        return options
    dropped: dict[str, Any] = {name: None for names in theirs for name in names}
    return replace(options, **dropped)


def check_scope(options: ConnectionOptions, environment: ConnectionOptions, route: Route) -> None:
    """Refuse a route on which a login that the task does not give would reach a server or proxy that the task names.

    `options` are the result of `prefer_own_login`. `environment` are the options from environment variables only.

    :raises OptionError: with the fix.
    """
    variables = ", ".join(_login_variables(options, environment))
    if variables and (environment.host or environment.names_kubeconfig):
        _check_server_of_variables(options, environment, route, variables)
        _check_proxy(options, environment, route, f"the login of the environment ({variables})")
    elif not options.has_login and not _has_own_kubeconfig(options, environment):
        _check_server_of_kubeconfig(options, environment, route)
        _check_proxy(options, environment, route, "the login of a kubeconfig, or of a pod, that the task does not name")
    _check_proxy_login(options, environment, route)


def _login_variables(options: ConnectionOptions, environment: ConnectionOptions) -> list[str]:
    """Return the variables of the environment whose login the requests have."""
    return [
        f"K8S_AUTH_{name.upper()}"
        for _names, secrets in _LOGINS
        for name in secrets
        if _is_of_environment(options, environment, (name,))
    ]


def _is_of_environment(options: ConnectionOptions, environment: ConnectionOptions, names: tuple[str, ...]) -> bool:
    both = [(_value(name, getattr(options, name)), _value(name, getattr(environment, name))) for name in names]
    return any(given and given == theirs for given, theirs in both)


def _value(name: str, given: str | None) -> str:
    if not given:
        return ""
    return os.path.realpath(given) if name in _PATHS else given.strip()


def _has_another_kubeconfig(options: ConnectionOptions, environment: ConnectionOptions) -> bool:
    """Whether the task itself names a kubeconfig, and not just that of the environment."""
    if options.kubeconfig in (None, ""):
        return False
    return bool(_files(options.kubeconfig) != _files(environment.kubeconfig))


def _has_own_kubeconfig(options: ConnectionOptions, environment: ConnectionOptions) -> bool:
    """Whether the task names a kubeconfig, and no file of the environment is in it: the login could be the one in that file."""
    if isinstance(options.kubeconfig, str) and isinstance(environment.kubeconfig, str):
        return bool(_files(options.kubeconfig)) and _files(options.kubeconfig).isdisjoint(
            _files(environment.kubeconfig)
        )
    return _has_another_kubeconfig(options, environment)


def _files(kubeconfig: str | Mapping[str, Any] | None) -> Any:
    if not isinstance(kubeconfig, str):
        return kubeconfig
    # Unlike that of Path, it takes a home directory that does not exist.
    expanded = (os.path.expanduser(path) for path in kubeconfig.split(os.pathsep) if path)  # noqa: PTH111
    return {os.path.realpath(path) for path in expanded}


def _check_server_of_variables(
    options: ConnectionOptions, environment: ConnectionOptions, route: Route, variables: str
) -> None:
    if environment.host:
        if _address(route.host) != _address(environment.host):
            raise OptionError(
                f"the login of the environment ({variables}) belongs to the server in K8S_AUTH_HOST, and the task names another one, "
                f"{route.host}. Nothing was sent. {_OWN_LOGIN}, or remove 'host'"
            )
    elif options.host or _has_another_kubeconfig(options, environment):
        raise OptionError(
            f"the login of the environment ({variables}) belongs to the servers of the kubeconfig in the environment, and the task "
            f"names another one, {route.host}. Nothing was sent. {_OWN_LOGIN}, or remove 'host' and 'kubeconfig'"
        )


def _check_server_of_kubeconfig(options: ConnectionOptions, environment: ConnectionOptions, route: Route) -> None:
    allowed = {_address(route.server), *([_address(environment.host)] if environment.host else ())}
    if options.host and _address(route.host) not in allowed:
        raise OptionError(
            f"the login of the kubeconfig belongs to its own server, and 'host' names another one, {route.host}. Nothing was sent. "
            f"{_OWN_LOGIN}, name the file in 'kubeconfig', or remove 'host'"
        )


def _check_proxy(options: ConnectionOptions, environment: ConnectionOptions, route: Route, login: str) -> None:
    """A proxy cannot read TLS, unless it can impersonate the server."""
    if not options.proxy or options.proxy == environment.proxy:
        return
    own_authority = options.ca_cert and _value("ca_cert", options.ca_cert) != _value("ca_cert", environment.ca_cert)
    if route.verify and not own_authority and route.host.lower().startswith("https:"):
        return
    raise OptionError(
        f"{login} would pass the proxy in 'proxy' without a certificate authority of the "
        "environment or kubeconfig to verify the server, so the proxy could read it. Nothing was sent. Give the authority in the same "
        "place as the login, for example in the AWX credential or in K8S_AUTH_SSL_CA_CERT, and verify the certificate, or set the proxy in "
        f"K8S_AUTH_PROXY. Alternatively: {_OWN_LOGIN}"
    )


def _check_proxy_login(options: ConnectionOptions, environment: ConnectionOptions, route: Route) -> None:
    given, theirs = options.proxy_headers or {}, environment.proxy_headers or {}
    is_theirs = any(given.get(name) and given[name] == theirs.get(name) for name in _PROXY_LOGINS)
    if is_theirs and route.environment_proxy and route.proxy not in ("", route.environment_proxy):
        raise OptionError(
            "the login in K8S_AUTH_PROXY_HEADERS_* belongs to the proxy of the environment, and another proxy would get it. Nothing was "
            "sent. Give 'proxy_headers' for the proxy in 'proxy', or remove 'proxy'"
        )


def _address(url: str) -> tuple[str, str, int | None, str]:
    """Return the parts of a URL that identify the server, or the text of an invalid URL.

    The parser is the same as for the requests, because parsers differ, for example in https://one\\@another.
    """
    try:
        parts = urllib3.util.parse_url(url.strip())
    except urllib3.exceptions.HTTPError:
        return "", url, None, ""
    scheme, host = (parts.scheme or "").lower(), (parts.host or "").lower()
    return scheme, host, parts.port or _DEFAULT_PORTS.get(scheme), (parts.path or "").rstrip("/")


@dataclass(frozen=True, repr=False)
class Credential:
    """The value of the header `Authorization`, and the certificate and key from a login plugin, if any.

    `due`: the time at which it must be fetched again, in seconds since 1970. None if unknown.
    """

    authorization: str = ""
    certificate: Pem | None = None
    key: Pem | None = None
    due: float | None = None

    def is_other_than(self, other: Credential) -> bool:
        """Whether it differs from the other one, so that it is worth trying after the other one was refused."""
        return (self.authorization, self.certificate) != (other.authorization, other.certificate)


def bearer_header(token: str, origin: str) -> str:
    """Return the header for a token. `origin` names the source of the token in messages.

    :raises ConnectError: if the token cannot be in a header.
    """
    token = token.strip()
    if not token:
        raise ConnectError(f"{origin} is empty")
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ConnectError(f"{origin} is not a token: it contains a space, a line end or a character outside ASCII")
    return f"Bearer {token}"


@lru_cache(maxsize=4)
def forms_of(authorization: str) -> frozenset[str]:
    """Return the secrets in such a header, in all forms: the token, or the password and the login that contains it."""
    scheme, _space, value = authorization.partition(" ")
    secrets = {value}
    if scheme == "Basic":
        login = base64.b64decode(value).decode("utf-8", "replace")
        secrets |= {login, login.partition(":")[2]}
    return frozenset(form for secret in secrets if secret for form in secret_forms(secret))


def basic_header(username: str, password: str) -> str:
    """Return the header for a user and a password, in UTF-8 (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode("utf-8", "surrogatepass")).decode("ascii")


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


#: Seconds after which a token file is read again, as in client-go (transport/token_source.go). Nothing is fetched more often.
_PERIOD_SECONDS = 60.0

#: The commands that replace an `auth-provider` by an `exec` plugin, by its name. client-go removed these two in version 1.26.
_REPLACEMENTS = {
    "gcp": "install gke-gcloud-auth-plugin, and run 'gcloud container clusters get-credentials CLUSTER'",
    "azure": "install Azure's kubelogin, and run 'kubelogin convert-kubeconfig'",
}

Fetch = Callable[[], Credential]


class CredentialSource:
    """A credential that is fetched when it is first needed, when it is due, and after it was refused.

    One thread at a time fetches it, and the others wait for the result. Credentials are numbered from 1.
    """

    def __init__(self, fetch: Fetch, now: Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._credential = Credential()
        self._secrets: frozenset[str] = frozenset()
        self._number = 0
        self._refused = 0
        self._due = float("-inf")

    @property
    def secrets(self) -> frozenset[str]:
        """Return the secrets in all credentials that were fetched so far, in all forms."""
        return self._secrets

    def current(self) -> tuple[int, Credential]:
        """Return the number of the current credential, and the credential.

        :raises ConnectError: if there is none.
        """
        with self._lock:
            if self._number == 0:
                self._take()
            elif self._now() >= self._due:
                self._due = self._now() + _PERIOD_SECONDS
                # While the old one works, a failed renewal does no harm.
                with suppress(ConnectError):
                    self._take()
            return self._number, self._credential

    def renew(self, number: int) -> bool:
        """Fetch another credential than the refused one of that number, unless there already is one. Whether there is another one.

        :raises ConnectError: if it cannot be fetched.
        """
        with self._lock:
            if number == self._number != self._refused:
                self._take()
                self._refused = number
            return number != self._number

    def _take(self) -> None:
        credential = self._fetch()
        if self._number == 0 or credential.is_other_than(self._credential):
            self._number += 1
            self._credential = credential
            self._secrets |= forms_of(credential.authorization)
        self._due = float("inf") if credential.due is None else max(credential.due, self._now() + _PERIOD_SECONDS)


def static_login(authorization: str) -> Fetch:
    """Return a login that never changes. Empty for none."""
    credential = Credential(authorization)
    return lambda: credential


def from_token_file(path: str, origin: str) -> Fetch:
    """Return a token in a file that another process renews. `origin` names it in messages."""

    def fetch() -> Credential:
        try:
            token = Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ConnectError(f"{origin} {path} cannot be read: {describe_read_error(path, error)}") from None
        return Credential(bearer_header(token, f"{origin} {path}"), due=0.0)

    return fetch


def login_of_user(kubeconfig: Kubeconfig) -> Fetch:
    """Return the login of a kubeconfig's user, in addition to its certificate.

    :raises ConnectError: if the user has an incomplete login, or one that cannot be used here.
    """
    user = kubeconfig.user
    if path := user.file("tokenFile"):
        return from_token_file(path, f"'tokenFile' of {user.title}")
    if token := user.text("token"):
        return static_login(bearer_header(token, f"'token' of {user.title}"))
    if (plugin := user.part("exec")) is not None:
        return LoginPlugin.of(plugin, kubeconfig.cluster).fetch
    username, password = user.text("username"), user.text("password")
    if bool(username) != bool(password):
        raise user.error("it has only one of username and password")
    if username:
        return static_login(basic_header(username, password))
    if (provider := user.part("auth-provider")) is not None and user.pem("client-certificate") is None:
        name = one_line(provider.text("name"))
        command = _REPLACEMENTS.get(name, "write the kubeconfig again with the tool of your cloud or identity provider")
        raise user.error(
            f"it has only the 'auth-provider' {name!r}, which is not supported. Use an 'exec' plugin instead: {command}. Or give 'api_key'"
        )
    return static_login("")
