# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After export.yml on a cluster that was set up by `oc` requests, site.yml changes nothing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.lab import Lab, path_of
from support.objects import account_subject, b64, group_subject, role_binding, user_subject
from support.playbooks import Play, forms, lab_inventory, leaks, play

_numbers = itertools.count()
VAULT_PASSWORD = "canary of the vault file"
PASSWORDS = {
    "shared": "canary-1:{{ x }} \"'\u00e9",
    "team": "[canary-2]",
    "file": "canary-3 {% y %}",
    "legacy": "True canary-4",
    "token": "canary-5-in-the-user",
}


class ByHand:
    """Commands that a person would type. Each project has its provisioned default account."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.prefix = f"export{next(_numbers)}-"
        self.a, self.b, self.c = (lab.namespace(f"{self.prefix}{name}") for name in ("a", "b", "c"))
        self.projects = [self.a, self.b, self.c]
        lab.create(self.a, "serviceaccounts", {"metadata": {"name": "builder"}})
        lab.until(lambda: lab.provisioned(self.a, "builder"), "builder is provisioned")

    def docker_registry(self, namespace: str, name: str, server: str, username: str, password: str) -> None:
        """oc create secret docker-registry NAME --docker-server=... --docker-username=... --docker-password=... --docker-email=unused"""
        auth = b64(f"{username}:{password}")
        entry = {"username": username, "password": password, "email": "unused", "auth": auth}
        self.generic(namespace, name, json.dumps({"auths": {server: entry}}))

    def generic(
        self,
        namespace: str,
        name: str,
        content: str,
        secret_type: str = "kubernetes.io/dockerconfigjson",
        key: str = ".dockerconfigjson",
        **more: str,
    ) -> None:
        """oc create secret generic NAME --from-file=KEY=FILE --type=TYPE"""
        data = {file: b64(text) for file, text in {key: content, **more}.items()}
        self.lab.create(namespace, "secrets", {"metadata": {"name": name}, "type": secret_type, "data": data})

    def link(
        self, namespace: str, *names: str, lists: tuple[str, ...] = ("imagePullSecrets",), account: str = "default"
    ) -> None:
        """oc secrets link ACCOUNT NAME... --for=pull,mount, which replaces the whole account with PUT."""

        def attempt() -> bool:
            found = self.lab.account(namespace, account)
            for key in lists:
                found[key] = [*(found.get(key) or []), *({"name": name} for name in names)]
            answer = self.lab.api("PUT", path_of(namespace, "serviceaccounts", account), found, expect=(200, 409))
            return answer["kind"] == "ServiceAccount"

        self.lab.until(attempt, "the account is linked")

    def grant(
        self,
        namespace: str,
        name: str,
        *subjects: dict[str, str],
        role: str = "system:image-puller",
        kind: str = "ClusterRole",
    ) -> None:
        """oc policy add-role-to-user/group ROLE SUBJECT -n NAMESPACE, which creates a binding with the role's name and a number."""
        self.lab.create(namespace, "rolebindings", role_binding(name, *subjects, role=role, kind=kind))

    def set_up(self) -> None:
        for namespace in (self.a, self.b):
            self.docker_registry(namespace, "shared", "quay.io", "team+robot", PASSWORDS["shared"])
            self.link(namespace, "shared")
        self.docker_registry(
            self.a, "team", "registry.example.com:5000/team", "developer@example.com", PASSWORDS["team"]
        )
        self.link(self.a, "team", lists=("imagePullSecrets", "secrets"))
        self.link(self.a, "team", lists=("secrets",), account="builder")
        auth = b64(f"reader:{PASSWORDS['file']}")
        content = {"auths": {"quay.io": {"auth": auth, "note": 1.5}}, "HttpHeaders": {"a": "b"}}
        self.generic(self.b, "from-file", json.dumps(content, indent=2))
        legacy = {"https://index.docker.io/v1/": {"auth": b64(f"old:{PASSWORDS['legacy']}")}}
        self.generic(self.b, "legacy", json.dumps(legacy), "kubernetes.io/dockercfg", ".dockercfg", notes="by hand")
        self.generic(self.c, "podman", json.dumps({"auths": legacy}), "kubernetes.io/podmanconfigjson", "auth.json")
        self.docker_registry(self.c, "token", "ghcr.io", PASSWORDS["token"], PASSWORDS["token"])
        # Content that no entry can express.
        self.generic(self.c, "broken", '{"auths": {}, "auths": {}}')
        self.generic(self.c, "helper", '{"auths": {"quay.io": {}}, "credsStore": "desktop"}')
        self.generic(self.c, "ssh", "key", "Opaque", "id")
        self.link(self.c, "broken", "nosuch", lists=("imagePullSecrets",))
        self.link(self.c, "ssh", lists=("secrets",))
        # Grants to a named account, a missing account, a whole project, and a user in a binding with another name.
        self.grant(self.b, "system:image-puller", account_subject(self.a))
        self.grant(self.b, "system:image-puller-0", account_subject(self.a, "other"))
        self.grant(self.b, "system:image-puller-1", group_subject(f"system:serviceaccounts:{self.c}"))
        self.grant(self.c, "system:image-puller-1", group_subject(f"system:serviceaccounts:{self.c}"))
        self.grant(self.c, "mine", user_subject("alice"), group_subject("system:authenticated"))
        self.grant(self.c, "everybody", group_subject("system:serviceaccounts"))
        self.grant(self.c, "local", user_subject("bob"), kind="Role")

    def state(self) -> dict[str, Any]:
        """Return all objects of the exported kinds, including their versions."""
        found = {}
        for namespace, resource in itertools.product(self.projects, ("secrets", "serviceaccounts", "rolebindings")):
            items = self.lab.api("GET", path_of(namespace, resource))["items"]
            found[namespace, resource] = {item["metadata"]["name"]: item for item in items}
        return found


@pytest.fixture
def by_hand(lab: Lab) -> Iterator[ByHand]:
    made = ByHand(lab)
    made.set_up()
    yield made
    for namespace in made.projects:
        lab.api("DELETE", f"/api/v1/namespaces/{namespace}", expect=(200, 202, 404, 409))


@pytest.fixture
def inventory(lab: Lab, tmp_path: Path) -> Path:
    directory = tmp_path / "inventory"
    directory.mkdir()
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "image_pull_kubeconfig": lab.kubeconfig,
    }
    (directory / "hosts.yml").write_text(yaml.dump({"all": {"hosts": {"lab": variables}}}))
    (tmp_path / "vault-password").write_text(VAULT_PASSWORD)
    return directory


@pytest.fixture
def canaries() -> set[str]:
    found = {
        form
        for password in PASSWORDS.values()
        for form in forms(password, "team+robot", "developer@example.com", "reader", "old")
    }
    return {*found, VAULT_PASSWORD}


def run(playbook: str, inventory: Path, by_hand: ByHand, *options: str, vault: bool = True) -> Play:
    """Run a playbook for the projects of the test, because the rest of the cluster belongs to other tests."""
    with_password = ["--vault-password-file", str(inventory.parent / "vault-password")] if vault else []
    chosen = json.dumps({"image_pull_export_namespaces": by_hand.projects})
    return play(playbook, inventory, "-vvvv", "--diff", "-e", chosen, *with_password, *options)


def files_of(inventory: Path) -> dict[str, Path]:
    return {path.name: path for path in (inventory / "host_vars" / "lab").iterdir()}


def test_site_changes_nothing_after_an_export(lab, by_hand, inventory, canaries):
    before, audit = by_hand.state(), lab.audit()
    checked = run("export", inventory, by_hand, "--check").succeeded()
    assert not (inventory / "host_vars").exists(), "check mode writes no file"
    exported = run("export", inventory, by_hand).succeeded()
    assert audit.writes() == [], "exporting writes nothing to the cluster"
    assert "in variable storage" not in exported.output, "ansible-core knows the types of all results"
    found = files_of(inventory)
    assert sorted(found) == ["image_pull.yml", "image_pull_vault.yml"]
    assert {path.stat().st_mode & 0o777 for path in found.values()} == {0o600}
    assert found["image_pull_vault.yml"].read_bytes().startswith(b"$ANSIBLE_VAULT;")
    assert leaks(found["image_pull.yml"].read_text(), canaries) == []

    for options in (("--check",), ()):
        with lab.no_writes():
            done = run("site", inventory, by_hand, *options).succeeded()
        assert (done.recap["changed"], done.recap["failed"]) == (0, 0), done.output
        assert leaks(done.output, canaries) == []
    assert by_hand.state() == before

    again = run("export", inventory, by_hand).failed()
    assert "exists already, and was not replaced" in again.output
    assert leaks(checked.output + exported.output + again.output, canaries) == []
    assert exported.recap == checked.recap
    the_variables_describe_it(found["image_pull.yml"], by_hand)
    the_rest_is_listed(exported.output, by_hand)


def the_variables_describe_it(path: Path, by_hand: ByHand) -> None:
    variables = yaml.load(path.read_text(), Loader=Plain)
    secrets = {entry["name"]: entry for entry in variables["private_registry_secrets"]}
    assert len(secrets) == len(variables["private_registry_secrets"]), (
        "one entry for each secret, in all of its namespaces"
    )
    assert set(secrets) == {"shared", "team", "from-file", "legacy", "token"}
    assert secrets["shared"] == {
        "name": "shared",
        "namespaces": [by_hand.a, by_hand.b],
        "registries": [
            {
                "registry": "quay.io",
                "username": "team+robot",
                "password": "{{ vaulted_quay_io_team_robot | string }}",
                "email": "unused",
            }
        ],
        "service_accounts": ["default"],
        "link_for": ["pull"],
    }
    # The account lists 'shared' first.
    names = [entry["name"] for entry in variables["private_registry_secrets"]]
    assert names.index("shared") < names.index("team")
    assert secrets["team"]["links"] == [
        {"service_accounts": ["default"], "link_for": ["pull", "mount"]},
        {"service_accounts": ["builder"], "link_for": ["mount"]},
    ]
    assert secrets["from-file"]["auth_config"] == "{{ vaulted_from_file_auth_config }}"
    assert secrets["token"]["auth_config"] == "{{ vaulted_token_auth_config }}"
    grants = {(grant["binding_name"], *grant["namespaces"]): grant for grant in variables["cross_project_pull_grants"]}
    assert len(grants) == len(variables["cross_project_pull_grants"])
    assert grants["system:image-puller-1", by_hand.b, by_hand.c]["projects"] == [by_hand.c]
    assert grants["system:image-puller", by_hand.b]["service_accounts"] == [{"namespace": by_hand.a, "name": "default"}]
    assert grants["system:image-puller-0", by_hand.b]["users"] == [f"system:serviceaccount:{by_hand.a}:other"]
    assert grants["mine", by_hand.c] == {
        "namespaces": [by_hand.c],
        "authenticated": True,
        "users": ["alice"],
        "binding_name": "mine",
    }


def the_rest_is_listed(output: str, by_hand: ByHand) -> None:
    for reason in (
        "it has 'auths' twice",
        "no node can use its entry for quay.io",
        "it has type kubernetes.io/podmanconfigjson, which no node reads",
        "lists secret nosuch, which does not exist",
        "lists secret ssh of type Opaque, which is not a pull secret",
        "lists secret broken, which has no entry itself",
        "its further data (notes)",
        "system:serviceaccounts is every service account of the cluster",
        "it binds Role system:image-puller",
    ):
        assert reason in output, reason


class Plain(yaml.SafeLoader):
    """Reads Ansible's tag as text."""


Plain.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


@pytest.mark.slow
def test_objects_that_site_created_are_exported(lab, tmp_path, inventory, canaries):
    """The roles created everything: from files, from values for several paths, a delegated registry, a named account, a whole project."""
    prefix = f"export{next(_numbers)}-"
    projects = [lab.namespace(f"{prefix}project-{name}") for name in "abcd"]
    made = lab_inventory(lab, tmp_path / "made", "--projects-prefix", prefix, "--lab-binary", str(lab.binary))
    try:
        play("site", made).succeeded()
        chosen = json.dumps({"image_pull_export_namespaces": projects, "image_pull_export_dest": "."})
        password = ("--vault-password-file", str(tmp_path / "vault-password"))
        # A relative directory is relative to the directory of the command.
        exported = play("export", inventory, "-e", chosen, *password, "-vvvv", cwd=inventory).succeeded()
        assert "'not_exported': []" in exported.output or '"not_exported": []' in exported.output
        with lab.no_writes():
            play("site", inventory, "--check", *password).unchanged()
        known = {account["password"] for name in ("private", "delegated") for account in lab.registry(name)["accounts"]}
        shown = exported.output + files_of(inventory)["image_pull.yml"].read_text()
        assert leaks(shown, {form for each in known for form in forms(each)}) == []
    finally:
        for project in projects:
            lab.api("DELETE", f"/api/v1/namespaces/{project}", expect=(200, 202, 404, 409))


@pytest.mark.slow
def test_an_export_without_a_vault_password_reads_and_writes_nothing(lab, by_hand, inventory):
    with lab.no_requests():
        done = run("export", inventory, by_hand, vault=False).failed()
    assert "--vault-password-file" in done.output
    assert not (inventory / "host_vars").exists()


@pytest.mark.slow
def test_an_export_in_a_process_of_its_own_is_refused(lab, by_hand, inventory, other_python):
    with lab.no_requests():
        done = run("export", inventory, by_hand, "-e", f"ansible_python_interpreter={other_python}").failed()
    assert "must run in Ansible's own process" in done.output


@pytest.mark.slow
def test_placeholders_contain_no_credential_and_fail_when_used(lab, by_hand, inventory, canaries):
    done = run("export", inventory, by_hand, "-e", "image_pull_export_credentials=placeholder", vault=False).succeeded()
    (path,) = files_of(inventory).values()
    assert leaks(path.read_text() + done.output, canaries) == []
    assert "# vaulted_quay_io_team_robot\n" in path.read_text()
    used = run("site", inventory, by_hand, "--check", vault=False).failed()
    assert "variable vaulted_from_file_auth_config is undefined" in used.output
