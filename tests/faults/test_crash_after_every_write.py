# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that ends directly after any of its writes loses nothing of others and no working login, and the next run finishes it.

Each write is the last one of a run that is killed, and of one whose answer is lost. The end must equal that of an undisturbed run.
`make test` kills at the first write, the middle one and the last one, and loses one answer.
"""

from __future__ import annotations

import base64
import functools
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import INSTANCE, MANAGED_BY
from support.crashes import FAULTS, Fault, Site, run
from support.fleet import RBAC, make_namespaces
from support.lab import Lab, mount_names, path_of, pull_names
from support.modules import run_module
from support.objects import auth_file, b64, pull_secret

MOST_WRITES = 200
QUAY = {"registry": "quay.example.com", "username": "robot", "password": "Secret-1"}
#: An entry as no tool of ours writes it.
THEIRS = {"theirs.example.com": {"auth": b64("alice:Secret-2"), "unknown": 1}}
SUBJECTS = [
    {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "somebody"},
    {"kind": "ServiceAccount", "name": "robot", "namespace": "elsewhere"},
]
#: The secrets of others that no run may write. A secret without a name is an entry of a list.
_FOREIGN = ("", "theirs", "opaque", "kept", "planted")
#: A secret of ours with a name like those that the platform generates.
LIKE_A_TOKEN = "default-token-bcdfg"
#: A user name that begins as the header of a template. It has no colon, which ends a user name.
TEMPLATE = "#jinja2"
#: This file is the password file of the runs.
VAULT = VaultLib([("default", VaultSecret(Path(__file__).read_bytes().strip()))])
_numbers = itertools.count()


class Case:
    """Namespaces in the state before a run, with objects of others, and the work of the run.

    `at` and `fault`: where the run ends. `files`: whether it writes files, and no objects. `is_together`: whether one play runs many cases.
    """

    work: ClassVar[str]
    arguments: ClassVar[tuple[str, ...]] = ()
    faults: ClassVar[tuple[Fault, ...]] = FAULTS
    is_together: ClassVar[bool] = False
    is_repeatable: ClassVar[bool] = True
    has_files: ClassVar[bool] = False
    lab_arguments: ClassVar[tuple[str, ...]] = ()
    #: Whether a secret is unlinked before it is deleted.
    unlinks_first: ClassVar[bool] = True

    def __init__(self, lab: Lab, folder: Path, at: int = 0, fault: Fault = "") -> None:
        self.lab, self.at, self.fault = lab, at, fault
        self.name = f"crash-{next(_numbers)}"
        self.folder = folder / self.name
        self.folder.mkdir()
        self.names = make_namespaces(lab, [f"{self.name}-{number}" for number in range(2)])
        self.one, self.two = self.names
        registry = lab.registry("private")
        self.host, self.accounts = registry["host"], registry["accounts"]
        self.old, self.new = (
            {"username": each["username"], "password": each["password"]} for each in self.accounts[:2]
        )
        for namespace in self.names:
            self.secret(namespace, "theirs", {**self.login(self.old, "/theirs"), **THEIRS}, owner="others")
            lab.create(namespace, "secrets", {"metadata": {"name": "opaque"}, "data": {"key": b64("\x00value")}})
            role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:image-puller"}
            body = {"metadata": {"name": "handmade"}, "roleRef": role, "subjects": SUBJECTS}
            lab.create(namespace, "rolebindings", body)
        self.set_up()
        for namespace in self.names:
            account = lab.account(namespace)
            # An entry that names no secret.
            lists = {key: [*account[key], {}] for key in ("imagePullSecrets", "secrets")}
            lab.api("PATCH", path_of(namespace, "serviceaccounts", "default"), lists)
        self.foreign = self.read_foreign()
        self.worked = {login for login in self.working() if not self.is_revoked(*login)}

    def is_revoked(self, _namespace: str, _registry: str) -> bool:
        """Return whether the run takes a working login away."""
        return False

    def set_up(self) -> None:
        """Create the objects of the case."""

    def given(self) -> dict[str, Any]:
        """Return the variables or options of the run."""
        raise NotImplementedError

    def site(self, *, plain: bool = False) -> Site:
        directory = self.folder / "files" if self.has_files else None
        return Site(self.name, self.given(), *((0, "") if plain else (self.at, self.fault)), directory)

    def beside(self) -> AbstractContextManager[Any]:
        """Return the work of a node during the run."""
        return nullcontext()

    # --- objects

    def secret(
        self, namespace: str, name: str, auths: dict[str, Any] | bytes, *, owner: str = "", **parts: Any
    ) -> None:
        """Create a secret with these entries or this content and the labels of its owner, and link it."""
        labels = {**MANAGED_BY, INSTANCE: owner} if owner else {}
        given = {**parts, "metadata": {"labels": labels, **parts.get("metadata", {})}}
        content = auths if isinstance(auths, bytes) else json.dumps({"auths": auths}, indent=3)
        self.lab.create(namespace, "secrets", pull_secret(name, content, **given))
        account = self.lab.account(namespace)
        self.lab.set_account(
            namespace,
            imagePullSecrets=[*(each for each in pull_names(account) if "-dockercfg-" not in each), name],
            secrets=[*(each for each in mount_names(account) if "-dockercfg-" not in each), name],
        )

    def login(self, login: dict[str, str], path: str = "") -> dict[str, Any]:
        found: dict[str, Any] = auth_file({f"{self.host}{path}": (login["username"], login["password"])})["auths"]
        return found

    def module(self, module: str, /, **options: Any) -> None:
        result = run_module(module, kubeconfig=self.lab.kubeconfig, **options)
        assert not result["failed"], result["msg"]

    def listed(self, resource: str) -> list[dict[str, Any]]:
        return [item for name in self.names for item in self.lab.api("GET", path_of(name, resource))["items"]]

    # --- what must hold at every moment

    def read_foreign(self) -> dict[str, Any]:
        """Return everything of others, with the versions of objects that nobody may write."""
        secrets = [each for each in self.listed("secrets") if each["metadata"]["name"] in _FOREIGN]
        accounts = [self.lab.account(name) for name in self.names]
        bindings = [each for each in self.listed("rolebindings") if each["metadata"]["name"] == "handmade"]
        return {
            "secrets": secrets,
            "links": [
                [name for name in names(account) if "-dockercfg-" in name or name in _FOREIGN]
                for account in accounts
                for names in (pull_names, mount_names)
            ],
            "subjects": [binding["subjects"][:2] for binding in bindings],
        }

    def working(self) -> set[tuple[str, str]]:
        """Return the namespaces and registries whose linked secrets hold a login that the lab's registry accepts."""
        good = {b64(f"{each['username']}:{each['password']}") for each in self.accounts}
        found = set()
        for namespace in self.names:
            for name in pull_names(self.lab.account(namespace)):
                if name and self.lab.get(namespace, "secrets", name):
                    entries = self.lab.entries(namespace, name)
                    found |= {(namespace, key) for key, entry in entries.items() if entry.get("auth") in good}
        return found

    def check(self) -> None:
        assert self.read_foreign() == self.foreign
        assert self.worked <= self.working()
        if not self.unlinks_first:
            return
        there = {(each["metadata"]["namespace"], each["metadata"]["name"]) for each in self.listed("secrets")}
        linked = {
            (name, link)
            for name in self.names
            for account in (self.lab.account(name),)
            for link in (*pull_names(account), *mount_names(account))
        }
        assert {link for link in linked if link[1]} <= there, "a link to a missing secret"

    def check_end(self) -> None:
        """Check what must hold after a whole run."""

    def state(self) -> str:
        """Return all objects of the case in a form in which those of two cases are equal."""
        found: list[Any] = []
        for resource in ("secrets", "serviceaccounts", "rolebindings", "pods"):
            for each in self.listed(resource):
                meta = each["metadata"]
                if "-dockercfg-" not in meta["name"] and each.get("type") != "kubernetes.io/service-account-token":
                    kept = {name: value for name, value in each.items() if name not in ("metadata", "status")}
                    found.append([meta["namespace"], meta["name"], meta.get("labels"), kept])
        for kind in ("clusterroles", "clusterrolebindings"):
            items = self.lab.api("GET", f"{RBAC}/{kind}")["items"]
            found += [[kind, each["metadata"]["name"], each.get("rules")] for each in items if self.is_mine(each)]
        text = json.dumps(found, sort_keys=True, indent=1)
        return re.sub(r"-dockercfg-\w+", "-dockercfg", re.sub(rf"{self.name}\b", "CASE", text))

    def is_mine(self, obj: dict[str, Any]) -> bool:
        return bool(re.search(rf"{self.name}\b", obj["metadata"]["name"]))


class Apply(Case):
    """site creates, changes and merges secrets, links and grants, and prunes."""

    work = "playbook site"
    is_together = True

    def set_up(self) -> None:
        for namespace in self.names:
            # The run moves one login to another secret.
            moved = self.login(self.old, "/moved") if type(self) is Apply else {}
            self.secret(namespace, "pull", {**self.login(self.old), **moved}, owner=self.name)
            self.secret(namespace, "gone", {"gone.example.com": {}}, owner=self.name)
        # Go accepts a byte that is not UTF-8.
        self.secret(self.one, "shared", json.dumps({"auths": THEIRS}).replace("unknown", "caf\xe9").encode("latin-1"))
        self.secret(self.one, "kept", THEIRS)

    def declared(self) -> dict[str, list[dict[str, Any]]]:
        login, grant = {"registry": self.host, **self.new}, {"service_accounts": [{"namespace": self.one}]}
        moved = {**login, "registry": f"{self.host}/moved"}
        return {
            "secrets": [
                {"name": "pull", "namespaces": self.names, "registries": [login]},
                {"name": "more", "namespaces": self.names, "registries": [QUAY, moved]},
                {"name": "shared", "namespaces": [self.one], "registries": [QUAY], "mode": "merge"},
                {"name": "kept", "namespaces": [self.one], "registries": [QUAY], "update_existing": False},
                {"name": "merged", "namespaces": [self.two], "registries": [QUAY], "mode": "merge"},
                {"name": LIKE_A_TOKEN, "namespaces": [self.two], "registries": [QUAY]},
            ],
            "grants": [
                {"namespaces": [self.one], "projects": [self.two], "binding_name": "handmade"},
                {"namespaces": [self.two], **grant},
            ],
        }

    def given(self) -> dict[str, Any]:
        delegated = {**QUAY, "registry": "r.example.com", "realm_host": "sso.example.com", "namespaces": [self.two]}
        secrets = [
            {**each, "link_for": ["pull", "mount"]} if each["name"] == LIKE_A_TOKEN else each
            for each in self.declared()["secrets"]
        ]
        return {
            "image_pull_owner": self.name,
            "image_pull_prune": True,
            "image_pull_max_prune": "100%",
            "private_registry_secrets": secrets,
            "cross_project_pull_grants": self.declared()["grants"],
            "delegated_auth_registries": [delegated],
        }

    def check(self) -> None:
        super().check()
        entry = self.lab.entries(self.one, "shared")["theirs.example.com"]
        assert entry == {"auth": THEIRS["theirs.example.com"]["auth"], "caf\udce9": 1}


class Remove(Apply):
    """teardown removes all of it again. Only a deletion shows whose secret it was, so it deletes before it unlinks."""

    work = "playbook teardown"
    unlinks_first = False
    has_owner: ClassVar[bool] = True

    def is_revoked(self, _namespace: str, registry: str) -> bool:
        return registry in (self.host, f"{self.host}/moved")

    def check_end(self) -> None:
        owned = [each for kind in ("secrets", "rolebindings") for each in self.listed(kind) if self.is_owned(each)]
        accounts = [self.lab.account(namespace) for namespace in self.names]
        linked = {name for account in accounts for name in (*pull_names(account), *mount_names(account))}
        assert (owned, linked & {"pull", "more", "gone", "merged", LIKE_A_TOKEN}) == ([], set())

    def is_owned(self, obj: dict[str, Any]) -> bool:
        return bool((obj["metadata"].get("labels") or {}).get(INSTANCE) == self.name)

    def set_up(self) -> None:
        super().set_up()
        declared = self.declared()
        owner = {"owner": self.name} if self.has_owner else {}
        for namespace in self.names if not owner else ():
            self.lab.api("PATCH", path_of(namespace, "secrets", "pull"), {"metadata": {"labels": {INSTANCE: None}}})
        self.module("pull_secret", **owner, secrets=declared["secrets"])
        links = [
            {"secrets": ["more"], "namespaces": self.names},
            {"secrets": ["merged", LIKE_A_TOKEN], "namespaces": [self.two], "link_for": ["pull", "mount"]},
        ]
        self.module("sa_link", **owner, links=links)
        self.module("image_puller_grant", **owner, grants=declared["grants"])


class RemoveDeclared(Remove):
    """teardown without an owner, and so without a prune."""

    has_owner = False

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in super().given().items() if not name.startswith("image_pull_")}

    def check_end(self) -> None:
        names = {"pull", "more", "merged", LIKE_A_TOKEN}
        there = {each["metadata"]["name"] for each in self.listed("secrets")}
        accounts = [self.lab.account(namespace) for namespace in self.names]
        linked = {name for account in accounts for name in (*pull_names(account), *mount_names(account))}
        assert (there & names, linked & names) == (set(), set())


class Prune(Remove):
    """pull_access_prune removes everything but one secret."""

    work = "module pull_access_prune"
    is_together = False
    unlinks_first = True

    def is_revoked(self, namespace: str, registry: str) -> bool:
        return registry != f"{self.host}/theirs" and (registry != self.host or namespace != self.one)

    def given(self) -> dict[str, Any]:
        kept = {**self.declared()["secrets"][0], "namespaces": [self.one]}
        lists = {"secrets": [kept], "grants": [], "links": [{"secrets": ["pull"], "namespaces": [self.one]}]}
        return {"owner": self.name, "max_prune": "100%", **lists}

    def check_end(self) -> None:
        assert [each["metadata"]["name"] for each in self.listed("secrets") if self.is_owned(each)] == ["pull"]


class Rotation(Case):
    """credential_rotation changes a login in secrets that also hold others. Beside an immutable one, it creates and links another."""

    work = "module credential_rotation"
    SECRETS = ("first", "fixed", "also-fixed")

    def set_up(self) -> None:
        for namespace, name in itertools.product(self.names, self.SECRETS):
            self.secret(namespace, name, {**self.login(self.old), **THEIRS}, owner="others", immutable="fixed" in name)
        # The old login in a secret that nobody declared, and in one that was created again since it was confirmed.
        for namespace in self.names:
            self.secret(namespace, "planted", self.login(self.old))

    def given(self) -> dict[str, Any]:
        return {
            "registries": [self.host],
            "old": self.old,
            "new": self.new,
            "verify": False,
            "namespaces": self.names,
            "secrets": [
                *({"name": name, "namespaces": self.names} for name in self.SECRETS),
                {"name": "planted", "namespace": self.two, "uid": "5a5cbb36-0d1c-4b7e-9f0b-6f2b2d1f0d55"},
            ],
        }

    def check(self) -> None:
        super().check()
        for namespace, name in itertools.product(self.names, self.SECRETS):
            assert self.lab.entries(namespace, name).items() >= THEIRS.items()

    def check_end(self) -> None:
        second = [each["metadata"] for each in self.listed("secrets") if each["metadata"]["name"].endswith("-rotated")]
        assert [INSTANCE in each["labels"] for each in second] == [False] * 4


class Replacement(Case):
    """pull_secret replaces an immutable secret and one of a wrong type, each with an entry of others.

    Between the deletion and the creation, a copy has everything, and the next run restores it. The guide many_teams.rst says so.
    """

    work = "module pull_secret"

    def check(self) -> None:
        for namespace in self.names:
            found = self.lab.get(namespace, "secrets", "pull") or self.lab.get(namespace, "secrets", "pull.replaced")
            assert found
            entries = json.loads(base64.b64decode(found["data"][".dockerconfigjson"]))["auths"]
            assert entries.items() >= THEIRS.items()
        if all(self.lab.get(namespace, "secrets", "pull") for namespace in self.names):
            super().check()

    def set_up(self) -> None:
        own = {"metadata": {"labels": {"theirs": "kept"}}}
        self.secret(self.one, "pull", {**self.login(self.old), **THEIRS}, immutable=True, **own)
        self.secret(self.two, "pull", {**self.login(self.old), **THEIRS}, kind="Opaque", **own)

    def given(self) -> dict[str, Any]:
        login = {"registry": self.host, **self.new}
        return {
            "name": "pull",
            "namespaces": self.names,
            "registries": [login],
            "mode": "merge",
            "recreate": True,
            "concurrency": 1,
        }

    def check_end(self) -> None:
        for namespace in self.names:
            entries = self.lab.entries(namespace, "pull")
            assert entries.items() >= THEIRS.items()
            assert entries[self.host]["auth"] == self.login(self.new)[self.host]["auth"]


class Account(Case):
    """automation_account changes the rights of an account: some are new, some go."""

    work = "module automation_account"

    def set_up(self) -> None:
        self.module("automation_account", **{**self.given(), "jobs": ["secrets", "wait"]})

    def given(self) -> dict[str, Any]:
        return {"namespace": self.one, "name": self.name, "jobs": ["links", "grants"], "namespaces": self.names}


class Imports(Case):
    """image_stream_import repeats failed imports after the login was corrected."""

    work = "module image_stream_import"
    STREAMS = "/apis/image.openshift.io/v1/namespaces/{}/{}"

    def set_up(self) -> None:
        image = self.lab.registry("private")["image"]
        for namespace, name in itertools.product(self.names, ("app", "web")):
            source = {"from": {"kind": "DockerImage", "name": image}}
            body = {"metadata": {"name": name}, "apiVersion": "image.openshift.io/v1"}
            tags = {"tags": [{"name": "v1", **source}]}
            self.lab.api(
                "POST", self.STREAMS.format(namespace, "imagestreams"), {**body, "kind": "ImageStream", "spec": tags}
            )
            images = {"import": True, "images": [{**source, "to": {"name": "v1"}}]}
            path = self.STREAMS.format(namespace, "imagestreamimports")
            self.lab.api("POST", path, {**body, "kind": "ImageStreamImport", "spec": images})
        for namespace in self.names:
            self.secret(namespace, "pull", self.login(self.new))

    def given(self) -> dict[str, Any]:
        return {"namespaces": self.names, "registries": [self.host]}

    def state(self) -> str:
        paths = [self.STREAMS.format(name, "imagestreams") for name in self.names]
        tags = [each["status"]["tags"] for path in paths for each in self.lab.api("GET", path)["items"]]
        found = [(each["tag"], each["items"][0]["image"], "conditions" in each) for each in itertools.chain(*tags)]
        return f"{super().state()} {found}"


class Probe(Case):
    """pull_probe makes pods and deletes them. A killed run leaves pods that end on their own and that the next run deletes."""

    work = "module pull_probe"
    is_repeatable = False

    def set_up(self) -> None:
        for namespace in self.names:
            self.secret(namespace, "pull", self.login(self.new))

    def given(self) -> dict[str, Any]:
        return {"namespaces": self.names, "images": [self.lab.registry("private")["image"]], "timeout": 60}

    def beside(self) -> Any:
        return self.lab.following("--node", "node-1", "--recheck", "--status", *self.names)

    def check(self) -> None:
        super().check()
        for pod in self.listed("pods"):
            assert pod["metadata"]["labels"].items() >= MANAGED_BY.items()
            assert pod["spec"]["activeDeadlineSeconds"] < 600


class Export(Case):
    """export writes two files for each cluster."""

    work = "playbook export"
    arguments = ("--vault-password-file", __file__)
    faults = ("killed",)
    is_together = True
    is_repeatable = False
    has_files = True
    NAMES: ClassVar = {"image_pull.yml", "image_pull_vault.yml"}

    def set_up(self) -> None:
        self.secret(self.one, "pull", self.login(self.new))
        self.secret(self.two, "template", auth_file({"quay.example.com": (TEMPLATE, "Secret-1")})["auths"])

    def check_end(self) -> None:
        text = next(text for path, text in self.written.items() if path.name == "image_pull.yml")
        assert f'!unsafe "{TEMPLATE}"' in text

    def given(self) -> dict[str, Any]:
        is_complete = {path.name for path in self.written} >= self.NAMES
        return {
            "image_pull_export_namespaces": self.names,
            "image_pull_export_dest": str(self.folder / "files"),
            # Complete files are not replaced without it.
            "image_pull_export_force": is_complete,
        }

    @property
    def written(self) -> dict[Path, str]:
        """Return the files with their clear text."""
        paths = sorted(path for path in (self.folder / "files").rglob("*") if path.is_file())
        texts = {path: path.read_bytes() for path in paths}
        return {
            path: (VAULT.decrypt(text) if VAULT.is_encrypted(text) else text).decode() for path, text in texts.items()
        }

    def check(self) -> None:
        super().check()
        for path, text in self.written.items():
            assert {path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777} == {0o600, 0o700}
            # Ansible would read any other name as variables of the host.
            assert path.name.startswith(".") or (path.name in self.NAMES and yaml.compose(text))

    def state(self) -> str:
        # The comments have the address of the proxy.
        found = {path.name: re.sub(r"(?m)^#.*\n", "", text) for path, text in self.written.items()}
        return super().state() + re.sub(rf"{self.name}\b", "CASE", json.dumps(found, indent=1))


class NodesSecret(Case):
    """global_pull_secret changes the secret of the nodes, after it has kept an encrypted copy."""

    work = "playbook global_pull_secret"
    arguments = ("--vault-password-file", __file__)
    lab_arguments = ("--platform", "standalone")
    PATH: ClassVar = path_of("openshift-config", "secrets", "pull-secret")
    before: ClassVar[dict[str, Any]] = {}

    def set_up(self) -> None:
        type(self).before = self.before or self.lab.api("GET", self.PATH)["data"]
        self.lab.api("PATCH", self.PATH, {"data": self.before})

    def given(self) -> dict[str, Any]:
        backup = str(self.folder / "files")
        return {
            "global_pull_secret_registries": [QUAY],
            "global_pull_secret_wait": False,
            "global_pull_secret_backup": backup,
        }

    def entries(self) -> dict[str, Any]:
        return self.lab.entries("openshift-config", "pull-secret")

    def check(self) -> None:
        super().check()
        old = json.loads(base64.b64decode(self.before[".dockerconfigjson"]))["auths"]
        assert self.entries().items() >= old.items()
        kept = [path for path in (self.folder / "files").glob("*") if not path.name.startswith(".")]
        assert kept or self.entries() == old, "a change without a copy"
        for path in kept:
            assert path.stat().st_mode & 0o077 == 0
            copy = yaml.safe_load(VAULT.decrypt(path.read_bytes()))["global_pull_secret_backup"]
            assert copy["content"] == self.before[".dockerconfigjson"]

    def check_end(self) -> None:
        assert QUAY["registry"] in self.entries()
        assert [path.name for path in (self.folder / "files").iterdir() if path.name.startswith(".")] == []

    def state(self) -> str:
        return f"{super().state()} {sorted(self.entries().items(), key=str)}"


class NodesCopy(NodesSecret):
    """The same, killed at each operation on the file of the copy."""

    faults = ("killed",)
    has_files = True


SLOW = [pytest.param(kind, marks=pytest.mark.slow) for kind in (RemoveDeclared, NodesSecret, NodesCopy)]
CASES = [Apply, Remove, Prune, Rotation, Replacement, Account, Imports, Probe, Export, *SLOW]


@pytest.fixture(scope="module")
def started(lab_factory: Callable[..., Lab]) -> Callable[..., Lab]:
    """Return the lab with these arguments."""
    return functools.cache(lab_factory)


class Runs:
    """The runs of one kind of case on a lab."""

    def __init__(self, kind: type[Case], lab: Lab, folder: Path) -> None:
        self.kind, self.lab, self.folder = kind, lab, folder
        self._folders = (folder / f"run-{number}" for number in itertools.count())
        self.undisturbed = self.make()
        self.writes = self.go([self.undisturbed])[self.undisturbed.name]
        assert 0 < len(self.writes) <= MOST_WRITES
        self.undisturbed.check()
        self.undisturbed.check_end()
        self.wanted = self.undisturbed.state()

    def numbers(self, fault: Fault, *, every: bool) -> list[int]:
        """Return the numbers of the writes after which a run ends: all, or the first, the middle and the last one."""
        last = len(self.writes)
        middle = (last + 1) // 2
        sample = {1, middle, last} if fault == "killed" else {middle}
        chosen = range(1, last + 1) if every else sorted(sample)
        return list(chosen)

    def make(self, at: int = 0, fault: Fault = "") -> Case:
        return self.kind(self.lab, self.folder, at, fault)

    def go(self, cases: list[Case], *, fault: Fault = "") -> Mapping[str, Sequence[str]]:
        """Run once. Without a kill, it must succeed. Return the writes of each case."""
        with ExitStack() as stack:
            for case in cases:
                stack.enter_context(case.beside())
            sites = [case.site(plain=not fault) for case in cases]
            ran = run(self.lab, next(self._folders), self.kind.work, sites, self.kind.arguments)
        assert fault == "killed" or ran.status == 0, ran.output
        return ran.writes

    def end(self, cases: list[Case], fault: Fault) -> None:
        """End a run of these cases at their writes. Check it, the run that finishes it, and one more."""
        writes = self.go(cases, fault=fault)
        for case in cases:
            assert fault != "killed" or len(writes[case.name]) == case.at
            case.check()
        self.go(cases)
        for case in cases:
            case.check()
            case.check_end()
            assert case.state() == self.wanted, f"{fault} at write {case.at} of {self.writes}"
        if self.kind.is_repeatable:
            assert [*self.go(cases).values()] == [[]] * len(cases)


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["sample", "every write"])
@pytest.mark.parametrize("kind", CASES)
def test_the_next_run_finishes_one_that_ended_after_any_write(started, tmp_path, kind: type[Case], every: bool) -> None:
    runs = Runs(kind, started(*kind.lab_arguments), tmp_path)
    for fault in kind.faults:
        numbers = runs.numbers(fault, every=every)
        # A case begins with the state of its set-up.
        for group in [numbers] if kind.is_together else [[at] for at in numbers]:
            runs.end([runs.make(at, fault) for at in group], fault)
