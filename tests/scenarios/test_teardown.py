# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A teardown removes the objects and entries that the roles created or merged and nothing else, even after a killed run."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.audited import Scene
from support.killed_runs import GUARD, KilledRuns
from support.lab import Lab, pull_names
from support.objects import b64
from support.playbooks import COLLECTION, Play, play

LOGIN = {"registry": "quay.io", "username": "robot", "password": "Secret-1"}
THEIRS = {"old.example.com": {"auth": b64(b"alice:Secret-2"), "unknown": 1}}
OURS = {"app.kubernetes.io/managed-by": COLLECTION}
KEPT = "does not carry the label of this collection, so it was kept"


class Cluster:
    """The declarations of an inventory for a lab, and the resulting objects."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab, self.inventory = lab, directory / "hosts.yml"

    def declare(
        self,
        *,
        secrets: list[dict[str, Any]] | None = None,
        registries: list[dict[str, Any]] | None = None,
        more: dict[str, Any] | None = None,
        kubeconfig: str = "",
    ) -> None:
        variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "image_pull_kubeconfig": kubeconfig or self.lab.kubeconfig,
            "private_registry_secrets": secrets or [],
            "delegated_auth_registries": registries or [],
            **(more or {}),
        }
        self.inventory.write_text(yaml.safe_dump({"all": {"hosts": {"lab": variables}}}))

    def play(self, playbook: str, *options: str) -> Play:
        return play(playbook, self.inventory, *options).succeeded()

    def tear_down(self) -> str:
        """Check, run and run again, and return the output of the real run."""
        with self.lab.no_writes():
            checked = self.play("teardown", "--check")
        real = self.play("teardown")
        assert (real.recap, changed_tasks(real)) == (checked.recap, changed_tasks(checked))
        audit = self.lab.audit()
        again = self.play("teardown")
        assert (again.recap["changed"], audit.writes()) == (0, []), again.output
        return real.output

    def put(
        self, namespace: str, name: str, auths: dict[str, Any], *, labels: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Create and link a foreign secret."""
        meta = {"name": name, **({"labels": labels} if labels else {})}
        body = {
            "metadata": meta,
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": encoded({"auths": auths})},
        }
        found = self.lab.create(namespace, "secrets", body)
        self.lab.set_account(namespace, imagePullSecrets=[*self.linked(namespace), name])
        return found

    def linked(self, namespace: str) -> list[str]:
        return [name for name in pull_names(self.lab.account(namespace)) if "-dockercfg-" not in name]

    def ours_in(self, *namespaces: str) -> list[str]:
        """Return the secrets in these namespaces that have our label."""
        label = "=".join(next(iter(OURS.items())))
        paths = [f"/api/v1/namespaces/{namespace}/secrets?labelSelector={label}" for namespace in namespaces]
        return [item["metadata"]["name"] for path in paths for item in self.lab.api("GET", path)["items"]]

    def delete(self, namespace: str, name: str) -> None:
        self.lab.api("DELETE", f"/api/v1/namespaces/{namespace}/secrets/{name}")


def encoded(content: dict[str, Any]) -> str:
    return b64(content)


def changed_tasks(done: Play) -> list[str]:
    """Return the tasks that changed something, with their entries, in order."""
    title, found = "", []
    for line in done.output.splitlines():
        if line.startswith("TASK ["):
            title = line.partition("]")[0]
        elif line.startswith("changed: "):
            found.append(f"{title}: {line.rpartition('(item=')[2]}")
    return found


@pytest.fixture
def cluster(lab: Lab, tmp_path: Path) -> Cluster:
    return Cluster(lab, tmp_path)


def entry(*namespaces: str, **more: Any) -> dict[str, Any]:
    return {"name": "pull", "namespaces": list(namespaces), "registries": [LOGIN], **more}


def delegating(*namespaces: str, **more: Any) -> dict[str, Any]:
    names = {"registry": "registry.example.com", "realm_host": "sso.example.com"}
    return {**LOGIN, **names, "namespaces": list(namespaces), **more}


def test_secrets_that_others_created_are_kept(lab, cluster, namespaces):
    """Each playbook run takes seconds, so one run covers six namespaces."""
    unneeded, untouched, unmerged, created, replaced, both = namespaces(6)
    kept = {
        # The registry itself accepts logins, so the second secret of delegated_auth is foreign.
        unneeded: cluster.put(unneeded, "redhat-connect-sso", THEIRS),
        untouched: cluster.put(untouched, "first", THEIRS),
        unmerged: cluster.put(unmerged, "second", {**THEIRS, "quay.io": THEIRS["old.example.com"]}),
    }
    cluster.put(replaced, "third", THEIRS)
    names = {unneeded: "redhat-connect-sso", untouched: "first", unmerged: "second", replaced: "third"}
    cluster.declare(
        secrets=[
            entry(untouched, created, name="first", update_existing=False),
            entry(unmerged, created, name="second", update_existing=False, mode="merge"),
            entry(replaced, name="third"),
        ],
        registries=[delegating(unneeded, realm_host="REGISTRY.example.com.:443"), delegating(both)],
    )
    output = " ".join(cluster.play("site").output.split())
    assert output.count("registry.example.com does not delegate its login") == 1
    assert cluster.linked(unneeded) == ["redhat-connect-sso", "private-registry"]
    assert cluster.linked(both) == ["private-registry", "redhat-connect-sso"]
    assert cluster.linked(created) == ["first", "second"]
    kept[replaced] = lab.get(replaced, "secrets", "third")

    output = " ".join(cluster.tear_down().split())
    for namespace, name in names.items():
        assert lab.get(namespace, "secrets", name) == kept[namespace]
        assert cluster.linked(namespace) == [name]
        assert f"secret {namespace}/{name} {KEPT}" in output
    for namespace in (created, both):
        assert cluster.linked(namespace) == []
    assert cluster.ours_in(unneeded, created, both) == []


@pytest.mark.slow
def test_the_guard_keeps_what_a_workload_needs_and_removes_the_rest(lab, cluster, namespaces):
    it = Scene(lab, namespaces(2))
    needed, spare = it.names
    access = {"image_pull_registry_ca_cert": lab.data["ca_cert"], "image_pull_realm_hosts": lab.registry_hosts}
    login = {"registry": it.host, **it.plain_login()}
    cluster.declare(secrets=[entry(needed, spare, registries=[login])], more={"image_pull_guard": "what_if", **access})
    cluster.play("site")
    it.deployment(it.image)
    refused = play("teardown", cluster.inventory).failed()
    told = refused.text
    begin = f"secret {needed}/pull was not changed, because"
    assert begin in told, told[-3000:]
    reason = told[told.index(begin) :][:500]
    assert "found that these would no longer get their image" in reason
    assert f"deployment {needed}/web, container app, image {it.image}" in reason
    assert cluster.ours_in(needed) == ["pull"]
    assert "pull" in cluster.linked(needed)
    assert (cluster.ours_in(spare), cluster.linked(spare)) == ([], [])
    it.pod()
    assert lab.pull(needed, "app")["pulled"]
    lab.api("DELETE", f"/apis/apps/v1/namespaces/{needed}/deployments/web", expect=(200,))
    lab.api("DELETE", f"/api/v1/namespaces/{needed}/pods/app?gracePeriodSeconds=0", expect=(200,))
    cluster.play("teardown")
    assert (cluster.ours_in(needed), cluster.linked(needed)) == ([], [])


@pytest.mark.slow
def test_merged_entries_are_removed_and_a_secret_without_others_is_deleted(lab, cluster, namespaces):
    created, theirs, shared, unlinked, early = namespaces(5)
    kept = cluster.put(theirs, "pull", THEIRS)
    cluster.put(early, "fourth", {"quay.io": {"auth": "eDp5"}}, labels=OURS)
    selected = entry(name="second", mode="merge", namespace_selector={"include": [created, shared]})
    del selected["namespaces"]
    cluster.declare(
        secrets=[
            entry(created, theirs, shared, mode="merge"),
            entry(created, name="first"),
            selected,
            entry(unlinked, name="third", mode="merge", service_accounts=[]),
            # site.yml has already removed this entry. Results belong to the entry at the same position in the list.
            entry(created, name="fifth", state="absent"),
            entry(early, name="fourth", mode="merge", state="absent"),
        ]
    )
    cluster.play("site")
    assert (cluster.ours_in(early), cluster.linked(early)) == ([], [])
    assert cluster.linked(created) == ["pull", "first", "second"]
    content = {"auths": {**lab.entries(shared, "pull"), **THEIRS}}
    lab.api("PATCH", f"/api/v1/namespaces/{shared}/secrets/pull", {"data": {".dockerconfigjson": encoded(content)}})

    cluster.tear_down()
    assert cluster.ours_in(created, unlinked) == []
    assert lab.get(theirs, "secrets", "pull")["data"] == kept["data"]
    assert lab.entries(shared, "pull") == THEIRS
    assert cluster.ours_in(shared) == ["pull"]
    assert [cluster.linked(namespace) for namespace in (created, theirs, shared)] == [[], ["pull"], ["pull"]]


@pytest.mark.slow
def test_a_teardown_completes_every_state_that_a_killed_run_leaves(lab, cluster, namespaces):
    """The states lie between two writes: unlinked, deleted and emptied secrets, for replace, merge and delegated_auth."""
    names = namespaces(11)
    replaced, merged, delegated = names[:4], names[4:8], names[8:]
    cluster.declare(
        secrets=[entry(*replaced), entry(*merged, mode="merge")],
        registries=[delegating(*delegated)],
    )
    cluster.play("site")
    for unlinked, deleted, emptied, gone in (replaced, merged):
        for namespace in (unlinked, gone):
            lab.set_account(namespace, imagePullSecrets=[])
        for namespace in (deleted, gone):
            cluster.delete(namespace, "pull")
        data = {".dockerconfigjson": encoded({"auths": {}})}
        lab.api("PATCH", f"/api/v1/namespaces/{emptied}/secrets/pull", {"data": data})
    lab.set_account(delegated[0], imagePullSecrets=[])
    for namespace in delegated[1:]:
        cluster.delete(namespace, "private-registry")
    cluster.delete(delegated[2], "redhat-connect-sso")

    cluster.tear_down()
    assert cluster.ours_in(*names) == []
    assert [cluster.linked(namespace) for namespace in names] == [[]] * len(names)


def _until_quiet(audit: Any) -> None:
    """Wait until nothing is written: workers of a killed Ansible notice its end within a second and finish their current write."""
    seen, quiet_since = audit.writes(), time.monotonic()
    while time.monotonic() < quiet_since + 3:
        time.sleep(0.2)
        now = audit.writes()
        if now != seen:
            seen, quiet_since = now, time.monotonic()


@pytest.mark.slow
def test_a_teardown_killed_repeatedly_at_its_first_write_is_completed(lab, cluster, namespaces):
    one, two, three = namespaces(3)
    cluster.declare(secrets=[entry(one), entry(two, mode="merge")], registries=[delegating(three)])
    cluster.play("site")
    command = ["ansible-playbook", "-i", cluster.inventory, f"{COLLECTION}.teardown"]
    for _kill in range(3):
        audit = lab.audit()
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 60
        while not audit.writes() and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
        run.wait(timeout=30)
        _until_quiet(audit)
    cluster.tear_down()
    assert cluster.ours_in(one, two, three) == []
    assert [cluster.linked(namespace) for namespace in (one, two, three)] == [[]] * 3


@pytest.mark.slow
def test_a_guarded_teardown_that_is_killed_never_takes_what_a_workload_needs(lab, cluster, namespaces, tmp_path):
    """It is killed during each judgement and at each write: of the declared entries, and of the prune of the owner."""
    it = Scene(lab, namespaces(2))
    needed, spare = it.names
    login = {"registry": it.host, **it.plain_login()}
    access = {"image_pull_registry_ca_cert": lab.data["ca_cert"], "image_pull_realm_hosts": lab.registry_hosts}
    more = {"image_pull_guard": "what_if", "image_pull_owner": f"team-{needed}", **access}
    left = [entry(needed, name="old", registries=[LOGIN])]
    declared = [entry(needed, spare, registries=[login]), entry(needed, name="unused")]
    cluster.declare(secrets=[*declared, *left], more=more)
    cluster.play("site")
    it.deployment(it.image)

    def write_inventory(kubeconfig: str) -> Path:
        cluster.declare(secrets=declared, more=more, kubeconfig=kubeconfig)
        return cluster.inventory

    def assert_works(name: str) -> None:
        assert "pull" in cluster.ours_in(needed)
        assert "pull" in cluster.linked(needed)
        it.pod(name=name)
        assert lab.pull(needed, name)["pulled"]
        lab.api("DELETE", f"/api/v1/namespaces/{needed}/pods/{name}?gracePeriodSeconds=0", expect=(200,))

    runs, kills = KilledRuns(lab, tmp_path), 0
    assert runs.kill_play("teardown", write_inventory, GUARD)
    assert_works("judged")
    while runs.kill_play("teardown", write_inventory, after=1):
        kills += 1
        assert_works(f"killed-{kills}")
    assert kills >= 2
    assert (cluster.ours_in(needed), cluster.linked(needed)) == (["pull"], ["pull"])
    assert (cluster.ours_in(spare), cluster.linked(spare)) == ([], [])
    write_inventory("")
    again = play("teardown", cluster.inventory).failed()
    assert f"deployment {needed}/web, container app" in again.text
    assert_works("after")
