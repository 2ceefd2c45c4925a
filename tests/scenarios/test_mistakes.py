# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For each of forty mistakes of operators, the message names the problem, its place and the fix, and nothing is written before it.

Each mistake is a host of one inventory, so one run of a playbook covers many of them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.lab import Lab
from support.playbooks import ROOT, play

CANARY = "Canary-mistake-7"


@dataclass(frozen=True)
class Mistake:
    """`where`, `what` and `fix` are parts of the message: the place, the problem, and the correction. `given` are variables of the host."""

    name: str
    given: dict[str, Any]
    where: str
    what: str
    fix: str

    def missing(self, message: str) -> list[str]:
        """Return the parts that the message lacks."""
        assert self.where and self.what and self.fix
        return [part for part in (self.where, self.what, self.fix) if part not in message]


LOGIN = {"registry": "quay.io", "username": "robot", "password": CANARY}


def secret(**members: Any) -> dict[str, Any]:
    """A host with a valid secret that could be written first and a secret with a mistake."""
    fine = {"name": "fine", "namespaces": ["{{ project }}"], "registries": [LOGIN]}
    wrong = {**fine, "name": "pull", **members}
    return {"private_registry_secrets": [fine, {name: value for name, value in wrong.items() if value is not None}]}


def login(**members: Any) -> dict[str, Any]:
    return secret(registries=[{**LOGIN, **members}])


def beside(**variables: Any) -> dict[str, Any]:
    """A host with a valid secret and a mistake in another variable."""
    return {**secret(), **variables}


def delegated(**members: Any) -> dict[str, Any]:
    entry = {"registry": "127.0.0.9:1", "namespaces": ["{{ project }}"], "username": "u", "password": CANARY, **members}
    return beside(delegated_auth_registries=[entry])


def grant(**members: Any) -> dict[str, Any]:
    return beside(cross_project_pull_grants=[{"namespaces": ["{{ project }}"], "projects": ["project-b"], **members}])


#: A second entry, and a secret of it.
SECOND = "private_registry_secrets[1]"
ENTRY = f"{SECOND} (pull): "
QUOTES = "put it in quotes where it is defined"
UNSAFE = "write it as !unsafe '...'"
CORRECT = "Correct it or, if it is for something else, list its name in image_pull_ignored_variables"
PATH = "No such file or directory. Correct the path, or create the file there"
SITE = [
    Mistake("unknown_member", secret(registry="quay.io"), SECOND, "registry is unknown: ", "did you mean 'registries'? An entry takes annotations,"),
    Mistake("unknown_field", login(user="robot"), ENTRY, "registries[0].user is unknown: ",
            "did you mean 'username'? it takes email, password, registry, username"),
    Mistake("misspelt_variable", beside(image_pull_prun=True), "variable image_pull_prun ", "is unknown: ", f"did you mean 'image_pull_prune'? {CORRECT}"),
    Mistake("misspelt_kubeconfig", beside(image_pull_kubeconfg="/x"), "variable image_pull_kubeconfg ", "is unknown: ",
            f"did you mean 'image_pull_kubeconfig'? {CORRECT}"),
    Mistake("misspelt_list", {"private_registry_secret": secret()["private_registry_secrets"]}, "variable private_registry_secret ", "is unknown: ",
            f"did you mean 'private_registry_secrets'? {CORRECT}"),
    Mistake("wrong_type", secret(labels=["team"]), ENTRY, "argument 'labels' is of type ", "give lines of the form 'name: value'"),
    Mistake("no_list", {"private_registry_secrets": secret()["private_registry_secrets"][1]}, "variable private_registry_secrets ",
            "is not a list of entries: ", "begin each with '- '"),
    Mistake("glob", secret(namespaces=["team-*"]), ENTRY + "option 'namespaces'", "'team-*' cannot be a namespace",
            "write 'namespace_selector: {include: [\"team-*\"]}'"),
    Mistake("upper_case", secret(namespaces=["Team-A"]), ENTRY + "option 'namespaces'", "'Team-A' cannot be a namespace", "Write 'team-a'"),
    Mistake("undefined", login(password="{{ vault_of_nobody }}"), f"{SECOND}.registries: ", "variable vault_of_nobody is undefined: ",
            "define it in the inventory, or correct its name"),
    Mistake("braces", login(password=CANARY + "{{x"), f"{SECOND}.registries: ", "a value is not a template", UNSAFE),
    Mistake("relative_file", secret(registries=None, auth_file="auth.json"), ENTRY + "file 'auth.json'", "where a relative path begins",
            "Give the whole path, such as {{ inventory_dir }}/auth.json"),
    Mistake("missing_file", secret(registries=None, auth_file="/nowhere/auth.json"), ENTRY + "file '/nowhere/auth.json'",
            "cannot be read on the host that runs the task", PATH),
    Mistake("missing_authority", secret(verify=True, registry_ca_cert="/nowhere/ca.crt"), ENTRY + "option 'registry_ca_cert'",
            "'/nowhere/ca.crt' cannot be read on the host that runs the task", PATH),
    Mistake("wrong_choice", secret(state="presnt"), ENTRY, "value of state must be one of: present, absent", "did you mean 'present'?"),
    Mistake("wrong_purpose", secret(link_for=["pul"]), ENTRY, "link_for must be one or more of: pull, mount", "did you mean 'pull'?"),
    Mistake("number", login(password=123), f"{SECOND}: registries[0].password ", "is a number and not a text: YAML has changed it", QUOTES),
    Mistake("number_in_file", secret(registries=None, auth_config={"auths": {"quay.io": {"username": "u", "password": 83}}}),
            ENTRY + "option 'auth_config': the entry for 'quay.io'", "has a 'password' that is a number, not a string", QUOTES),
    Mistake("truth", login(password=True), f"{SECOND}: registries[0].password ", "is true or false and not a text: YAML has changed it", QUOTES),
    Mistake("date", login(password=yaml.safe_load("2030-01-02")), f"{SECOND}: registries[0].password ", "is a date and not a text: YAML has changed it",
            QUOTES),
    Mistake("user_number", login(username=1234), f"{SECOND}: registries[0].username ", "is a number and not a text: YAML has changed it", QUOTES),
    Mistake("kubeconfig_missing", beside(image_pull_kubeconfig="/nowhere/config"), "kubeconfig /nowhere/config", "there is no such file",
            "Give image_pull_kubeconfig, or image_pull_host with image_pull_api_key"),
    Mistake("cluster_password", beside(image_pull_username="u", image_pull_password=123), "variable image_pull_password ",
            "is a number and not a text: YAML has changed it", QUOTES),
    Mistake("image_as_key", login(registry="reg.example.com/team/app:v1"), ENTRY + "option 'registries'", "registry 'reg.example.com/team/app:v1'",
            "Write 'reg.example.com/team/app' instead"),
    Mistake("short_host", login(registry="host/team/app:v1"), ENTRY + "option 'registries'", "begins with 'host' refers to Docker Hub",
            "Write the registry's full host name instead"),
    Mistake("no_port", login(registry="host:notaport"), ENTRY + "option 'registries'", "'notaport' is not a port",
            "Write a number as the port, or 'host' instead"),
    Mistake("user_in_key", login(registry="robot@quay.io"), ENTRY + "option 'registries'", "it has an '@'", "Give the user in 'username'"),
    Mistake("no_password", login(password=""), ENTRY + "option 'registries'", "the entry for 'quay.io' has no password",
            "give both 'username' and 'password'"),
    Mistake("no_place", secret(namespaces=None), ENTRY, "one of the options", "give one of the options 'namespaces' and 'namespace_selector'"),
    Mistake("wide_selector", secret(namespaces=None, namespace_selector={"exclude": ["a"]}), ENTRY + "option 'namespace_selector'",
            "gives none of 'labels', 'include' and 'requesters'", "for all namespaces write include: ['*']"),
    Mistake("selector_field", secret(namespaces=None, namespace_selector={"label": "team=a"}), ENTRY, "namespace_selector.label is unknown: ",
            "did you mean 'labels'?"),
    Mistake("two_sources", secret(auth_file="/x"), ENTRY, "parameters are mutually exclusive: registries|auth_file|auth_config", "give one of them"),
    Mistake("same_secret", {"private_registry_secrets": [secret()["private_registry_secrets"][0]] * 2},
            "private_registry_secrets[0] and private_registry_secrets[1]", "secret NAMESPACE/fine is declared by ",
            "give their secrets different names, or remove one entry"),
    Mistake("wrong_verify", secret(verify="maybe"), ENTRY, "option 'verify'", "takes true, false or warn"),
    Mistake("repository_elsewhere", secret(verify_repositories=["ghcr.io/team/app"]), ENTRY + "option 'verify_repositories'",
            "no registry of this secret is for ghcr.io/team/app", "The secret has quay.io"),
    Mistake("star_unverified", secret(verify=True, registries=[{**LOGIN, "registry": "*.example.com"}]), ENTRY + "option 'verify'",
            "no registry can be asked about the login for *.example.com", "Name an image that it is for in 'verify_repositories'"),
    Mistake("number_in_dictionary", {**login(password="{{ logins.robot }}"), "logins": {"robot": 123}}, f"{SECOND}: registries[0].password ",
            "is a number and not a text: YAML has changed it", QUOTES),
    Mistake("delegated_key", delegated(registry="host:notaport"), "delegated_auth_registries[0]", "'notaport' is not a port",
            "Write a number as the port, or 'host' instead"),
    Mistake("delegated_host", delegated(realm_host="http://sso.example.com/x"), "delegated_auth_registries[0]: option 'realm_host'",
            "only https is supported", "Give host[:port] without a scheme"),
    Mistake("delegated_authority", delegated(registry_ca_cert="/nowhere/ca.crt"), "delegated_auth_registries[0]: option 'registry_ca_cert'",
            "'/nowhere/ca.crt' cannot be read on the host that runs the task", PATH),
    Mistake("delegated_type", delegated(link_for=["pul"]), "delegated_auth_registries[0] (", "link_for must be one or more of: pull, mount",
            "did you mean 'pull'?"),
    Mistake("grant_nobody", grant(projects=None), "cross_project_pull_grants[0]: ", "at least one of",
            "give at least one of 'service_accounts', 'projects'"),
    Mistake("grant_account", grant(service_accounts=["default"]), "cross_project_pull_grants[0].service_accounts", "each item has the lines namespace and name",
            "such as {namespace: project-a, name: default}"),
    Mistake("grant_member", grant(project=["a"]), "cross_project_pull_grants[0]: ", "project is unknown: ", "did you mean 'projects'?"),
    Mistake("owner", beside(image_pull_owner="Team A"), "variable image_pull_owner: ", "'Team A' cannot be the value of a label",
            "use 1 to 63 letters, digits, '-', '_' and '.'"),
    Mistake("owner_missing", beside(image_pull_prune=True, private_registry_secrets=[]), "image_pull_prune ", "only objects with its label are removed",
            "needs image_pull_owner"),
]  # fmt: skip


#: A mistake of each role, which a playbook of the user includes on its own.
ROLES = [
    Mistake("private_registry", login(user="robot"), ENTRY, "registries[0].user is unknown: ", "did you mean 'username'?"),
    Mistake("delegated_auth", delegated(registry="host:notaport"), "delegated_auth_registries[0]", "'notaport' is not a port",
            "Write a number as the port, or 'host' instead"),
    Mistake("cross_project_pull", grant(project=["a"]), "cross_project_pull_grants[0]: ", "project is unknown: ", "did you mean 'projects'?"),
    Mistake("automation_account", {"automation_account_namespace": "automation", "automation_account_jobs": ["secret"]},
            "value of automation_account_jobs ", "Got no match for: secret", "must be one or more of: secrets, links, "),
    Mistake("credential_rotation", {"credential_rotation_registries": ["quay.io"], "credential_rotation_verfy": False,
                                    "credential_rotation_old": {"username": "u", "password": CANARY},
                                    "credential_rotation_new": {"username": "u", "password": CANARY + "-new"}},
            "variable credential_rotation_verfy ", "is unknown: ", f"did you mean 'credential_rotation_verify'? {CORRECT}"),
    Mistake("global_pull_secret", {"global_pull_secret_registries": [LOGIN], "global_pull_secret_auth_file": "/x"},
            "global_pull_secret_registries, global_pull_secret_auth_file and global_pull_secret_auth_config", "one of", "set one of "),
    Mistake("pull_access_audit", {"pull_access_audit_rules": ["pod-canot-pull"]},
            "variable pull_access_audit_rules: ", "there is no rule 'pod-canot-pull'", "Did you mean 'pod-cannot-pull'?"),
    Mistake("pull_access_what_if", {"pull_access_what_if_changes": [{"target_version": "soon"}, {"new_nodes": False}]},
            "variable pull_access_what_if_changes[0]: ", "target_version is 'soon'",
            "give a version such as '4.22', or '1.35' for plain Kubernetes, in quotes; "
            "variable pull_access_what_if_changes[1]: new_nodes takes only true: leave it out otherwise"),
]  # fmt: skip
#: The role pull_access_audit has tasks with `run_once`, and a failure in one of them fails all hosts, so it is included last.
PLAYBOOK = """
- name: Include a role
  hosts: all
  connection: local
  gather_facts: false
  module_defaults:
    group/openshift_ops.image_pull.k8s:
      kubeconfig: "{{ image_pull_kubeconfig }}"
  tasks:
    - name: Include the role of the host
      ansible.builtin.include_role:
        name: "openshift_ops.image_pull.{{ inventory_hostname }}"
      when: inventory_hostname != 'pull_access_audit'

    - name: Include the role for audits
      ansible.builtin.include_role:
        name: openshift_ops.image_pull.pull_access_audit
      when: inventory_hostname == 'pull_access_audit'
"""


def answers(done: Any, names: list[str]) -> dict[str, str]:
    """Return the messages of each host's failures."""
    found = dict.fromkeys(names, "")
    for start in re.finditer(r"^fatal: \[(\w+)\]: FAILED! => ", done.output, re.MULTILINE):
        result, _end = json.JSONDecoder().raw_decode(done.output, start.end())
        found[start[1]] += result["msg"] + "\n"
    return found


def run_all(lab: Lab, directory: Path, playbook: str | Path, mistakes: list[Mistake]) -> dict[str, str]:
    """Return the message for each mistake from one run, which wrote nothing."""
    project = lab.namespace(f"mistakes-{Path(playbook).stem}")
    usual = {"image_pull_kubeconfig": lab.kubeconfig, "project": project}
    hosts = {one.name: {**usual, **one.given} for one in mistakes}
    inventory = directory / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    audit = lab.audit()
    done = play(playbook, inventory, "--forks", "4", no_proxy="*")
    assert CANARY not in done.output
    found = answers(done, [*hosts])
    assert audit.writes() == [], "all is checked before the first write"
    return {name: answer.replace(project, "NAMESPACE") for name, answer in found.items()}


@pytest.fixture(scope="module")
def answered(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return run_all(lab, tmp_path_factory.mktemp("mistakes"), "site", SITE)


@pytest.mark.parametrize("mistake", SITE, ids=lambda one: one.name)
def test_the_message_names_the_mistake_its_place_and_the_fix(answered: dict[str, str], mistake: Mistake) -> None:
    assert mistake.missing(answered[mistake.name]) == [], answered[mistake.name]


def test_each_role_alone_names_the_mistake_its_place_and_the_fix(lab: Lab, tmp_path: Path) -> None:
    assert sorted(one.name for one in ROLES) == sorted(path.name for path in (ROOT / "roles").iterdir())
    playbook = tmp_path / "roles.yml"
    playbook.write_text(PLAYBOOK)
    found = run_all(lab, tmp_path, playbook, ROLES)
    assert [(one.name, part) for one in ROLES for part in one.missing(found[one.name])] == []


def test_the_table_has_at_least_forty_mistakes() -> None:
    assert len({one.name for one in SITE}) == len(SITE) >= 40
