# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook rotate replaces a login on two busy clusters without a failed pull, and in the end no copy of the dead old login is left."""

from __future__ import annotations

import base64
import itertools
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.background import repeat
from support.fleet import by_namespace, make_namespaces
from support.killed_runs import GUARD, KilledRuns
from support.lab import Audit, Following, Lab, path_of
from support.objects import b64
from support.playbooks import Play, forms, leaks, play, variables_file

#: Number of namespaces in both clusters together.
NAMESPACES = int(os.environ.get("IMAGE_PULL_ROTATED", "60"))
#: Maximum number of load pods that may wait for their pull.
AHEAD = 20
#: Seconds between two load pods of a cluster. A machine that is busy with the load alone tests the rotation much longer, and not better.
PAUSE = 0.2
#: Annotation that keeps a pull in the queue of a node that has read its secrets, and the number of such pods in each cluster.
QUEUED, QUEUED_PODS = "lab.openshift-ops.example.com/queued", 3
#: A rotation that does not wait for pulls lists the pods at most this often after its last write.
LOOKS = 6
NODE = ("--node", "node-1", "--recheck", "--status")
POOLS = "/apis/machineconfiguration.openshift.io/v1/machineconfigpools"
STREAMS = "/apis/image.openshift.io/v1/namespaces/{}/imagestreams"
#: The operator's retire tasks, which disable the account at the registry.
RETIRE = """
- name: Disable the old account
  ansible.builtin.command:
    argv: [{lab}, registry, --dir, "{{{{ hostvars[item].lab_directory }}}}", --disable, "{{{{ hostvars[item].credential_rotation_old.username }}}}", private]
  loop: "{{{{ ansible_play_hosts_all }}}}"
  changed_when: true
  vars: # ansible-core 2.16 takes the newest Python that is named in PATH, which may be none that works
    ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"
- name: Note that it is dead
  ansible.builtin.copy:
    content: ""
    dest: "{retired}"
    mode: "0600"
"""


def auth(login: dict[str, str]) -> str:
    return b64(f"{login['username']}:{login['password']}")


_numbers = itertools.count()


class Cluster:
    """A lab with the test's own namespaces and login. A rotation finds only the copies of this login."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.number = lab, next(_numbers)
        self.names: list[str] = []
        old, new = f"robot-{self.number}-1", f"robot-{self.number}-2"
        lab.registry_set("private", "--add", old)
        lab.registry_set("private", "--add", new, "--nasty")
        self.host, self.image = lab.registry("private")["host"], lab.registry("private")["image"]
        accounts = {account["username"]: account["password"] for account in lab.registry("private")["accounts"]}
        self.old = {"username": old, "password": accounts[old]}
        self.new = {"username": new, "password": accounts[new]}

    def namespaces(self, *names: str, timeout: float = 60.0) -> list[str]:
        """Create namespaces with these names and a number that makes them unique."""
        made = make_namespaces(self.lab, [f"{name}-{self.number}" for name in names], timeout=timeout)
        self.names += made
        return made

    def secret(self, namespace: str, name: str = "quay", **parts: Any) -> dict[str, Any]:
        """Create a secret with the old login and another entry."""
        entry = {"auth": auth(self.old), "email": "team@example.com"}
        content = json.dumps({"auths": {self.host: entry, "other.example.com": {"auth": "dTpw"}}})
        data = {".dockerconfigjson": b64(content)}
        meta = {"name": name, **parts.pop("metadata", {})}
        return self.lab.create(
            namespace, "secrets", {"metadata": meta, "type": "kubernetes.io/dockerconfigjson", "data": data, **parts}
        )

    def pod(
        self,
        namespace: str,
        name: str,
        policy: str = "IfNotPresent",
        restart: str = "Never",
        queued: bool = False,
        **more: Any,
    ) -> None:
        container = {"name": "app", "image": self.image, "imagePullPolicy": policy, **more.pop("container", {})}
        spec = {"containers": [container], "imagePullSecrets": [{"name": "quay"}], "restartPolicy": restart, **more}
        notes = {QUEUED: ""} if queued else {}
        self.lab.create(namespace, "pods", {"metadata": {"name": name, "annotations": notes}, "spec": spec})

    def queue(self, *namespaces: str) -> None:
        """Create a pod in each namespace whose pull stays in the queue of its node, which has read the secrets."""
        for name in namespaces:
            self.pod(name, "queued", "Always", queued=True)
        self.lab.until(lambda: all(map(self.is_taken_up, namespaces)), "the pods are queued")

    def is_taken_up(self, namespace: str, name: str = "queued") -> bool:
        pod = self.lab.get(namespace, "pods", name)
        return bool(pod and pod["status"].get("containerStatuses"))

    def set_state(self, namespace: str, pod: str, state: dict[str, Any], image_id: str = "") -> None:
        """Set the state of the container of a pod like a kubelet."""
        status = {"name": "app", "image": "i", "imageID": image_id, "ready": False, "restartCount": 0, "state": state}
        path = f"{path_of(namespace, 'pods', pod)}/status"
        self.lab.api("PATCH", path, {"status": {"containerStatuses": [status]}})

    def release(self, *namespaces: str) -> None:
        for name in namespaces:
            self.lab.api("PATCH", path_of(name, "pods", "queued"), {"metadata": {"annotations": {QUEUED: None}}})

    def logins(self) -> dict[str, str]:
        """Return the login for the registry by namespace."""
        found = by_namespace(self.lab, "/api/v1/secrets", "quay")
        contents = {
            name: base64.b64decode(secret["data"][".dockerconfigjson"])
            for name, secret in found.items()
            if name in self.names
        }
        return {name: json.loads(content)["auths"][self.host]["auth"] for name, content in contents.items()}

    def variables(self, **more: Any) -> dict[str, Any]:
        return {
            "image_pull_kubeconfig": self.lab.kubeconfig,
            "lab_directory": str(self.lab.dir),
            "credential_rotation_registries": [self.host],
            "credential_rotation_old": self.old,
            "credential_rotation_new": self.new,
            "credential_rotation_registry_ca_cert": self.lab.data["ca_cert"],
            "credential_rotation_secrets": self.declared,
            "credential_rotation_probe_timeout": 60,
            "credential_rotation_nodes_timeout": 60,
            **more,
        }

    def retire(self, directory: Path, **more: Any) -> dict[str, Any]:
        """The role's variables for tasks that disable the old account at once, and then leave the file `retired`."""
        tasks = directory / "retire.yml"
        tasks.write_text(RETIRE.format(lab=self.lab.binary, retired=directory / "retired"))
        given = {"retire_tasks": str(tasks), "soak_seconds": 0, **more}
        return {f"credential_rotation_{name}": value for name, value in given.items()}

    @property
    def declared(self) -> list[dict[str, Any]]:
        """The secrets in the test's own namespaces that the rotation may change."""
        return [{"name": name, "namespaces": self.names} for name in ("quay", "eso") if self.names]

    @property
    def canaries(self) -> set[str]:
        return {*forms(self.old["password"], self.old["username"]), *forms(self.new["password"], self.new["username"])}


def rotate(
    directory: Path,
    clusters: Sequence[Cluster],
    *options: str,
    details: Sequence[str] = ("--diff", "-vvv"),
    **variables: Any,
) -> Play:
    """Run the playbook on these clusters and check that it prints no credential."""
    hosts = {f"east-{number}": cluster.variables(**variables) for number, cluster in enumerate(clusters)}
    (directory / "hosts.yml").write_text(variables_file({"all": {"hosts": hosts}}))
    # The tasks that retire a login run modules of ansible-core, which would otherwise search for any Python on this host.
    python = ("-e", f"ansible_python_interpreter={sys.executable}")
    done = play("rotate", directory / "hosts.yml", *details, *python, *options, cwd=directory)
    for cluster in clusters:
        assert leaks(done.output, cluster.canaries) == []
    return done


@contextmanager
def starting(
    clusters: Sequence[Cluster], places: Sequence[Sequence[str]], nodes: Sequence[Following]
) -> Iterator[list[int]]:
    """Start pods all the time, in one namespace after the other. Half of them ask the registry each time.

    Only a limited number of pods may wait. On a busy machine, an ever longer queue would delay the rotation's own pods.
    """
    made, over = [0] * len(clusters), threading.Event()

    def start(number: int) -> None:
        for count, namespace in enumerate(itertools.cycle(places[number])):
            while not over.wait(PAUSE) and made[number] - nodes[number].ended() > AHEAD:
                pass
            if over.is_set():
                return
            clusters[number].pod(namespace, f"load-{count}", ("Always", "IfNotPresent")[count % 2])
            made[number] += 1

    threads = [threading.Thread(target=start, args=(number,)) for number in range(len(clusters))]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        over.set()
        for thread in threads:
            thread.join()


def waits_for_pulls(audit: Audit) -> bool:
    """Return whether the rotation has repeatedly listed the pods since its last write."""
    looks = 0
    for event in audit.ours():
        what = (event.get("objectRef", {}).get("resource"), event["verb"])
        is_probe = "labelSelector" in event["requestURI"]
        looks = 0 if what == ("secrets", "patch") else looks + (what == ("pods", "list") and not is_probe)
    return looks > LOOKS


@contextmanager
def released(queues: Sequence[tuple[Cluster, Sequence[str]]], retired: Path) -> Iterator[None]:
    """Release the queued pulls when the rotation waits for them, or when it has retired the login without waiting."""
    left = [(one, names, one.lab.audit()) for one, names in queues]

    def release() -> None:
        for each in [each for each in left if retired.exists() or waits_for_pulls(each[2])]:
            left.remove(each)
            one, names, _audit = each
            one.release(*names)

    with repeat(release, pause=1):
        yield


def failed_pull(message: str) -> dict[str, Any]:
    """The state of a container whose image the node failed to pull."""
    return {"waiting": {"reason": "ErrImagePull", "message": message}}


@contextmanager
def once(condition: Callable[[], bool], action: Callable[[], None]) -> Iterator[None]:
    """Run the action during the block, as soon as the condition is true."""
    has_acted = False

    def act() -> None:
        nonlocal has_acted
        if not has_acted and condition():
            has_acted = True
            action()

    with repeat(act):
        yield


@contextmanager
def reopened(lab: Lab) -> Iterator[None]:
    """Open the registry again at the end."""
    try:
        yield
    finally:
        lab.registry_set("private", "--open")


def refused(node: Following) -> list[Any]:
    return [(one["namespace"], one["pod"], one["images"]) for one in node.attempts() if not one["pulled"]]


@pytest.fixture(scope="module")
def labs(lab_factory: Callable[..., Lab]) -> list[Lab]:
    return [lab_factory("--platform", "standalone"), lab_factory()]


@pytest.fixture
def two(labs: list[Lab]) -> list[Cluster]:
    return [Cluster(lab) for lab in labs]


@pytest.fixture
def cluster(labs: list[Lab]) -> Cluster:
    return Cluster(labs[1])


@pytest.mark.newest_core
class TestUnderFire:
    @pytest.fixture
    def two(self, lab_factory: Callable[..., Lab], history: Callable[[Lab], list[str]]) -> Iterator[list[Cluster]]:
        """Separate labs, because thousands of pods stay on them."""
        labs = [lab_factory("--platform", "standalone"), lab_factory()]
        yield [Cluster(lab) for lab in labs]
        problems = [problem for lab in labs for problem in history(lab)]
        for lab in labs:
            lab.run("down", "--dir", str(lab.dir))
        assert not problems, "\n".join(problems)

    def test_no_pull_fails_and_the_old_login_ends_unused_and_disabled(self, two: list[Cluster], tmp_path: Path) -> None:
        places = [one.namespaces(*(f"team-{n}" for n in range(NAMESPACES // 2)), timeout=300) for one in two]
        for one, names in zip(two, places, strict=True):
            for name in names:
                one.secret(name)
        retire = two[0].retire(tmp_path)
        labs = [one.lab for one in two]
        with (
            labs[0].ready_node(),
            labs[1].ready_node(),
            labs[0].following(*NODE) as first,
            labs[1].following(*NODE) as second,
        ):
            nodes = [first, second]
            queues = [(one, names[:QUEUED_PODS]) for one, names in zip(two, places, strict=True)]
            for one, names in queues:
                one.queue(*names)
            with starting(two, places, nodes) as made, released(queues, tmp_path / "retired"):
                two[0].lab.until(lambda: all(len(node.attempts()) > 10 for node in nodes), "pods pull", 60)
                done = rotate(tmp_path, two, **retire).succeeded()
                # No login of the nodes is rotated. Each cluster has a plan of its own.
                assert "Pausing for" not in done.output
                asked = [one.lab.registry_counts("private")[one.old["username"]] for one in two]
                rotated = [len(node.attempts()) for node in nodes]
                two[0].lab.until(
                    lambda: all(len(node.attempts()) > count + 20 for node, count in zip(nodes, rotated, strict=True)),
                    "pods pull after the rotation",
                    60,
                )
            two[0].lab.until(
                lambda: all(len(node.attempts()) >= count for node, count in zip(nodes, made, strict=True)),
                "all have pulled",
                300,
            )
            assert [refused(node) for node in nodes] == [[], []]
            queued = [one["pod"] for node in nodes for one in node.attempts() if "read" in one]
            assert queued == ["queued"] * (QUEUED_PODS * len(two))
        for one, before in zip(two, asked, strict=True):
            assert set(one.logins().values()) == {auth(one.new)}
            # The old account sent no request after it was found to be dead.
            assert one.lab.registry_counts("private")[one.old["username"]] == before
            assert one.lab.registry_counts("private")[one.new["username"]]["pulls"] > 0
        rotate(
            tmp_path,
            two,
            **{**retire, "credential_rotation_retire_tasks": "", "credential_rotation_verify_revoked": True},
        ).unchanged()

    @pytest.mark.slow
    def test_recreating_the_secret_fails_while_the_registry_is_unreachable(self, cluster: Cluster) -> None:
        """The control shows the benefit of a rotation in place, and that the test above can fail."""
        lab = cluster.lab
        in_place, anew = cluster.namespaces("in-place", "anew")
        with lab.following(*NODE, in_place, anew) as node, reopened(lab):
            for name in (in_place, anew):
                cluster.secret(name)
                cluster.pod(name, "before")
            lab.until(lambda: len(node.attempts()) == 2, "the image is there")
            assert refused(node) == []
            lab.registry_set("private", "--close")
            # The recreated secret is tested first, because a login that once worked for an image on a node works there for all namespaces.
            for name in (anew, in_place):
                secret = lab.get(name, "secrets", "quay")
                assert secret is not None
                content = json.dumps({"auths": {cluster.host: {"auth": auth(cluster.new)}}}).encode()
                data = {".dockerconfigjson": b64(content)}
                path = path_of(name, "secrets", "quay")
                if name == in_place:
                    lab.api("PATCH", path, {"data": data})
                else:
                    lab.api("DELETE", path)
                    lab.create(name, "secrets", {"metadata": {"name": "quay"}, "type": secret["type"], "data": data})
                cluster.pod(name, "after")
            lab.until(lambda: all(node.of(name, "after") for name in (in_place, anew)), "both were tried")
            assert [one["pulled"] for one in node.of(in_place, "after")] == [True]
            assert not node.of(anew, "after")[0]["pulled"]


@pytest.mark.parametrize("options", [(), pytest.param(("--check",), marks=pytest.mark.slow)], ids=["run", "check mode"])
def test_two_logins_with_the_same_users_are_refused_in_one_run(
    cluster: Cluster, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """A user name such as oauth2accesstoken is that of each team. The secrets of one must not get the login of another."""
    role = {"name": "openshift_ops.image_pull.credential_rotation"}
    user = "oauth2accesstoken"
    given: dict[str, Any] = {
        "credential_rotation_registries": ["europe-docker.pkg.dev"],
        "credential_rotation_old": {"username": user},
        "credential_rotation_new": {"username": user, "password": "Token-of-team-a"},
        "credential_rotation_secrets": [{"namespace": "team-a", "name": "pull"}],
        "credential_rotation_allow": ["absent"],
        "credential_rotation_verify": False,
        "credential_rotation_probe": False,
    }
    other = {"credential_rotation_secrets": [{"namespace": "team-b", "name": "pull"}]}
    other["credential_rotation_new"] = {"username": user, "password": "Token-of-team-b"}
    tasks = [{"ansible.builtin.include_role": role, "vars": {**given, **more}} for more in ({}, {}, other)]
    (tmp_path / "play.yml").write_text(variables_file([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"east": {"ansible_connection": "local"}}}}))
    audit = cluster.lab.audit()
    done = play(
        tmp_path / "play.yml",
        tmp_path / "hosts.yml",
        *options,
        cwd=tmp_path,
        K8S_AUTH_KUBECONFIG=cluster.lab.kubeconfig,
    )
    assert (done.status != 0, audit.writes()) == (True, []), done.output
    assert done.output.count("TASK [openshift_ops.image_pull.credential_rotation : Continue if the plan is safe]") == (
        2 if options else 3
    )
    assert f"this run has already rotated another login for europe-docker.pkg.dev from user {user}" in done.text
    assert "Token-of-team" not in done.output


class TestSteps:
    @pytest.fixture
    def namespaces(self, cluster: Cluster) -> list[str]:
        names = cluster.namespaces("one", "two", "three")
        for name in names:
            cluster.secret(name)
        return names

    @pytest.mark.parametrize("count", [3, pytest.param(40, marks=pytest.mark.slow)])
    @pytest.mark.parametrize("has_entries", [False, True], ids=["unconfirmed", "confirmed"])
    def test_a_plan_fits_on_one_screen(self, cluster: Cluster, tmp_path: Path, count: int, has_entries: bool) -> None:
        for name in cluster.namespaces(*(f"team-{number:02}" for number in range(count))):
            cluster.secret(name)
        given = {"credential_rotation_secrets": [{"name": "quay", "namespaces": cluster.names}] if has_entries else []}
        dest = "credential_rotation_plan_dest=plan-{{ inventory_hostname }}.yml"
        done = rotate(tmp_path, [cluster], "--check", "-e", dest, details=(), **given).succeeded()
        assert len(done.output.splitlines()) <= 40 + min(count, 20), done.output
        assert len(yaml.safe_load((tmp_path / "plan-east-0.yml").read_text())["secrets"]) == count
        for number, name in enumerate(cluster.names):
            line = f'"{name}/quay"' if has_entries else f'- {{namespace: \\"{name}\\", name: \\"quay\\"}}'
            assert done.output.count(line) == (number < 20), done.output

    @pytest.mark.parametrize("login", ["old", "new"])
    def test_the_sentence_about_a_refused_login_is_printed_twice_at_most(
        self, cluster: Cluster, namespaces: list[str], tmp_path: Path, login: str
    ) -> None:
        """Ansible prints the error of a task, and its result."""
        for name in namespaces:
            cluster.pod(name, "app")
        wrong = {f"credential_rotation_{login}": {**getattr(cluster, login), "password": "canary-wrong-password"}}
        done = rotate(tmp_path, [cluster], "--check", details=(), **wrong).failed()
        sentence = {
            "old": "the user of one of the logins with another password",
            "new": f"{cluster.host} refuses the login",
        }
        assert 1 <= done.output.count(sentence[login]) <= 2, done.output
        assert len(done.output.splitlines()) <= 40, done.output

    def test_check_mode_shows_each_change_once_and_writes_nothing(
        self, cluster: Cluster, namespaces: list[str], tmp_path: Path
    ) -> None:
        with cluster.lab.no_writes():
            planned = rotate(tmp_path, [cluster], "--check").succeeded()
        assert planned.recap["changed"] == 1
        assert set(cluster.logins().values()) == {auth(cluster.old)}
        for name in namespaces:
            assert planned.output.count(f"+++ after: Secret {name}/quay") == 1

    @pytest.mark.slow
    def test_a_login_that_no_node_can_pull_with_stops_at_the_canary(
        self, cluster: Cluster, namespaces: list[str], tmp_path: Path
    ) -> None:
        """The registry answers the login's HEAD request for the manifest, but gives nothing to the nodes."""
        one, two, three = namespaces
        cluster.pod(two, "app", restart="Always")
        with cluster.lab.ready_node(), cluster.lab.following("--status", *namespaces):
            cluster.lab.until(lambda: cluster.is_taken_up(two, "app"), "the pod has its image", 60)
            done = rotate(
                tmp_path,
                [cluster],
                credential_rotation_new={"username": "wrong", "password": "canary-wrong-login"},
                credential_rotation_verify=False,
            )
        assert done.status != 0
        assert "pull_probe" in done.output.rpartition("[ERROR]")[2]
        logins = cluster.logins()
        assert (logins[one], logins[three]) == (auth(cluster.old), auth(cluster.old))
        assert logins[two] != auth(cluster.old)
        rotate(
            tmp_path,
            [cluster],
            credential_rotation_new={"username": "wrong", "password": "canary-wrong-login"},
            credential_rotation_rollback=True,
            credential_rotation_probe=False,
            credential_rotation_emergency=True,
        ).succeeded()
        assert set(cluster.logins().values()) == {auth(cluster.old)}

    def test_a_cluster_without_a_node_stops_before_the_canary(
        self, cluster: Cluster, namespaces: list[str], tmp_path: Path
    ) -> None:
        cluster.pod(namespaces[1], "app")
        with cluster.lab.no_writes():
            for given in (("--check",), ()):
                done = rotate(tmp_path, [cluster], *given).failed()
                assert "no node can test the new login: the cluster has no ready node" in done.output
        assert set(cluster.logins().values()) == {auth(cluster.old)}

    @pytest.mark.slow
    def test_run_after_a_stopped_canary_pulls_before_it_retires(self, cluster: Cluster, tmp_path: Path) -> None:
        """The canary has all confirmed secrets, so the next run has nothing to change."""
        (team,) = cluster.namespaces("team")
        cluster.secret(team)
        cluster.pod(team, "app")
        retire = cluster.retire(tmp_path)
        with cluster.lab.ready_node():
            for _run in range(2):  # No kubelet runs the pod of the probe.
                stopped = rotate(tmp_path, [cluster], **retire, credential_rotation_probe_timeout=5).failed()
                assert "pull_probe" in stopped.output.rpartition("[ERROR]")[2]
                assert cluster.logins() == {team: auth(cluster.new)}
                assert not (tmp_path / "retired").exists()
        with cluster.lab.following("--status", team):
            done = rotate(tmp_path, [cluster], **retire)
        assert done.status == 0, done.output
        assert (tmp_path / "retired").exists()

    @pytest.mark.slow
    def test_mistyped_login_is_refused_and_the_login_in_use_is_not_retired(
        self, cluster: Cluster, namespaces: list[str], tmp_path: Path
    ) -> None:
        lab = cluster.lab
        retire = cluster.retire(tmp_path)
        audit = lab.audit()
        mistyped = {**cluster.old, "password": "mistyped-password"}
        done = rotate(tmp_path, [cluster], **retire, credential_rotation_old=mistyped).failed()
        assert f"no secret has an entry for {cluster.host} with the user and password of" in done.text
        why = f"have the user of one of the logins with another password, for {cluster.host}."
        assert f"{', '.join(f'{name}/quay' for name in sorted(namespaces))} {why}" in done.text
        # The login exists, but the entry names another secret, so nothing is rotated and nothing is retired.
        named = [{"namespace": namespaces[0], "name": "mistyped"}]
        done = rotate(tmp_path, [cluster], **retire, credential_rotation_secrets=named).failed()
        assert "the old login was not retired: no secret has an entry for" in done.text
        assert (audit.writes(), "Disable the old account" in done.output) == ([], False)
        # Another tool has given the new login to one team, so a secret has one of the two logins.
        first, *others = namespaces
        given = json.dumps({"auths": {cluster.host: {"auth": auth(cluster.new)}}}).encode()
        data = {".dockerconfigjson": b64(given)}
        lab.api("PATCH", path_of(first, "secrets", "quay"), {"data": data})
        audit = lab.audit()
        done = rotate(tmp_path, [cluster], **retire, credential_rotation_old=mistyped).failed()
        assert "nothing was changed: 2 confirmed secrets have its user with another" in done.text
        why = f"have the user of the login to replace, but another password, for {cluster.host}."
        assert f"{', '.join(f'{name}/quay' for name in sorted(others))} {why}" in done.text
        assert f"{first}/quay" not in done.text
        assert (audit.writes(), "Disable the old account" in done.output) == ([], False)

    def test_only_a_login_that_the_registries_accept_is_retired(self, cluster: Cluster, tmp_path: Path) -> None:
        """No secret with the login is confirmed, and another one already has the new login, so no secret shows that it is mistyped."""
        live, done_before = cluster.namespaces("live", "done-before")
        cluster.secret(live)
        old, cluster.old = cluster.old, cluster.new
        cluster.secret(done_before)
        cluster.old = old
        # The role has a file of this name as well.
        retire = cluster.retire(tmp_path, probe=False, retire_tasks="retire.yml")
        nothing: dict[str, Any] = {"credential_rotation_secrets": []}
        refused = "nothing was retired: the registries refused the old login before, so it was retired earlier, or is mistyped"
        mistyped = {**old, "password": "mistyped-password"}
        done = rotate(tmp_path, [cluster], **retire, **nothing, credential_rotation_old=mistyped).succeeded()
        assert refused in done.text
        assert "or the user name or the password in credential_rotation_old is mistyped." in done.text
        why = f"has the user of one of the logins with another password, for {cluster.host}."
        assert f"{live}/quay {why}" in done.text
        assert ("Disable the old account" in done.output, (tmp_path / "retired").exists()) == (False, False)
        done = rotate(tmp_path, [cluster], **retire, credential_rotation_guard="what_if").succeeded()
        assert (tmp_path / "retired").exists()
        assert "the registry refuses the old login" in done.output
        assert done.output.count("TASK [Result]") == 1
        assert "Evaluate the pulls without the old login" in done.output
        assert "[WARNING]: Change 1" not in done.output, "no secret has the old login any more, as it should be"

    @pytest.mark.slow
    def test_a_login_that_is_unknown_or_already_retired_is_not_retired(self, cluster: Cluster, tmp_path: Path) -> None:
        cluster.secret(*cluster.namespaces("team"))
        retire = cluster.retire(tmp_path, probe=False)
        # Without a password, the registries cannot be asked.
        unknown = {"credential_rotation_secrets": [], "credential_rotation_old": {"username": "mistyped-user"}}
        done = rotate(tmp_path, [cluster], **retire, **unknown).failed()
        assert "without the password of credential_rotation_old, it is not known whether" in done.text
        assert not (tmp_path / "retired").exists()
        assert rotate(tmp_path, [cluster], **retire).status == 0
        (tmp_path / "retired").unlink()
        again = rotate(tmp_path, [cluster], **retire).unchanged()
        assert "nothing was retired: the registries refused the old login before" in again.text
        assert not (tmp_path / "retired").exists()

    @pytest.mark.slow
    def test_the_end_of_a_rotation_runs_on_its_own(self, cluster: Cluster, tmp_path: Path) -> None:
        """A play with the entry point `finish` has no plan. A login of a confirmed secret with another password does not stop it."""
        (team,) = cluster.namespaces("team")
        cluster.secret(team)
        assert rotate(tmp_path, [cluster], credential_rotation_probe=False).status == 0
        old, cluster.old = cluster.old, {**cluster.old, "password": "earlier-password"}
        cluster.secret(team, "eso")
        cluster.old = old
        role = {"name": "openshift_ops.image_pull.credential_rotation", "tasks_from": "finish"}
        defaults = {"group/openshift_ops.image_pull.k8s": {"kubeconfig": "{{ image_pull_kubeconfig }}"}}
        end = {"hosts": "all", "connection": "local", "gather_facts": False, "module_defaults": defaults}
        tasks = [{"ansible.builtin.import_role": role}]
        (tmp_path / "end.yml").write_text(yaml.safe_dump([{**end, "tasks": tasks}]))
        retire = cluster.retire(tmp_path, nodes=False)

        def finish(others: dict[str, Any] | None = None, **variables: Any) -> Play:
            hosts = {"east-0": cluster.variables(**retire, **variables), **(others or {})}
            (tmp_path / "hosts.yml").write_text(variables_file({"all": {"hosts": hosts}}))
            python = ("-e", f"ansible_python_interpreter={sys.executable}")
            return play(tmp_path / "end.yml", tmp_path / "hosts.yml", *python, cwd=tmp_path)

        mistyped = finish(credential_rotation_old={**old, "password": "mistyped-password"}).failed()
        assert "1 confirmed secret has its user with another password" in mistyped.text
        assert not (tmp_path / "retired").exists()
        west = {**cluster.variables(**retire), "image_pull_kubeconfig": str(tmp_path / "none")}
        failed = finish({"west-0": west}).text
        assert "clusters of this play have failed or cannot be reached, and they may still use it: west-0" in failed
        assert not (tmp_path / "retired").exists()
        finish().succeeded()
        assert (tmp_path / "retired").exists()

    @pytest.mark.slow
    def test_login_that_the_inventory_declares_is_not_retired(self, cluster: Cluster, tmp_path: Path) -> None:
        lab = cluster.lab
        (team,) = cluster.namespaces("team")
        retire = cluster.retire(tmp_path)
        registry = {"registry": cluster.host, "username": "{{ team.username }}", "password": "{{ team.password }}"}
        entry = {"name": "quay", "namespaces": [team], "registries": [registry]}
        (tmp_path / "group_vars").mkdir()
        (tmp_path / "group_vars" / "all.yml").write_text(yaml.safe_dump({"private_registry_secrets_team": [entry]}))
        cluster.secret(team)
        audit = lab.audit()
        checked = rotate(tmp_path, [cluster], "--check", **retire, team=cluster.old)
        refused = rotate(tmp_path, [cluster], **retire, team=cluster.old)
        assert checked.status == refused.status != 0
        assert "nothing was changed: the inventory of east-0 declares the login" in checked.text
        where = f"private_registry_secrets_team[0].registries[0] ({cluster.host}), password variable: team.password"
        assert "nothing was changed: the inventory of east-0 declares the login to replace" in refused.text
        assert where in refused.text
        # Someone edits the user name, and forgets the password.
        half = rotate(tmp_path, [cluster], **retire, team={**cluster.new, "password": cluster.old["password"]}).failed()
        assert f"({cluster.host}), the user name is the new one, the password is not, password variable:" in half.text
        assert audit.writes() == []
        # An emergency run rotates the login but does not retire it.
        done = rotate(tmp_path, [cluster], **retire, team=cluster.old, credential_rotation_emergency=True).failed()
        assert where in done.text
        assert cluster.logins() == {team: auth(cluster.new)}
        assert "Disable the old account" not in done.output
        done = rotate(tmp_path, [cluster], **retire, team=cluster.new, credential_rotation_probe=False).succeeded()
        assert "Disable the old account" in done.output
        again = rotate(
            tmp_path, [cluster], "--check", **retire, team=cluster.new, credential_rotation_probe=False
        ).succeeded()
        assert "retire_tasks would not run, and nothing would be retired" in again.text

    @pytest.mark.slow
    def test_login_that_a_workload_needs_is_not_retired_with_the_guard(self, cluster: Cluster, tmp_path: Path) -> None:
        lab = cluster.lab
        rotated, forgotten = cluster.namespaces("rotated", "forgotten")
        cluster.secret(rotated)
        # The old login in a secret that the rotation is not allowed to change.
        cluster.secret(forgotten, name="copy")
        cluster.pod(forgotten, "app", imagePullSecrets=[{"name": "copy"}])
        retire = cluster.retire(tmp_path, guard="what_if", probe=False)
        refused = rotate(tmp_path, [cluster], **retire).failed()
        begin = "the old login was not retired: workloads would no longer get their image without it"
        assert begin in refused.text
        reason = refused.text[refused.text.index(begin) :][:1000]
        assert f"Pod {forgotten}/app (app, {cluster.image})" in reason
        assert "refuses the login" in reason
        assert "credential_rotation_guard: false" in reason
        assert cluster.logins()[rotated] == auth(cluster.new)
        assert "Disable the old account" not in refused.output
        lab.api("DELETE", path_of(forgotten, "pods", "app") + "?gracePeriodSeconds=0")
        done = rotate(tmp_path, [cluster], **retire).succeeded()
        assert "Disable the old account" in done.output

    @pytest.mark.slow
    def test_strict_guard_does_not_retire_a_login_that_an_unknown_workload_may_need(
        self, cluster: Cluster, tmp_path: Path
    ) -> None:
        lab = cluster.lab
        (rotated,) = cluster.namespaces("rotated")
        cluster.secret(rotated)
        # The old login in a secret that the rotation is not allowed to change, and another one. No registry is asked whether it works.
        cluster.secret(rotated, name="copy")
        old, cluster.old = cluster.old, {**cluster.new, "password": "other-password"}
        cluster.secret(rotated, name="other")
        cluster.old = old
        container = {"name": "app", "image": cluster.image}
        template = {
            "metadata": {"labels": {"app": "app"}},
            "spec": {"containers": [container], "imagePullSecrets": [{"name": "copy"}, {"name": "other"}]},
        }
        spec = {"replicas": 0, "selector": {"matchLabels": {"app": "app"}}, "template": template}
        deployment = {"metadata": {"name": "app"}, "spec": spec}
        lab.api("POST", f"/apis/apps/v1/namespaces/{rotated}/deployments", deployment)
        retire = cluster.retire(tmp_path, guard="what_if_strict", probe=False, verify=False)
        refused = rotate(tmp_path, [cluster], **retire).failed()
        assert "the old login was not retired: (1) credential_rotation_guard is what_if_strict" in refused.text
        assert f"Deployment {rotated}/app (app, {cluster.image})" in refused.text
        assert "so they do not stop its retirement" not in refused.text
        assert "Disable the old account" not in refused.output
        done = rotate(tmp_path, [cluster], **{**retire, "credential_rotation_guard": "what_if"}).succeeded()
        assert "Disable the old account" in done.output

    @pytest.mark.slow
    def test_login_is_retired_once_or_not_at_all_if_guarded_runs_are_killed(
        self, cluster: Cluster, tmp_path: Path
    ) -> None:
        """Killed while the guard reads, with and without a workload that needs the login, and after the retire tasks."""
        lab, retired = cluster.lab, tmp_path / "retired"
        rotated, forgotten = cluster.namespaces("rotated", "forgotten")
        cluster.secret(rotated)
        cluster.secret(forgotten, name="copy")
        cluster.pod(forgotten, "app", imagePullSecrets=[{"name": "copy"}])
        retire = cluster.retire(tmp_path, guard="what_if", probe=False)

        def write_inventory(kubeconfig: str) -> Path:
            host = {**cluster.variables(**retire), "image_pull_kubeconfig": kubeconfig}
            (tmp_path / "hosts.yml").write_text(variables_file({"all": {"hosts": {"east-0": host}}}))
            return tmp_path / "hosts.yml"

        runs = KilledRuns(lab, tmp_path)
        assert runs.kill_play("rotate", write_inventory, GUARD)
        assert not retired.exists()
        assert cluster.logins()[rotated] == auth(cluster.new)
        assert not runs.kill_play("rotate", write_inventory, GUARD, until=retired.exists), "the login was not refused"
        assert not retired.exists()
        lab.api("DELETE", path_of(forgotten, "pods", "app") + "?gracePeriodSeconds=0")
        assert runs.kill_play("rotate", write_inventory, GUARD)
        assert not retired.exists()
        assert runs.kill_play("rotate", write_inventory, "^GET ", until=retired.exists)
        assert cluster.logins()[rotated] == auth(cluster.new)
        rotate(tmp_path, [cluster], **retire).succeeded()
        assert cluster.logins()[rotated] == auth(cluster.new)

    def test_guard_without_the_password_of_a_user_that_stays_is_refused(self, cluster: Cluster, tmp_path: Path) -> None:
        cluster.secret(*cluster.namespaces("same-user"))
        with cluster.lab.no_writes():
            done = rotate(
                tmp_path,
                [cluster],
                credential_rotation_old={"username": cluster.new["username"]},
                credential_rotation_guard="what_if",
                credential_rotation_retire_tasks=str(tmp_path / "retire.yml"),
            ).failed()
        assert (
            "credential_rotation_guard: what_if needs the password of credential_rotation_old, because the user name stays"
            in done.text
        )

    @pytest.mark.slow
    def test_site_does_not_write_a_retired_login_back(self, cluster: Cluster, tmp_path: Path) -> None:
        lab, old = cluster.lab, cluster.old
        rotated, other = cluster.namespaces("rotated", "other")
        cluster.old = cluster.new
        cluster.secret(rotated)
        lab.registry_set("private", "--disable", old["username"])

        def entry(namespace: str, login: str) -> list[dict[str, Any]]:
            proof = {"verify": True, "registry_ca_cert": lab.data["ca_cert"]}
            registry = {
                "registry": cluster.host,
                **{one: f"{{{{ {login}.{one} }}}}" for one in ("username", "password")},
            }
            return [{"name": "quay", "namespaces": [namespace], "registries": [registry], **proof}]

        declared = {
            "private_registry_secrets_a": entry(rotated, "old"),
            "private_registry_secrets_b": entry(other, "new"),
        }
        (tmp_path / "group_vars").mkdir()
        (tmp_path / "group_vars" / "all.yml").write_text(yaml.safe_dump(declared))
        hosts = {"east": {"image_pull_kubeconfig": lab.kubeconfig, "old": old, "new": cluster.new}}
        (tmp_path / "hosts.yml").write_text(variables_file({"all": {"hosts": hosts}}))
        done = play("site", tmp_path / "hosts.yml", cwd=tmp_path, no_proxy="*").failed()
        assert f"The secret has another login for {cluster.host}, and the registry accepts that one" in done.text
        assert leaks(done.output, cluster.canaries) == []
        assert cluster.logins() == {rotated: auth(cluster.new), other: auth(cluster.new)}

    @pytest.mark.slow
    def test_a_cluster_without_the_login_and_a_mistyped_image_stop_no_other_cluster(
        self, two: list[Cluster], tmp_path: Path
    ) -> None:
        (team,) = two[0].namespaces("team")
        two[0].secret(team)
        two[0].image = f"{two[0].host}/team/typo:v1"
        two[0].pod(team, "typo")
        two[1].old, two[1].new = two[0].old, two[0].new
        two[1].host = two[0].host
        done = rotate(tmp_path, two, credential_rotation_registry_ca_cert=two[0].lab.data["ca_cert"]).succeeded()
        assert two[0].logins() == {team: auth(two[0].new)}
        assert f"{two[0].image} is in use, but neither login can pull it" in done.text
        assert "so no node tests it before all namespaces get it" in done.text

    @pytest.mark.slow
    def test_a_pod_whose_failure_its_node_hid_before_stops_nothing(
        self, cluster: Cluster, namespaces: list[str], tmp_path: Path
    ) -> None:
        """The registry always refuses the pod's image, but the node reports that only after the plan."""
        cluster.pod(namespaces[0], "limited", restart="Always")
        cluster.set_state(namespaces[0], "limited", failed_pull("pull QPS exceeded"))
        audit = cluster.lab.audit()
        with once(
            lambda: bool(audit.writes()),
            lambda: cluster.set_state(
                namespaces[0], "limited", failed_pull("requested access to the resource is denied")
            ),
        ):
            done = rotate(tmp_path, [cluster], credential_rotation_probe=False)
        assert done.status == 0, done.output
        assert set(cluster.logins().values()) == {auth(cluster.new)}
        assert '"cause": "denied"' in done.output

    @pytest.mark.slow
    def test_a_pod_that_fails_after_the_retirement_is_reported(
        self, cluster: Cluster, namespaces: list[str], tmp_path: Path
    ) -> None:
        """The run cannot undo the retirement, so it fails and names the pod and the way back."""
        cluster.pod(namespaces[0], "restarted", "Always", restart="Always")
        cluster.set_state(namespaces[0], "restarted", {"running": {}}, image_id="sha256:1")
        with once(
            (tmp_path / "retired").exists,
            lambda: cluster.set_state(namespaces[0], "restarted", failed_pull("unauthorized: authentication required")),
        ):
            done = rotate(tmp_path, [cluster], **cluster.retire(tmp_path, probe=False)).failed()
        assert "stopped: registries reject the login of pods that did not fail before" in done.text
        assert f"{namespaces[0]}/restarted ({cluster.image}, unauthorized)" in done.text
        assert "The old login is retired. If these pods need it, enable it again at the registry." in done.text

    @pytest.mark.slow
    def test_a_failed_wave_is_the_last_wave(self, two: list[Cluster], tmp_path: Path) -> None:
        (first,), (second,) = (one.namespaces("team") for one in two)
        two[0].secret(first)
        two[1].secret(second)
        # Both clusters have the same content, but only the first has a secret that a controller reverts.
        two[0].secret(first, "eso", metadata={"labels": {"reconcile.external-secrets.io/managed": "true"}})
        with two[1].lab.no_writes():
            done = rotate(tmp_path, two, credential_rotation_probe=False).failed()
            assert "External Secrets writes this secret: change the login at its source" in done.output
            assert two[0].logins() == {first: auth(two[0].new)}

    @pytest.mark.slow
    def test_the_nodes_come_last_and_are_waited_for(self, two: list[Cluster], tmp_path: Path) -> None:
        one = two[0]
        lab = one.lab
        (team,) = one.namespaces("team")
        one.secret(team)
        path = path_of("openshift-config", "secrets", "pull-secret")
        content = json.loads(base64.b64decode(lab.api("GET", path)["data"][".dockerconfigjson"]))
        content["auths"][one.host] = {"auth": auth(one.old)}
        data = {".dockerconfigjson": b64(content)}
        lab.api("PATCH", path, {"data": data})
        audit = lab.audit()
        planned = rotate(tmp_path, [one], "--check")
        assert (planned.status, audit.writes()) == (0, []), planned.output
        for changed in (f"{team}/quay", "openshift-config/pull-secret"):
            assert planned.output.count(f"+++ after: Secret {changed}") == 1
        assert "would update 2 secrets in 2 namespaces" in planned.output.rpartition("TASK [Result of the wave]")[2]
        lab.api("PATCH", f"{POOLS}/worker", {"spec": {"paused": True}})
        paused = rotate(tmp_path, [one], credential_rotation_probe=False).failed()
        assert "machines of paused pools would not get it: worker" in paused.text
        assert one.logins() == {team: auth(one.new)}
        rotate(
            tmp_path, [one], credential_rotation_probe=False, credential_rotation_nodes_allow_paused=True
        ).succeeded()
        (tmp_path / "retire.yml").write_text("- ansible.builtin.debug:\n    msg: the login is retired\n")
        too_early = rotate(
            tmp_path,
            [one],
            credential_rotation_probe=False,
            credential_rotation_retire_tasks=str(tmp_path / "retire.yml"),
        ).failed()
        assert "have the pull secret: machine config pool worker is paused" in too_early.text
        assert "the login is retired" not in too_early.output
        lab.api("PATCH", f"{POOLS}/worker", {"spec": {"paused": False}})
        rotate(tmp_path, [one], credential_rotation_probe=False).succeeded()
        after = json.loads(base64.b64decode(lab.api("GET", path)["data"][".dockerconfigjson"]))["auths"]
        assert after == {**content["auths"], one.host: {"auth": auth(one.new)}}

    @pytest.mark.slow
    def test_the_additional_secret_of_a_hosted_cluster_is_changed_and_merged(
        self, lab_factory: Callable[..., Lab], tmp_path: Path
    ) -> None:
        one = Cluster(lab_factory("--platform", "hosted"))
        lab, key = one.lab, f"{one.host}/team"
        content = json.dumps({"auths": {key: {"auth": auth(one.old)}}})
        data = {".dockerconfigjson": b64(content)}
        secret = {"type": "kubernetes.io/dockerconfigjson", "data": data}
        lab.create("kube-system", "secrets", {"metadata": {"name": "additional-pull-secret"}, **secret})
        rotate(tmp_path, [one], credential_rotation_probe=False).succeeded()
        assert lab.entries("kube-system", "global-pull-secret")[key] == {"auth": auth(one.new)}
        lab.run("down", "--dir", str(lab.dir))

    @pytest.mark.slow
    def test_images_that_could_not_be_imported_are_imported_again(
        self, cluster: Cluster, namespaces: list[str], tmp_path: Path
    ) -> None:
        lab = cluster.lab
        lab.registry_set("private", "--disable", cluster.old["username"])
        source = {"kind": "DockerImage", "name": cluster.image}
        failed = {
            "type": "ImportSuccess",
            "status": "False",
            "reason": "Unauthorized",
            "message": "you may not have access",
            "generation": 1,
        }
        stream = {
            "apiVersion": "image.openshift.io/v1",
            "kind": "ImageStream",
            "metadata": {"name": "app"},
            "spec": {"tags": [{"name": "v1", "from": source}]},
            "status": {"tags": [{"tag": "v1", "conditions": [failed]}]},
        }
        lab.api("POST", STREAMS.format(namespaces[0]), stream)
        careful = rotate(tmp_path, [cluster]).failed()
        assert "Set credential_rotation_emergency: true" in careful.text
        rotate(tmp_path, [cluster], credential_rotation_emergency=True).succeeded()
        (tag,) = lab.api("GET", f"{STREAMS.format(namespaces[0])}/app")["status"]["tags"]
        assert tag["items"]

    @pytest.mark.slow
    def test_a_command_gives_a_login_that_lives_a_short_time(
        self, cluster: Cluster, namespaces: list[str], tmp_path: Path
    ) -> None:
        (tmp_path / "token").write_text(cluster.new["password"] + "\n")
        short: dict[str, Any] = {
            "credential_rotation_old": {"username": cluster.new["username"]},
            "credential_rotation_new": {"username": cluster.new["username"], "expires": "2126-01-01T00:00:00Z"},
            "credential_rotation_new_command": ["cat", str(tmp_path / "token")],
            "credential_rotation_probe": False,
        }
        stale = Cluster.__new__(Cluster)
        stale.__dict__.update(cluster.__dict__, old={**cluster.new, "password": "expired"})
        (four,) = cluster.namespaces("four")
        stale.secret(four)
        late = rotate(tmp_path, [cluster], **short, credential_rotation_next_rotation_seconds=10**10).failed()
        assert "before the next run" in late.output
        dead = rotate(tmp_path, [cluster], **short, credential_rotation_next_rotation_seconds=3600).failed()
        assert "the registries accept the login of none of the 1 confirmed secret" in dead.text
        assert cluster.logins()[four] == auth(stale.old)
        rotate(
            tmp_path,
            [cluster],
            **short,
            credential_rotation_next_rotation_seconds=3600,
            credential_rotation_emergency=True,
        ).succeeded()
        assert cluster.logins()[four] == auth(cluster.new)
        assert cluster.logins()[namespaces[0]] == auth(cluster.old)

    def test_a_secret_without_an_answer_is_not_written_and_the_login_is_not_retired(
        self, cluster: Cluster, namespaces: list[str], tmp_path: Path
    ) -> None:
        """Its user has written more wrong passwords than the rotation asks about. It is in a canary namespace."""
        hers = cluster.namespaces("hers")[0]
        auths = {
            f"{cluster.host}{path}": {"auth": auth({**cluster.old, "password": f"a-guess{path}"})}
            for path in ("", "/team", "/a", "/b")
        }
        data = {".dockerconfigjson": b64({"auths": auths})}
        body = {"metadata": {"name": "quay"}, "type": "kubernetes.io/dockerconfigjson", "data": data}
        created = cluster.lab.create(hers, "secrets", body)
        user, canaries = {"username": cluster.old["username"]}, [hers, namespaces[0]]
        given = cluster.retire(tmp_path, old=user, canary_namespaces=canaries)
        done = rotate(tmp_path, [cluster], **given).failed()
        assert not (tmp_path / "retired").exists()
        assert f"{hers}/quay: its login was not verified, because it has more than 3 different ones" in done.text
        after = cluster.lab.get(hers, "secrets", "quay")
        assert (after["data"], after["metadata"]["resourceVersion"]) == (
            data,
            created["metadata"]["resourceVersion"],
        )
        assert {cluster.logins()[name] for name in namespaces} == {auth(cluster.new)}

    @pytest.mark.slow
    def test_the_nodes_keep_a_login_without_an_answer_and_the_run_fails(
        self, two: list[Cluster], tmp_path: Path
    ) -> None:
        one = two[0]
        (team,) = one.namespaces("team")
        one.secret(team)
        path = path_of("openshift-config", "secrets", "pull-secret")
        content = json.loads(base64.b64decode(one.lab.api("GET", path)["data"][".dockerconfigjson"]))
        content["auths"][one.host] = {"auth": auth({**one.old, "password": "expired"})}
        data = {".dockerconfigjson": b64(content)}
        one.lab.api("PATCH", path, {"data": data})
        given = {"credential_rotation_old": {"username": one.old["username"]}, "credential_rotation_probe": False}
        done = rotate(tmp_path, [one], **given).failed()
        assert (one.logins(), one.lab.api("GET", path)["data"]) == ({team: auth(one.new)}, data)
        assert (
            "The pull secret of the nodes was not changed: openshift-config/pull-secret: its own login is not accepted"
            in done.text
        )
        rotate(tmp_path, [one], **given, credential_rotation_emergency=True).succeeded()
        after = json.loads(base64.b64decode(one.lab.api("GET", path)["data"][".dockerconfigjson"]))["auths"]
        assert after[one.host] == {"auth": auth(one.new)}

    @pytest.mark.slow
    def test_a_confirmed_plan_is_carried_out_and_nothing_else(
        self, cluster: Cluster, namespaces: list[str], tmp_path: Path
    ) -> None:
        lab, plan = cluster.lab, tmp_path / "plan-east-0.yml"
        nothing: dict[str, Any] = {"credential_rotation_secrets": [], "credential_rotation_probe": False}
        audit = lab.audit()
        unconfirmed = rotate(tmp_path, [cluster], **nothing).failed()
        assert (
            "3 secrets in 3 namespaces hold the old login, or may hold it. None of them is declared" in unconfirmed.text
        )
        assert f'for example - {{namespace: "{namespaces[0]}", name: "quay"}}'.replace('"', '\\"') in unconfirmed.text
        dest = "credential_rotation_plan_dest=plan-{{ inventory_hostname }}.yml"
        written = rotate(tmp_path, [cluster], "--check", "-e", dest, **nothing)
        assert (written.status, audit.writes()) == (0, []), written.output
        document = yaml.safe_load(plan.read_text())
        assert plan.stat().st_mode & 0o777 == 0o600
        assert leaks(plan.read_text(), {*forms(cluster.old["password"]), *forms(cluster.new["password"])}) == []
        assert [row["namespace"] for row in document["secrets"]] == sorted(namespaces)
        (left,) = cluster.namespaces("planted-later")
        cluster.secret(left)
        document["secrets"] = [row for row in document["secrets"] if row["namespace"] != namespaces[2]]
        plan.write_text(yaml.safe_dump(document))
        given = ("-e", "credential_rotation_plan=plan-{{ inventory_hostname }}.yml")
        for changed, said in (
            ({"server": "https://other.example.com:6443"}, "is for the cluster https://other.example.com:6443"),
            (
                {"secrets": [{**document["secrets"][0], "name": "{{ lookup('pipe', 'touch evaluated') }}"}]},
                "cannot be the name",
            ),
        ):
            plan.write_text(yaml.safe_dump({**document, **changed}))
            refused = rotate(tmp_path, [cluster], *given, **nothing).failed()
            assert said in refused.text
        assert (audit.writes(), [*tmp_path.glob("evaluated")]) == ([], [])
        plan.write_text(yaml.safe_dump(document))
        done = rotate(tmp_path, [cluster], *given, **nothing).succeeded()
        expected = {name: auth(cluster.new) for name in namespaces[:2]}
        assert cluster.logins() == {**expected, namespaces[2]: auth(cluster.old), left: auth(cluster.old)}
        lines = [f'- {{namespace: \\"{name}\\", name: \\"quay\\"}}' for name in (namespaces[2], left)]
        assert all(line in done.output for line in lines), "they are named"
        nothing["credential_rotation_rollback"] = True
        old, new = cluster.old["username"], cluster.new["username"]
        checked = rotate(tmp_path, [cluster], *given, "--check", **nothing)
        assert f"2 secrets would get the login of {old} back, instead of that of {new} for" in checked.output
        back = rotate(tmp_path, [cluster], *given, **nothing).succeeded()
        assert (
            f'"2 secrets updated in 2 namespaces: they have the login of {old} again, 0 confirmed secrets left with the '
            f'login of {new}"' in back.output
        )
        assert set(cluster.logins().values()) == {auth(cluster.old)}
