# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many different declarations in one task need few requests, each change names its entries, and a failed entry affects no other."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from support.lab import pull_names
from support.playbooks import play

RBAC = "rbac.authorization.k8s.io"
MANY = 42
_numbers = itertools.count()


@pytest.fixture(scope="module")
def fleet(lab):
    """Namespaces for all tests of this file. Each test creates objects with its own names in them."""
    names = [f"many-{number:02}" for number in range(MANY)]
    for name in names:
        lab.namespace(name, wait=False)
    for name in names:
        lab.until(lambda name=name: lab.provisioned(name), f"namespace {name} is provisioned")
    yield names
    for name in names:
        lab.api("DELETE", f"/api/v1/namespaces/{name}", expect=(200, 202, 404, 409))


@pytest.fixture
def unique() -> str:
    return f"t{next(_numbers)}"


def password(number):
    return f"Secret-{number:03}-{number * 7919}"


def secret(name, number=0, **more):
    login = {"registry": f"registry-{number}.example.com", "username": "robot", "password": password(number)}
    return {"name": name, "registries": [login], **more}


def positions(result):
    """Return the entries of each change by namespace."""
    return {
        found["name"]: [change["entries"] for change in found["changes"]]
        for found in result["namespaces"]
        if found["changes"]
    }


def label(lab, names, **labels):
    for name in names:
        lab.api("PATCH", f"/api/v1/namespaces/{name}", {"metadata": {"labels": labels}})


def told(result):
    """Return the parts of a result that check mode and the real run must agree on."""
    return {key: result[key] for key in ("changed", "diff", "namespaces", "failures", "summary")}


class TestOneNamespace:
    COUNT = 50

    def entries(self, namespace, unique):
        return [secret(f"{unique}-{number:02}", number, namespaces=[namespace]) for number in range(self.COUNT)]

    def test_fifty_secrets_need_one_list_and_one_write_each(self, lab, run, namespace, unique):
        entries = self.entries(namespace, unique)
        foreseen = run("pull_secret", secrets=entries, check=True)
        audit = lab.audit()
        first = run("pull_secret", secrets=entries)
        assert told(first) == told(foreseen)
        assert Counter(audit.verbs()) == {"list": 1, "create": self.COUNT}
        assert len(set(audit.writes())) == len(audit.writes()) == self.COUNT
        assert positions(first) == {namespace: [[number] for number in range(self.COUNT)]}
        assert list(lab.entries(namespace, f"{unique}-49")) == ["registry-49.example.com"]
        # None of the fifty passwords appears in either output.
        for output in (first["_output"], foreseen["_output"]):
            assert not [number for number in range(self.COUNT) if password(number) in output]

        audit = lab.audit()
        assert run("pull_secret", secrets=entries)["changed"] is False
        assert audit.verbs() == ["list"]

        entries[7]["registries"][0]["password"] = "another-password"
        entries[9] = {"name": entries[9]["name"], "namespaces": [namespace], "state": "absent"}
        audit = lab.audit()
        result = run("pull_secret", secrets=entries)
        assert audit.verbs()[0] == "list"
        assert [(verb, name) for verb, _resource, _place, name in audit.writes()] == [
            ("patch", f"{unique}-07"),
            ("delete", f"{unique}-09"),
        ]
        assert [change["entries"] for change in result["namespaces"][0]["changes"]] == [[7], [9]]

    def test_a_secret_of_another_type_is_found_even_if_it_is_not_listed(self, lab, run, namespace, unique):
        lab.create(namespace, "secrets", {"metadata": {"name": f"{unique}-00"}, "type": "Opaque", "data": {}})
        audit = lab.audit()
        result = run("pull_secret", secrets=self.entries(namespace, unique))
        assert result["failed"]
        assert [(row["entry"], row["name"]) for row in result["failures"]] == [(0, f"{unique}-00")]
        assert Counter(audit.verbs()) == {"list": 1, "create": self.COUNT, "get": 1}
        assert lab.get(namespace, "secrets", f"{unique}-49")

    def test_five_links_of_one_account_need_one_patch(self, lab, run, namespace):
        before = pull_names(lab.account(namespace))
        links = [{"secrets": [f"s{number}"], "namespaces": [namespace], "require": "none"} for number in range(5)]
        links.append({"secrets": ["s1"], "namespaces": [namespace], "require": "none", "link_for": ["mount"]})
        foreseen = run("sa_link", links=links, check=True)
        audit = lab.audit()
        result = run("sa_link", links=links)
        assert told(result) == told(foreseen)
        assert audit.verbs() == ["get", "patch"]
        assert pull_names(lab.account(namespace)) == [*before, "s0", "s1", "s2", "s3", "s4"]
        (change,) = result["namespaces"][0]["changes"]
        assert change["entries"] == [0, 1, 2, 3, 4, 5]
        assert change["lists"]["imagePullSecrets"]["added"] == ["s0", "s1", "s2", "s3", "s4"]
        (diff,) = result["diff"]
        assert diff["after"]["imagePullSecrets"] == [*before, "s0", "s1", "s2", "s3", "s4"]

        links[2]["state"] = "absent"
        audit = lab.audit()
        assert run("sa_link", links=links)["changed"]
        assert audit.verbs() == ["get", "patch"]
        assert run("sa_link", links=links)["changed"] is False

    def test_grants_of_one_binding_need_one_write(self, lab, run, namespace):
        grants = [{"users": [f"user-{number}"], "namespaces": [namespace]} for number in range(5)]
        audit = lab.audit()
        assert run("image_puller_grant", grants=grants)["changed"]
        assert sorted(audit.verbs()) == ["create", "get", "list"]
        binding = lab.get(namespace, "rolebindings", "image-puller-grant")
        assert [subject["name"] for subject in binding["subjects"]] == [f"user-{number}" for number in range(5)]
        gone = [{**grant, "state": "absent"} for grant in grants]
        audit = lab.audit()
        result = run("image_puller_grant", grants=gone)
        assert audit.verbs() == ["list", "delete"]
        (change,) = result["namespaces"][0]["changes"]
        assert change["revoked"] == [f"User user-{number}" for number in range(5)]


class TestManyNamespaces:
    """Each entry has its own namespace and name. The task needs one list and one write for each entry."""

    def test_secrets_in_many_namespaces_need_one_list_and_one_write_each(self, lab, run, fleet, unique):
        entries = [secret(f"{unique}-{name}", namespaces=[name]) for name in fleet]
        foreseen = run("pull_secret", secrets=entries, check=True)
        audit = lab.audit()
        result = run("pull_secret", secrets=entries)
        assert told(result) == told(foreseen)
        assert Counter(audit.verbs()) == {"list": 1, "create": MANY}
        assert {place for _verb, _resource, place, _name in audit.writes()} == set(fleet)
        assert positions(result) == {name: [[number]] for number, name in enumerate(fleet)}
        audit = lab.audit()
        assert run("pull_secret", secrets=entries)["summary"]["unchanged"] == MANY
        assert audit.verbs() == ["list"]

    def test_usable_links_in_many_namespaces_need_two_lists_and_one_write_each(self, lab, run, fleet, unique):
        run("pull_secret", secrets=[secret(f"{unique}-{name}", namespaces=[name]) for name in fleet])
        links = [{"secrets": [f"{unique}-{name}"], "namespaces": [name]} for name in fleet]
        foreseen = run("sa_link", links=links, check=True)
        audit = lab.audit()
        result = run("sa_link", links=links)
        assert told(result) == told(foreseen)
        assert Counter(audit.verbs()) == {"list": 2, "patch": MANY}
        assert f"{unique}-{fleet[7]}" in pull_names(lab.account(fleet[7]))
        audit = lab.audit()
        assert run("sa_link", links=links)["changed"] is False
        assert audit.verbs() == ["list", "list"]

    def test_one_failed_entry_does_not_stop_the_others(self, lab, run, fleet, unique):
        lab.create(fleet[3], "secrets", {"metadata": {"name": f"{unique}-{fleet[3]}"}, "type": "Opaque", "data": {}})
        entries = [secret(f"{unique}-{name}", namespaces=[name]) for name in fleet]
        entries.append(secret(unique, namespaces=[fleet[3], "missing-one"]))
        result = run("pull_secret", secrets=entries)
        assert result["failed"]
        assert result["summary"]["changed"] == MANY - 1
        assert [(row["namespace"], row.get("entry"), row.get("name")) for row in result["failures"]] == [
            (fleet[3], 3, f"{unique}-{fleet[3]}"),
            ("missing-one", None, None),
        ]
        assert f"{fleet[3]}: secrets[3] ({unique}-{fleet[3]}): " in result["msg"]
        assert lab.get(fleet[3], "secrets", unique), "the other entry of that namespace is done"
        assert lab.get(fleet[-1], "secrets", f"{unique}-{fleet[-1]}")


class TestSelectors:
    def test_namespaces_are_listed_once(self, lab, run, fleet, unique):
        label(lab, fleet[:3], team=f"{unique}-red")
        label(lab, fleet[2:4], stage=f"{unique}-test")
        selectors = [
            {"labels": f"team={unique}-red"},
            {"labels": f"team in ({unique}-red, {unique}-blue)", "exclude": [fleet[0]]},
            {"labels": f"stage,stage!=x,stage={unique}-test"},
            {"include": [fleet[5]]},
        ]
        links = [
            {"secrets": [f"{unique}-{number}"], "namespace_selector": selector, "require": "none"}
            for number, selector in enumerate(selectors)
        ]
        audit = lab.audit()
        result = run("sa_link", links=links)
        assert positions(result) == {
            fleet[0]: [[0]],
            fleet[1]: [[0, 1]],
            fleet[2]: [[0, 1, 2]],
            fleet[3]: [[2]],
            fleet[5]: [[3]],
        }
        lists = [event for event in audit.ours() if event["objectRef"]["resource"] == "namespaces"]
        assert len(lists) == 1
        assert len(audit.writes()) == 5
        assert run("sa_link", links=links)["changed"] is False


class TestDeclaredElsewhere:
    """Two tasks, such as those of two roles, must not write one secret in turns."""

    def claim(self, name, **targets):
        return {"name": name, "title": "the other task", **targets}

    @pytest.mark.parametrize(
        "case",
        [
            ({"include": ["many-1*"]}, ["many-12", "many-20"], "many-12"),
            (["many-12", "many-20"], {"include": ["many-1*"], "exclude": ["many-11"]}, "many-12"),
            ({"include": ["many-1*"], "exclude": ["many-10"]}, {"include": ["many-?3", "many-30"]}, "many-13"),
            ({"labels": "color={}"}, {"include": ["many-0*"]}, "many-09"),
            ({"labels": "color={}"}, {"labels": "color notin (other), color"}, "many-09"),
        ],
    )
    def test_a_secret_of_another_task_is_refused_before_any_write(self, lab, run, fleet, unique, case):
        own, other, shared = case
        label(lab, ["many-09", "many-21"], color=unique)

        def targets(given):
            if isinstance(given, list):
                return {"namespaces": given}
            labels = {"labels": given["labels"].format(unique)} if "labels" in given else {}
            return {"namespace_selector": {**given, **labels}}

        audit = lab.audit()
        result = run(
            "pull_secret",
            secrets=[secret(unique, **targets(own))],
            declared_elsewhere=[self.claim("else", namespaces=[fleet[0]]), self.claim(unique, **targets(other))],
        )
        assert result["msg"] == (
            f"secrets[0] ({unique}) and the other task ({unique}) contradict each other in namespace {shared}: "
            f"both declare secret {unique}, so declare it once, with all its registries. Nothing was changed"
        )
        assert audit.writes() == []


class TestOneEntryFails:
    """If the server refuses one write, the entries of that object fail and no others."""

    def test_a_refused_write_fails_only_the_entries_of_its_object(self, lab, run, namespace):
        user = f"linker-{namespace}"
        accounts = {"apiGroups": [""], "resources": ["serviceaccounts"]}
        rules = [{**accounts, "verbs": ["get", "list"]}, {**accounts, "verbs": ["patch"], "resourceNames": ["default"]}]
        base = f"/apis/{RBAC}/v1/namespaces/{namespace}"
        lab.api("POST", f"{base}/roles", {"metadata": {"name": user}, "rules": rules})
        role = {"apiGroup": RBAC, "kind": "Role", "name": user}
        subjects = [{"kind": "User", "name": user, "apiGroup": RBAC}]
        lab.api("POST", f"{base}/rolebindings", {"metadata": {"name": user}, "roleRef": role, "subjects": subjects})
        lab.create(namespace, "serviceaccounts", {"metadata": {"name": "robot"}})
        links = [
            {"secrets": ["a"], "service_accounts": ["robot"]},
            {"secrets": ["b"], "service_accounts": ["default"]},
            {"secrets": ["c"], "service_accounts": ["robot"]},
        ]
        audit = lab.audit()
        given = [{**link, "namespaces": [namespace], "require": "none"} for link in links]
        result = run("sa_link", links=given, impersonate_user=user)
        assert result["failed"]
        assert [(row["entry"], row["name"]) for row in result["failures"]] == [(0, "a"), (2, "c")]
        assert positions(result) == {namespace: [[1]]}
        assert "b" in pull_names(lab.account(namespace))
        assert [name for _verb, _resource, _place, name in audit.writes()] == ["robot", "default"]
        assert result["namespaces"][0]["status"] == "failed"

        assert run("sa_link", links=given)["changed"]
        assert pull_names(lab.account(namespace, "robot"))[-2:] == ["a", "c"]


class TestPlaybook:
    """The module runs in Ansible's own process, as in most runs."""

    def test_fifty_entries_hide_fifty_passwords(self, lab, namespace, tmp_path):
        entries = "".join(
            f"          - {{name: s{number:02}, namespaces: [{namespace}], registries: [{{registry: quay.io, "
            f"username: robot, password: {password(number)}}}]}}\n"
            for number in range(50)
        )
        playbook = tmp_path / "many.yml"
        playbook.write_text(
            "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n"
            f"    - openshift_ops.image_pull.pull_secret:\n        secrets:\n{entries}"
        )
        inventory = tmp_path / "hosts.yml"
        inventory.write_text("all:\n  hosts:\n    localhost: {ansible_connection: local}\n")
        audit = lab.audit()
        done = play(playbook, inventory, "-vvv", "--diff", K8S_AUTH_KUBECONFIG=lab.kubeconfig)
        assert done.status == 0
        assert Counter(audit.verbs()) == {"list": 1, "create": 50}
        assert not [number for number in range(50) if password(number) in done.output]
