# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab for tests: its API server by plain HTTPS, its audit log, and its judgement of pulls."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3
import yaml

OURS = "openshift_ops.image_pull/"
WRITE_VERBS = {"create", "update", "patch", "delete", "deletecollection"}


@dataclass
class Lab:
    """A running lab. `data` is its lab.json."""

    binary: Path
    dir: Path
    data: dict[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.data = json.loads((self.dir / "lab.json").read_text())
        self._pool = _pool_for(self.dir, Path(self.data["kubeconfig"]), self.data["ca_cert"])

    @property
    def kubeconfig(self) -> str:
        return self.data["kubeconfig"]

    def registry(self, name: str) -> dict[str, Any]:
        return self.data["registries"][name]

    @property
    def registry_hosts(self) -> list[str]:
        """The hosts of all registries and token services. They are on loopback, where a task queries only hosts that it names."""
        every = self.data["registries"].values()
        names = ("host", "realm_host", "untrusted_host")
        return list(dict.fromkeys(host for one in every for name in names if (host := one.get(name))))

    @property
    def reached(self) -> dict[str, Any]:
        """The options with which a task reaches the registries."""
        return {"registry_ca_cert": self.data["ca_cert"], "realm_hosts": self.registry_hosts}

    @property
    def asking(self) -> dict[str, Any]:
        """The options with which a task asks the registries."""
        return {"ask_registries": True, **self.reached}

    def login(self, number: int, registry: str = "private") -> dict[str, str]:
        """User and password of an account. The second one's password contains characters that careless code mishandles."""
        account = self.registry(registry)["accounts"][number]
        return {"username": account["username"], "password": account["password"]}

    def registry_counts(self, name: str) -> dict[str, dict[str, Any]]:
        """The counts of a registry up to now, by account. Requests without a login belong to the account with an empty name."""
        done = self.run("registry", "--dir", str(self.dir), "--json", name)
        return json.loads(done.stdout)["accounts"]

    def sign(self, image: str, *flags: str, registry: str = "private") -> dict[str, str]:
        """Push an image and sign parts of it. The flags are those of `lab sign`. Return the digest of each part."""
        done = self.run("sign", "--dir", str(self.dir), "--registry", registry, image, *flags)
        return json.loads(done.stdout)

    def registry_set(self, name: str, *flags: str) -> None:
        """Change the behaviour of a registry, by flags of `lab registry`. `registry(name)` then contains new accounts."""
        done = self.run("registry", "--dir", str(self.dir), *flags, name, check=False)
        assert done.returncode == 0, done.stderr
        self.data = json.loads((self.dir / "lab.json").read_text())

    # --- the API server

    def api(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        expect: tuple[int, ...] = (200, 201, 202),
        user: str = "",
        content: str = "",
        agent: str = "tests",
    ) -> Any:
        """Send one request as the cluster's administrator, or as `user`. `content` replaces the method's usual content type."""
        headers = ({"Impersonate-User": user} if user else {}) | ({"Content-Type": content} if content else {})
        headers["User-Agent"] = agent
        response = self._send(method, path, body, headers)
        if response.status not in expect:
            raise AssertionError(f"{method} {path}: {response.status} {response.data[:500]!r}")
        return json.loads(response.data) if response.data else None

    def answer(self, method: str, path: str, body: Any, accept: str) -> tuple[int, Any]:
        """Send one request. Return the status and the JSON of any answer, None for a text."""
        response = self._send(method, path, body, {"Accept": accept} if accept else {})
        is_json = "json" in response.headers.get("Content-Type", "")
        return response.status, json.loads(response.data) if is_json else None

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        usual = "application/merge-patch+json" if method == "PATCH" else "application/json"
        return self._pool.request(
            method,
            self.data["server"] + path,
            body=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": usual, "User-Agent": "tests", **headers},
            retries=False,
        )

    @contextmanager
    def watch(self, path: str) -> Iterator[Iterator[dict[str, Any]]]:
        """The events of a watch, starting with the existing objects. It ends with the block, or after a minute."""
        separator = "&" if "?" in path else "?"
        response = self._pool.request(
            "GET",
            f"{self.data['server']}{path}{separator}watch=true&timeoutSeconds=60",
            headers={"User-Agent": "tests"},
            retries=False,
            preload_content=False,
        )
        assert response.status == 200, response.data
        try:
            yield (json.loads(line) for line in _lines(response.stream(65536)))
        finally:
            response.close()

    def get(self, namespace: str, resource: str, name: str) -> dict[str, Any] | None:
        found = self.api("GET", path_of(namespace, resource, name), expect=(200, 404))
        return None if found.get("kind") == "Status" else found

    def create(self, namespace: str, resource: str, body: dict[str, Any]) -> dict[str, Any]:
        return self.api("POST", path_of(namespace, resource), body)

    def namespace(self, name: str, *, wait: bool = True) -> str:
        """Create a namespace. Wait until its default account exists and has its generated secret, if the lab generates one."""
        self.api("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        if wait:
            self.until(lambda: self.provisioned(name), f"namespace {name} is provisioned")
        return name

    def provisioned(self, namespace: str, account: str = "default") -> bool:
        found = self.get(namespace, "serviceaccounts", account)
        if self.data["provisioner"] not in ("bound", "legacy"):
            return found is not None
        for name in pull_names(found or {}):
            secret = self.get(namespace, "secrets", name) or {}
            content = base64.b64decode((secret.get("data") or {}).get(".dockercfg", "")).decode()
            if "-dockercfg-" in name and content not in ("", "{}"):
                return True
        return False

    def account(self, namespace: str, name: str = "default") -> dict[str, Any]:
        found = self.get(namespace, "serviceaccounts", name)
        assert found is not None, f"{namespace}/{name} does not exist"
        return found

    def set_account(self, namespace: str, name: str = "default", **lists: list[str]) -> None:
        """Replace whole lists of names of an account like an administrator, but keep the platform's entry first."""

        def attempt() -> bool:
            account = self.account(namespace, name)
            platform = [n for n in pull_names(account) if "-dockercfg-" in n]
            for key, names in lists.items():
                account[key] = [{"name": n} for n in [*platform, *names]]
            answer = self.api("PUT", path_of(namespace, "serviceaccounts", name), account, expect=(200, 409))
            return answer.get("kind") == "ServiceAccount"

        self.until(attempt, "the account is written")

    def pod(self, namespace: str, name: str, image: str, account: str = "default") -> str:
        body = {
            "metadata": {"name": name},
            "spec": {"serviceAccountName": account, "containers": [{"name": "app", "image": image}]},
        }
        self.create(namespace, "pods", body)
        return name

    def entries(self, namespace: str, name: str) -> dict[str, Any]:
        """The `auths` entries of a stored pull secret."""
        secret = self.get(namespace, "secrets", name)
        assert secret is not None, f"secret {namespace}/{name} does not exist"
        ((_key, value),) = secret["data"].items()
        content = json.loads(base64.b64decode(value).decode("utf-8", "surrogateescape"))
        return content.get("auths", content)

    def integrated_login(self, namespace: str, account: str = "default") -> tuple[str, str]:
        """User and password of a service account for the integrated registry, from its generated secret."""
        (name,) = [name for name in pull_names(self.account(namespace, account)) if "-dockercfg-" in name]
        entry = self.entries(namespace, name)[self.registry("integrated")["host"]]
        user, _colon, password = base64.b64decode(entry["auth"]).decode().partition(":")
        return user, password

    def until(self, condition: Callable[[], bool], what: str, timeout: float = 20.0) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
            time.sleep(0.02)

    def server_side(self) -> ssl.SSLContext:
        """The TLS context of a server that shows the certificate of the lab's API server."""
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.dir / "pki" / "server.crt", self.dir / "pki" / "server.key")
        return tls

    # --- the judges

    def pull(self, namespace: str, pod: str, *flags: str) -> dict[str, Any]:
        """The lab's answer for a node that pulls for the pod: `pulled` and, for each image, the attempts."""
        done = self.run("pull", "--dir", str(self.dir), "--json", *flags, namespace, pod, check=False)
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout)

    def pull_all(self, pods: Iterable[tuple[str, str]], *flags: str) -> list[dict[str, Any]]:
        """The answers for many pods (namespace, name), in their order, from one process."""
        lines = "".join(json.dumps({"namespace": namespace, "pod": pod}) + "\n" for namespace, pod in pods)
        done = self.run("pull", "--dir", str(self.dir), "--stdin", *flags, check=False, stdin=lines, timeout=3600)
        assert done.returncode in (0, 1), done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    @contextmanager
    def ready_node(self, name: str = "ready") -> Iterator[None]:
        """A node that is ready until the end of the block. A node that follows is not an object."""
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        self.api("POST", "/api/v1/nodes", {"metadata": {"name": name}, "status": status})
        try:
            yield
        finally:
            self.api("DELETE", f"/api/v1/nodes/{name}")

    @contextmanager
    def following(self, *flags: str) -> Iterator[Following]:
        """A node that pulls for each new pod until the end of the block. Its flags are the flags of `lab pull --follow`."""
        with tempfile.TemporaryDirectory() as made:
            lines, messages = Path(made) / "lines", Path(made) / "messages"
            with lines.open("wb") as output, messages.open("wb") as errors:
                process = subprocess.Popen(
                    [self.binary, "pull", "--follow", "--dir", str(self.dir), *flags],
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=errors,
                )
            found = Following(process, lines, messages)
            try:
                self.until(found.began, "the node follows")
                yield found
            finally:
                found.end()

    def run(
        self, *arguments: str, check: bool = True, stdin: str = "", timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        command = [self.binary, *arguments]
        return subprocess.run(command, check=check, capture_output=True, text=True, timeout=timeout, input=stdin)

    def audit(self) -> Audit:
        """Remember the current end of the audit log."""
        log = Path(self.data["audit_log"])
        return Audit(log, log.stat().st_size)

    @contextmanager
    def terminating(self, namespace: str) -> Iterator[None]:
        """In the block, the namespace is being deleted."""
        self.create(namespace, "configmaps", {"metadata": {"name": "hold", "finalizers": ["example.com/hold"]}})
        self.api("DELETE", f"/api/v1/namespaces/{namespace}")
        try:
            yield
        finally:
            self.api("PATCH", path_of(namespace, "configmaps", "hold"), {"metadata": {"finalizers": None}})

    @contextmanager
    def no_writes(self) -> Iterator[None]:
        """Our client must write nothing in the block."""
        audit = self.audit()
        yield
        assert audit.writes() == []

    @contextmanager
    def no_requests(self) -> Iterator[None]:
        """Our client must send nothing to the API server in the block."""
        audit = self.audit()
        yield
        assert audit.ours() == []


@dataclass
class Following:
    """The process of a node that follows, and its output up to now or to its end."""

    process: subprocess.Popen[bytes]
    lines: Path
    messages: Path
    _kept: bytes | None = None
    _counted: tuple[int, int] = (0, 0)  # bytes, and lines in these bytes

    def began(self) -> bool:
        """Whether it has read the existing pods."""
        assert self.process.poll() is None, self.messages.read_text()
        return "following\n" in self.messages.read_text()

    def ended(self) -> int:
        """The number of finished attempts."""
        with self.lines.open("rb") as file:
            file.seek(self._counted[0])
            new = file.read()
        self._counted = (self._counted[0] + len(new), self._counted[1] + new.count(b"\n"))
        return self._counted[1]

    def attempts(self) -> list[dict[str, Any]]:
        """All attempts to pull for a pod, in the order of their ends."""
        content = self.lines.read_bytes() if self._kept is None else self._kept
        *lines, _under_way = content.split(b"\n")
        return [json.loads(line) for line in lines]

    def of(self, namespace: str, pod: str) -> list[dict[str, Any]]:
        """The attempts for one pod."""
        return [one for one in self.attempts() if (one["namespace"], one["pod"]) == (namespace, pod)]

    def end(self) -> None:
        """End the process after the running attempts have ended. The attempts stay available."""
        if self._kept is not None:
            return
        try:
            self.process.terminate()
            self.process.wait(timeout=30)
        finally:
            self.process.kill()
            self.process.wait()
            if self.process.stdin:
                self.process.stdin.close()
            self._kept = self.lines.read_bytes()
        assert self.process.returncode == 0, (self.process.returncode, self.messages.read_text())


@dataclass
class Audit:
    """The API server's audit log, starting at one moment."""

    log: Path
    offset: int

    def requests(self) -> Iterator[dict[str, Any]]:
        with self.log.open("rb") as file:
            file.seek(max(self.offset - 1, 0))
            # Read everything at once: the last line may be incomplete, and a second read would continue it. The lines of our requests
            # are written before we get the answer.
            *lines, _under_way = file.read().split(b"\n")
        # The first line may be the rest of another client's line that was incomplete at the start.
        for line in lines[1 if self.offset else 0 :]:
            yield json.loads(line)

    def ours(self) -> list[dict[str, Any]]:
        """The requests of our client."""
        return [event for event in self.requests() if event.get("userAgent", "").startswith(OURS)]

    def verbs(self) -> list[str]:
        return [event["verb"] for event in self.ours()]

    def writes(self) -> list[tuple[str, str, str, str]]:
        """Our write requests: verb, resource, namespace, name."""
        return [
            (
                event["verb"],
                event["objectRef"]["resource"],
                event["objectRef"].get("namespace", ""),
                event["objectRef"].get("name", ""),
            )
            for event in self.ours()
            if event["verb"] in WRITE_VERBS
        ]


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The lines of a stream, independent of its pieces."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


def path_of(namespace: str, resource: str, name: str = "") -> str:
    root = "/apis/rbac.authorization.k8s.io/v1" if resource in ("rolebindings", "roles") else "/api/v1"
    return f"{root}/namespaces/{namespace}/{resource}" + (f"/{name}" if name else "")


def pull_names(account: dict[str, Any]) -> list[str]:
    return [entry.get("name", "") for entry in account.get("imagePullSecrets") or []]


def mount_names(account: dict[str, Any]) -> list[str]:
    return [entry.get("name", "") for entry in account.get("secrets") or []]


def _pool_for(directory: Path, kubeconfig: Path, ca_cert: str) -> urllib3.PoolManager:
    """A pool that logs in with the kubeconfig's client certificate."""
    user = yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]
    pem = directory / "tests-client.pem"
    pem.touch(mode=0o600)
    pem.write_bytes(
        base64.b64decode(user["client-certificate-data"]) + b"\n" + base64.b64decode(user["client-key-data"])
    )
    return urllib3.PoolManager(ca_certs=ca_cert, cert_file=str(pem), maxsize=16)
