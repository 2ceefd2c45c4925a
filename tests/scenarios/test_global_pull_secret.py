# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role `global_pull_secret` writes the correct secret on each kind of cluster, refuses unsafe changes, and waits for the nodes."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.hosted import content_hash
from support.audited import Scene
from support.fleet import make_namespaces
from support.hostile_proxy import HostileProxy
from support.hypershift import host_a_cluster
from support.killed_runs import GUARD, KilledRuns
from support.lab import Audit, Lab, path_of
from support.logins import token_kubeconfig
from support.modules import run_module
from support.objects import b64
from support.playbooks import Play, forms, leaks, play

PASSWORD = "Canary-node-login-88"
VAULT_PASSWORD = "canary of the copies"
CANARIES = {*forms(PASSWORD, "robot"), VAULT_PASSWORD}
POOLS = "/apis/machineconfiguration.openshift.io/v1/machineconfigpools"
CONFIGS = "/apis/machineconfiguration.openshift.io/v1/machineconfigs"
OS_CONFIGS = "/apis/machineconfiguration.openshift.io/v1/machineosconfigs"
RELEASE_IMAGES = "/apis/machineconfiguration.openshift.io/v1/internalreleaseimages"
INFRASTRUCTURE = "/apis/config.openshift.io/v1/infrastructures/cluster"
VERSION = "/apis/config.openshift.io/v1/clusterversions/version"
ANNOTATION = "lab.openshift-ops.example.com"
RELEASE = {"localhost:22625", "api-int.lab.example.com:22625"}
PLATFORM = {"cloud.openshift.com", "quay.io", "registry.connect.redhat.com", "registry.redhat.io"}
PLAYBOOK = """
- hosts: all
  connection: local
  gather_facts: false
  module_defaults:
    group/openshift_ops.image_pull.k8s:
      kubeconfig: "{{ image_pull_kubeconfig }}"
  roles:
    - openshift_ops.image_pull.global_pull_secret
"""


def login(registry: str, password: str = PASSWORD) -> dict[str, str]:
    return {"registry": registry, "username": "robot", "password": password}


def file_of(*registries: str) -> dict[str, Any]:
    """Return Docker's config.json with the same login for each registry."""
    entry = {"auth": b64(f"robot:{PASSWORD}")}
    return {"auths": dict.fromkeys(registries, entry)}


class Nodes:
    """A lab with a controller that distributes the nodes' pull secret."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab, self.directory = lab, directory

    def write_inventory(self, kubeconfig: str = "", **variables: Any) -> Path:
        """Write a play of the role with these variables, and return the path of its inventory."""
        named = {f"global_pull_secret_{name}": value for name, value in variables.items()}
        (self.directory / "play.yml").write_text(PLAYBOOK)
        (self.directory / "vault").write_text(VAULT_PASSWORD)
        server = {"image_pull_kubeconfig": kubeconfig or self.lab.kubeconfig}
        host = {**server, "global_pull_secret_wait_timeout": 20, **named}
        (self.directory / "hosts.yml").write_text(yaml.dump({"all": {"hosts": {"east": host}}}))
        return self.directory / "hosts.yml"

    def run(self, *options: str, **variables: Any) -> Play:
        """Run the role with these variables. `registries` sets `global_pull_secret_registries`, and so on."""
        self.write_inventory(**variables)
        password = ("--vault-password-file", str(self.directory / "vault"))
        done = play(
            self.directory / "play.yml",
            self.directory / "hosts.yml",
            "-vvv",
            "--diff",
            *password,
            *options,
            no_proxy="*",
        )
        assert leaks(done.output, CANARIES) == []
        return done

    def well(self, *options: str, **variables: Any) -> Play:
        """Run the role, which must succeed."""
        return self.run(*options, **variables).succeeded()

    def content(self, namespace: str = "openshift-config", name: str = "pull-secret") -> bytes:
        secret = self.lab.get(namespace, "secrets", name)
        assert secret is not None
        return base64.b64decode(secret["data"][".dockerconfigjson"])

    def registries(self, namespace: str = "openshift-config", name: str = "pull-secret") -> set[str]:
        return {*json.loads(self.content(namespace, name))["auths"]}

    def on_machines(self, pool: str) -> set[str]:
        """Return the registries in the configuration that all machines of the pool have."""
        status = self.lab.api("GET", f"{POOLS}/{pool}")["status"]
        config = self.lab.api("GET", f"{CONFIGS}/{status['configuration']['name']}")
        (source,) = (
            file["contents"]["source"]
            for file in config["spec"]["config"]["storage"]["files"]
            if file["path"] == "/var/lib/kubelet/config.json"
        )
        return {*json.loads(unquote(source.removeprefix("data:,")))["auths"]}

    @contextmanager
    def pool(self, name: str, *, paused: bool = False, **annotations: str) -> Iterator[None]:
        """Pause the pool, or annotate it with the behavior of its machines."""
        named = {f"{ANNOTATION}/{key.replace('_', '-')}": value for key, value in annotations.items()}
        self.lab.api("PATCH", f"{POOLS}/{name}", {"metadata": {"annotations": named}, "spec": {"paused": paused}})
        try:
            yield
        finally:
            none = dict.fromkeys(named)
            self.lab.api("PATCH", f"{POOLS}/{name}", {"metadata": {"annotations": none}, "spec": {"paused": False}})
            self.settled()

    def settled(self) -> None:
        def done() -> bool:
            return all(self.on_machines(pool) - RELEASE == self.registries() - RELEASE for pool in ("master", "worker"))

        self.lab.until(done, "all pools are updated")


@contextmanager
def reset(nodes: Nodes) -> Iterator[None]:
    """Restore the current secret at the end."""
    path = path_of("openshift-config", "secrets", "pull-secret")
    before = nodes.lab.api("GET", path)["data"]
    yield
    nodes.lab.api("PATCH", path, {"data": before})
    nodes.settled()


def writes(audit: Audit) -> list[tuple[str, str, str, str]]:
    return audit.writes()


def of_the_operator(audit: Audit) -> list[tuple[str, str]]:
    """Return the requests of the controller of the pools, without its watches."""
    found = ((event["verb"], event["requestURI"]) for event in audit.requests() if event.get("userAgent") == "lab")
    return [(verb, uri) for verb, uri in found if verb != "watch"]


@pytest.fixture(scope="module")
def standalone_lab(lab_factory: Callable[..., Lab]) -> Lab:
    started = lab_factory("--platform", "standalone")
    started.api("PATCH", VERSION, {"spec": {"clusterID": "lab-1"}})
    return started


@pytest.fixture
def standalone(standalone_lab: Lab, tmp_path: Path) -> Iterator[Nodes]:
    nodes = Nodes(standalone_lab, tmp_path)
    with reset(nodes):
        yield nodes


NODE_SECRET = ("patch", "secrets", "openshift-config", "pull-secret")


class TestStandalone:
    def test_merge_and_remove_are_one_write_and_reach_the_machines(self, standalone):
        standalone.well(registries=[login("old.example.com")], wait=False)
        standalone.settled()
        before = json.loads(standalone.content())["auths"]
        wanted = {"registries": [login("new.example.com")], "remove": ["https://old.example.com/"]}
        audit = standalone.lab.audit()
        checked = standalone.well("--check", **wanted)
        assert writes(audit) == []
        assert json.loads(standalone.content())["auths"] == before
        done = standalone.well(**wanted)
        assert writes(audit) == [NODE_SECRET]
        assert done.recap["changed"] == checked.recap["changed"] == 1
        assert "a change of the pull secret drains no node: the node disruption policy" in done.output
        after = json.loads(standalone.content())["auths"]
        assert {*after} == PLATFORM | {"new.example.com"}
        assert {key: after[key] for key in PLATFORM} == {key: before[key] for key in PLATFORM}
        for pool in ("master", "worker"):
            assert standalone.on_machines(pool) == {*after}, "it is there when the role says so"
        audit = standalone.lab.audit()
        standalone.run(**wanted).unchanged()
        assert writes(audit) == []
        assert of_the_operator(audit) == [], "it has nothing to do, and keeps no processor busy"

    @pytest.mark.slow
    def test_a_slow_pool_is_waited_for(self, standalone):
        with standalone.pool("worker", render_delay="3s", machine_delay="1s"):
            standalone.well(registries=[login("slow.example.com")])
            assert "slow.example.com" in standalone.on_machines("worker")

    @pytest.mark.slow
    def test_a_change_of_an_interrupted_run_is_waited_for(self, standalone):
        """The second run changes nothing, but the pool still reports that it is up to date."""
        with standalone.pool("worker", render_delay="6s"):
            standalone.well(registries=[login("late.example.com")], wait=False)
            standalone.run(registries=[login("late.example.com")]).unchanged()
            assert "late.example.com" in standalone.on_machines("worker")

    @pytest.mark.slow
    def test_a_paused_pool_stops_the_change(self, standalone):
        with standalone.pool("worker", paused=True, further_file="/etc/further.conf"):
            standalone.lab.until(lambda: pending(standalone, "worker"), "something waits in the paused pool")
            with standalone.lab.no_writes():
                done = standalone.run(registries=[login("new.example.com")]).failed()
            assert "nothing was changed, because machines of paused pools would not get it: worker" in done.output
            assert "file /etc/further.conf" in done.output, "what else comes with it is said"
            standalone.well(registries=[login("new.example.com")], allow_paused=True)
            assert "new.example.com" in standalone.on_machines("master")
            assert "new.example.com" not in standalone.on_machines("worker")
            again = standalone.run(registries=[login("new.example.com")]).failed()
            assert "machine config pool worker is paused, so its machines keep the old pull secret" in again.output

    @pytest.mark.slow
    def test_a_paused_pool_with_up_to_date_machines_is_not_a_failure(self, standalone):
        standalone.well(registries=[login("new.example.com")])
        with standalone.pool("worker", paused=True):
            standalone.run(registries=[login("new.example.com")]).unchanged()

    @pytest.mark.slow
    def test_the_operators_own_logins_are_left_out_of_the_comparison(self, standalone):
        """With an InternalReleaseImage, the operator adds or overwrites two entries. A removed login must still be gone."""
        standalone.well(registries=[login("old.example.com"), login("localhost:22625")])
        release = {"apiVersion": "machineconfiguration.openshift.io/v1", "kind": "InternalReleaseImage"}
        standalone.lab.api("POST", RELEASE_IMAGES, {**release, "metadata": {"name": "cluster"}})
        try:
            standalone.lab.until(
                lambda: standalone.on_machines("worker") >= RELEASE, "the operator has added its logins"
            )
            with standalone.pool("worker", render_delay="10m"):
                late = standalone.run(remove=["old.example.com"], wait_timeout=1).failed()
                assert "machine config pool worker has not rendered the pull secret yet" in late.output
            standalone.well(remove=["old.example.com"]).unchanged()
            assert standalone.on_machines("worker") == PLATFORM | RELEASE
        finally:
            standalone.lab.api("DELETE", f"{RELEASE_IMAGES}/cluster")

    @pytest.mark.slow
    def test_the_copy_for_builds_of_node_images_follows_and_is_left_to_the_operator(self, standalone):
        name, place = "global-pull-secret-copy", "openshift-machine-config-operator"
        config = {
            "apiVersion": "machineconfiguration.openshift.io/v1",
            "kind": "MachineOSConfig",
            "metadata": {"name": "worker"},
        }
        own = b64(file_of("base.example.com"))
        body = {
            "metadata": {"name": "base"},
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": own},
        }
        standalone.lab.create(place, "secrets", body)
        standalone.lab.create(place, "secrets", {**body, "metadata": {"name": "not-named"}})
        standalone.lab.api("POST", OS_CONFIGS, {**config, "spec": {"baseImagePullSecret": {"name": "base"}}})
        try:
            standalone.well(registries=[login("new.example.com")])
            standalone.lab.until(lambda: standalone.lab.get(place, "secrets", name), "the copy is there")
            assert standalone.content(place, name) == standalone.content()
            module = {"kubeconfig": standalone.lab.kubeconfig, "namespaces": [place, "openshift-config"]}
            edited = run_module(
                "pull_secret", **{**module, "namespaces": [place]}, name=name, mode="merge", registries=[login("a.io")]
            )
            assert f"secret {place}/{name} belongs to the platform, which would restore it" in edited["msg"]
            rules = ["credential-found", "credential-in-many-places", "secret-unused"]
            found = run_module("pull_access_audit", **module, rules=rules, search_credential={"password": PASSWORD})
            said = {(each["rule"], each["name"]): each["message"] for each in found["audit"]["clusters"][0]["findings"]}
            follows = f". The machine config operator copies secret {place}/{name} from secret openshift-config/pull-secret: change the login there"
            assert said["credential-found", name].endswith(follows)
            assert said["credential-in-many-places", "pull-secret"].endswith(follows)
            assert said["credential-found", "base"].endswith(
                "secret openshift-machine-config-operator/base is baseImagePullSecret of machine OS config worker, and a wrong login shows at "
                "the next build of a node image"
            )
            assert "MachineOSConfig" not in said["credential-found", "not-named"]
            new = {"username": "robot", "password": "Canary-node-login-99"}
            how = {"old": {"username": "robot", "password": PASSWORD}, "new": new, "verify": False}
            plan = run_module("credential_rotation", **module, registries=["base.example.com"], **how, check=True)
            reasons = {each["name"]: each["reason"] for each in plan["rotation"]["not_declared"]}
            assert "is baseImagePullSecret of machine OS config worker" in reasons["base"]
            assert reasons["not-named"] == "nothing outside the cluster names it for this rotation"
            confirmed = [{"namespaces": [place], "name": "base"}]
            done = run_module(
                "credential_rotation", **module, registries=["base.example.com"], **how, secrets=confirmed, check=True
            )
            assert "next build of a node image. A changed login starts no build" in str(done["warnings"])
            assert not any(rule == "secret-unused" for rule, _name in said)
        finally:
            standalone.lab.api("DELETE", f"{OS_CONFIGS}/worker")
            for each in (name, "base", "not-named"):
                standalone.lab.api("DELETE", path_of(place, "secrets", each))

    @pytest.mark.slow
    def test_a_degraded_pool_is_named_with_its_message(self, standalone):
        with standalone.pool("worker", degraded="true"):
            done = standalone.run(registries=[login("new.example.com")], wait_timeout=3)
        assert done.status != 0
        assert "machine config pool worker is degraded (Node worker-1 is reporting:" in done.output
        assert "with the new configuration on 1 of 2 machines" in done.output
        assert "machine config pool master" not in done.output.partition("not all nodes of")[2].partition("\n")[0]

    @pytest.mark.slow
    def test_the_platforms_entries_stay_unless_named(self, standalone):
        with standalone.lab.no_writes():
            refused = standalone.run(remove=["cloud.openshift.com"]).failed()
            assert "the platform needs its entries for cloud.openshift.com" in refused.output
            standalone.run(remove=["cloud.openshift.com"], drop_platform_registries=["quay.io"]).failed()
        standalone.well(remove=["cloud.openshift.com"], drop_platform_registries=["cloud.openshift.com"])
        assert standalone.registries() == PLATFORM - {"cloud.openshift.com"}

    @pytest.mark.slow
    def test_a_login_that_does_not_work_is_not_written(self, standalone):
        registry = standalone.lab.registry("private")
        proof = {"verify": True, "registry_ca_cert": standalone.lab.data["ca_cert"]}
        with standalone.lab.no_writes():
            refused = standalone.run(registries=[login(registry["host"])], **proof).failed()
        assert "nothing was written because a login does not work" in refused.output
        account = registry["accounts"][0]
        good = {"registry": registry["host"], **account}
        standalone.well(registries=[good], **proof)
        assert registry["host"] in standalone.registries()

    @pytest.mark.slow
    def test_an_entry_that_a_workload_needs_is_not_removed_with_the_guard(self, standalone):
        it = Scene(standalone.lab, make_namespaces(standalone.lab, ["guarded"]))
        entries = [{"registry": it.host, **it.plain_login()}, login("spare.example.com")]
        standalone.well(registries=entries, wait=False)
        it.deployment(it.image)
        options = {"guard": "what_if", "registry_ca_cert": it.lab.data["ca_cert"], "wait": False}
        options["realm_hosts"] = it.lab.registry_hosts
        audit = standalone.lab.audit()
        refused = standalone.run(remove=[it.host], **options).failed()
        told = refused.text
        assert "was not changed, because variable global_pull_secret_guard found" in told
        assert f"deployment {it.name}/web, container app" in told
        assert {write[1] for write in writes(audit)} <= {"subjectaccessreviews"}
        assert it.host in standalone.registries()
        standalone.well(remove=["spare.example.com"], **options)
        assert "spare.example.com" not in standalone.registries()
        it.lab.api("DELETE", f"/apis/apps/v1/namespaces/{it.name}/deployments/web", expect=(200,))
        standalone.well(remove=[it.host], **options)
        assert it.host not in standalone.registries()

    @pytest.mark.slow
    def test_a_guarded_removal_that_is_killed_is_whole_or_not_made(self, standalone, tmp_path):
        it = Scene(standalone.lab, make_namespaces(standalone.lab, ["guarded-killed"]))
        spare = ["spare.example.com", "other.example.com"]
        standalone.well(registries=[{"registry": it.host, **it.plain_login()}, *map(login, spare)], wait=False)
        it.deployment(it.image)
        options = {"guard": "what_if", "registry_ca_cert": it.lab.data["ca_cert"], "wait": False}
        options["realm_hosts"] = it.lab.registry_hosts
        before, playbook, runs = standalone.content(), standalone.directory / "play.yml", KilledRuns(it.lab, tmp_path)

        def write_inventory(*remove: str) -> Callable[[str], Path]:
            return lambda kubeconfig: standalone.write_inventory(kubeconfig, remove=[*remove], **options)

        for remove in ([it.host, *spare], spare):
            assert runs.kill_play(playbook, write_inventory(*remove), GUARD)
            assert standalone.content() == before
        assert not runs.kill_play(playbook, write_inventory(it.host, *spare)), "the removal was not refused"
        assert runs.kill_play(playbook, write_inventory(*spare))
        assert standalone.content() == before
        assert not runs.kill_play(playbook, write_inventory(*spare), after=1), "more than one write"
        assert standalone.registries() & {it.host, *spare} == {it.host}
        it.lab.api("DELETE", f"/apis/apps/v1/namespaces/{it.name}/deployments/web", expect=(200,))

    @pytest.mark.slow
    def test_a_removal_that_a_conflict_has_changed_is_judged_again(self, standalone, tmp_path):
        """A workload that needs the entry is created after the plan, and another client writes the secret."""
        it = Scene(standalone.lab, make_namespaces(standalone.lab, ["guarded-conflict"]))
        standalone.well(registries=[{"registry": it.host, **it.plain_login()}], wait=False)
        options = {"guard": "what_if", "registry_ca_cert": it.lab.data["ca_cert"], "wait": False}
        options["realm_hosts"] = it.lab.registry_hosts
        path = path_of("openshift-config", "secrets", "pull-secret")

        def interfere(proxy: Any, exchange: Any) -> None:
            it.deployment(it.image)
            it.lab.api("PATCH", path, {"metadata": {"annotations": {"team": "other"}}})
            exchange.answer(proxy.ask(exchange))

        with HostileProxy(it.lab).running() as proxy:
            proxy.rule(f"PATCH {path}", interfere, times=1)
            kubeconfig = token_kubeconfig(it.lab, proxy.url, tmp_path / "kubeconfig")
            inventory = standalone.write_inventory(kubeconfig, remove=[it.host], **options)
            done = play(standalone.directory / "play.yml", inventory, no_proxy="*")
        assert done.status != 0
        assert f"deployment {it.name}/web, container app" in done.text, done.output
        assert it.host in standalone.registries()

    @pytest.mark.slow
    def test_missing_and_conflicting_options_are_refused(self, standalone):
        assert "or only global_pull_secret_restore" in standalone.run().output
        both = standalone.run(registries=[login("a.example.com")], restore="x.yml")
        assert "or only global_pull_secret_restore" in both.output
        several = standalone.run(auth_config=file_of("a.example.com"), registries=[login("b.example.com")])
        assert "or only global_pull_secret_restore" in several.output
        alone = standalone.run(registries=[login("a.example.com")], include=["x"])
        assert "global_pull_secret_include selects entries of global_pull_secret_auth_file" in alone.output

    @pytest.mark.slow
    @pytest.mark.parametrize("source", ["auth_file", "auth_config", "text"])
    def test_the_entries_of_a_file_are_merged(self, standalone, source):
        content = file_of("new.example.com", "other.example.com", "quay.io")
        (standalone.directory / "auth.json").write_text(json.dumps(content))
        given = {
            "auth_file": {"auth_file": str(standalone.directory / "auth.json")},
            "auth_config": {"auth_config": content},
            "text": {"auth_config": json.dumps(content)},
        }[source]
        standalone.well(registries=[login("old.example.com")], wait=False)
        wanted = {**given, "include": ["new.*"], "remove": ["old.example.com"], "wait": source == "auth_file"}
        audit = standalone.lab.audit()
        standalone.well("--check", **wanted)
        assert writes(audit) == []
        standalone.well(**wanted)
        assert writes(audit) == [NODE_SECRET], "one write for both"
        assert standalone.registries() == PLATFORM | {"new.example.com"}
        standalone.run(**wanted).unchanged()

    @pytest.mark.slow
    def test_an_entry_that_no_node_can_use_is_refused_with_its_variable(self, standalone):
        with standalone.lab.no_writes():
            bad = {"auths": {"new.example.com": {"auth": "no base64 of a login"}}}
            done = standalone.run(auth_config=bad).failed()
            assert "the entry for 'new.example.com'" in done.output
            standalone.run(auth_config=file_of("new.example.com"), include=["none"]).failed()


def pending(nodes: Nodes, name: str) -> bool:
    pool = nodes.lab.api("GET", f"{POOLS}/{name}")
    return pool["spec"]["configuration"]["name"] != pool["status"]["configuration"]["name"]


class TestCopies:
    @pytest.mark.slow
    def test_an_encrypted_copy_is_kept_and_restored(self, standalone):
        directory = standalone.directory / "copies"
        first = {"registries": [login("new.example.com")], "backup": str(directory)}
        before = standalone.content()
        checked = standalone.well("--check", **first)
        assert not directory.exists(), "check mode writes no file"
        done = standalone.well(**first)
        assert done.recap["changed"] == checked.recap["changed"] == 2
        (copy,) = directory.iterdir()
        assert copy.stat().st_mode & 0o777 == 0o600
        assert copy.read_bytes().startswith(b"$ANSIBLE_VAULT;")
        standalone.run(**first).unchanged()
        assert [*directory.iterdir()] == [copy], "nothing is kept where nothing is changed"
        standalone.well(restore=str(copy))
        assert json.loads(standalone.content()) == json.loads(before)
        assert standalone.on_machines("worker") == PLATFORM
        with standalone.lab.no_writes():
            assert standalone.run(restore=str(copy)).recap["changed"] == 0

    @pytest.mark.slow
    def test_a_missing_secret_is_restored_and_not_recreated(self, standalone):
        directory = standalone.directory / "copies"
        standalone.well(registries=[login("new.example.com")], backup=str(directory))
        (copy,) = directory.iterdir()
        path = path_of("openshift-config", "secrets", "pull-secret")
        secret = standalone.lab.api("GET", path)
        standalone.lab.api("DELETE", path)
        try:
            refused = standalone.run(registries=[login("other.example.com")]).failed()
            assert "does not exist, and a new one would lack the entries that the platform needs" in refused.output
            assert standalone.lab.get("openshift-config", "secrets", "pull-secret") is None
            standalone.well(restore=str(copy))
            assert standalone.registries() == PLATFORM
        finally:
            kept = {"metadata": {"name": "pull-secret"}, "type": secret["type"], "data": secret["data"]}
            standalone.lab.api("POST", path.rpartition("/")[0], kept, expect=(201, 409))

    @pytest.mark.slow
    def test_the_copy_of_another_cluster_is_refused(self, standalone):
        directory = standalone.directory / "copies"
        standalone.well(registries=[login("new.example.com")], backup=str(directory))
        (copy,) = directory.iterdir()
        standalone.lab.api("PATCH", VERSION, {"spec": {"clusterID": "lab-2"}})
        try:
            audit = standalone.lab.audit()
            refused = standalone.run(restore=str(copy))
        finally:
            standalone.lab.api("PATCH", VERSION, {"spec": {"clusterID": "lab-1"}})
        assert refused.status != 0
        assert "nothing was changed: it is a copy of another secret or from another cluster" in refused.output
        assert writes(audit) == []

    def test_a_backup_without_a_vault_password_changes_nothing(self, standalone):
        directory = standalone.directory / "copies"
        with standalone.lab.no_writes():
            done = standalone.run(
                registries=[login("new.example.com")], backup=str(directory), backup_vault_id="unknown"
            ).failed()
        assert "there is no vault password for 'unknown'" in done.output
        assert not directory.exists()


ADDITIONAL = ("kube-system", "additional-pull-secret")
MERGED = ("kube-system", "global-pull-secret")


class Synchronizer:
    """The platform's daemon set that distributes the merged secret to two nodes."""

    path = "/apis/apps/v1/namespaces/kube-system/daemonsets"

    def __init__(self, lab: Lab) -> None:
        self.lab, self.name = lab, "global-pull-secret-syncer"

    def has(self, content: bytes, *, on: int) -> None:
        """Set the number of nodes that have the content."""
        label = {"hypershift.openshift.io/globalps-config-hash": content_hash(content)}
        spec = {"template": {"metadata": {"labels": label}}}
        made = self.lab.api("PATCH", f"{self.path}/{self.name}", {"spec": spec})
        counts = {"desiredNumberScheduled": 2, "updatedNumberScheduled": on, "numberAvailable": on}
        counts |= {"currentNumberScheduled": 2, "numberMisscheduled": 0, "numberReady": on}
        status = {**counts, "observedGeneration": made["metadata"]["generation"]}
        self.lab.api("PATCH", f"{self.path}/{self.name}/status", {"status": status})


@contextmanager
def synchronizer(hosted: Nodes, content: bytes) -> Iterator[Synchronizer]:
    made = Synchronizer(hosted.lab)
    label = {"name": made.name}
    pod = {"containers": [{"name": "syncer", "image": "registry.example.com/syncer"}]}
    spec = {"selector": {"matchLabels": label}, "template": {"metadata": {"labels": label}, "spec": pod}}
    body = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": made.name}, "spec": spec}
    hosted.lab.api("POST", made.path, body)
    try:
        made.has(content, on=2)
        yield made
    finally:
        hosted.lab.api("DELETE", f"{made.path}/{made.name}")


@pytest.fixture(scope="module")
def hosted_lab(lab_factory: Callable[..., Lab]) -> Lab:
    return lab_factory("--platform", "hosted", "--no-registries")


class TestHosted:
    @pytest.fixture
    def hosted(self, hosted_lab, tmp_path):
        yield Nodes(hosted_lab, tmp_path)
        hosted_lab.api("DELETE", path_of("kube-system", "secrets", ADDITIONAL[1]), expect=(200, 404))
        hosted_lab.until(lambda: hosted_lab.get("kube-system", "secrets", MERGED[1]) is None, "it is merged no more")

    @pytest.mark.slow
    def test_a_change_of_the_copy_is_reverted(self, hosted):
        """An edit of the copy is the wrong method, and this role never uses it."""
        path = path_of("openshift-config", "secrets", "pull-secret")
        wrong = b64(b'{"auths": {"new.example.com": {"auth": "dTpw"}}}')
        hosted.lab.api("PATCH", path, {"data": {".dockerconfigjson": wrong}})
        hosted.lab.until(lambda: hosted.registries() == PLATFORM, "it is reverted")

    @pytest.mark.slow
    def test_added_logins_are_merged(self, hosted):
        wanted = {"registries": [login("new.example.com"), login("quay.io/team")]}
        audit = hosted.lab.audit()
        refused = hosted.run(**wanted, guard="what_if").failed()
        assert "global_pull_secret_guard does not know its effect: the nodes of a hosted cluster" in refused.text
        hosted.well("--check", **wanted)
        assert writes(audit) == []
        done = hosted.well(**wanted)
        assert next((verb, *place) for verb, _resource, *place in writes(audit))[1] == "kube-system"
        assert len(writes(audit)) == 1
        assert hosted.registries(*MERGED) == PLATFORM | {"new.example.com", "quay.io/team"}
        assert "nodes of node pool inplace do not receive it until they are replaced" in done.output
        with hosted.lab.no_writes():
            hosted.run(**wanted).unchanged()
        hosted.well(remove=["new.example.com"])
        assert hosted.registries(*MERGED) == PLATFORM | {"quay.io/team"}
        hosted.well(remove=["quay.io/team"])
        assert hosted.lab.get("kube-system", "secrets", ADDITIONAL[1]) is None, "an empty one would be invalid"

    @staticmethod
    def by_hand(hosted: Nodes, content: str, kind: str = "kubernetes.io/dockerconfigjson") -> None:
        data = {".dockerconfigjson": b64(content)}
        hosted.lab.create(ADDITIONAL[0], "secrets", {"metadata": {"name": ADDITIONAL[1]}, "type": kind, "data": data})

    @pytest.mark.slow
    def test_a_platform_that_never_merges_is_refused_at_once(self, hosted):
        """On KubeVirt, the lab's operator merges nothing, as the real one. A wait would never end."""
        hosted.lab.api("PATCH", INFRASTRUCTURE, {"status": {"platformStatus": {"type": "KubeVirt"}}})
        try:
            with hosted.lab.no_writes():
                refused = hosted.run(registries=[login("new.example.com")], wait_timeout=600)
                output = refused.text
            assert refused.status != 0
            assert (
                "this hosted cluster runs on platform 'KubeVirt', and only on AWS and Azure are logins from" in output
            )
            self.by_hand(hosted, json.dumps(file_of("new.example.com")))
            path = path_of("openshift-config", "secrets", "pull-secret")
            wrong = b64(b'{"auths": {}}')
            hosted.lab.api("PATCH", path, {"data": {".dockerconfigjson": wrong}})
            hosted.lab.until(lambda: hosted.registries() == PLATFORM, "the operator has looked")
            assert hosted.lab.get("kube-system", "secrets", MERGED[1]) is None
        finally:
            hosted.lab.api("PATCH", INFRASTRUCTURE, {"status": {"platformStatus": {"type": "AWS"}}})

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("verb", "path", "body"),
        [
            (
                "POST",
                "/apis/config.openshift.io/v1/imagedigestmirrorsets",
                {"kind": "ImageDigestMirrorSet", "metadata": {"name": "a"}},
            ),
            (
                "POST",
                "/apis/config.openshift.io/v1/imagetagmirrorsets",
                {"kind": "ImageTagMirrorSet", "metadata": {"name": "a"}},
            ),
            ("PATCH", "/apis/config.openshift.io/v1/images/cluster", {"spec": {"registrySources": {}}}),
        ],
    )
    def test_the_platform_refuses_changes_of_mirrors_and_of_the_image_config(self, hosted, verb, path, body):
        """So no task and no text of ours proposes them for a hosted cluster without naming the HostedCluster."""
        refused = hosted.lab.api(verb, path, {"apiVersion": "config.openshift.io/v1", **body}, expect=(422,))
        assert "modify the resource in the HostedCluster object" in refused["message"]

    @pytest.mark.slow
    def test_a_handmade_secret_is_deleted_with_its_last_registry(self, hosted):
        """The platform keeps the logins of a secret whose entries were all removed."""
        self.by_hand(hosted, json.dumps(file_of("new.example.com")))
        hosted.lab.until(lambda: hosted.lab.get("kube-system", "secrets", MERGED[1]) is not None, "it is merged")
        hosted.well(remove=["new.example.com"])
        assert hosted.lab.get("kube-system", "secrets", ADDITIONAL[1]) is None
        assert hosted.lab.get("kube-system", "secrets", MERGED[1]) is None

    @pytest.mark.slow
    def test_content_rewritten_by_the_platform_is_recognized_in_an_opaque_secret(self, hosted):
        """The platform merges a secret of type Opaque. It rewrites numbers as floats and sorts fields."""
        entry = '{"auth": "dTpw", "number": 9007199254740993, "identitytoken": 9007199254740993, "Auth": "dTpw"}'
        self.by_hand(hosted, f'{{"auths": {{"old.example.com": {entry}}}}}', "Opaque")
        hosted.well(registries=[login("new.example.com")])
        assert hosted.registries(*MERGED) == PLATFORM | {"old.example.com", "new.example.com"}
        assert b"9007199254740992" in hosted.content(*MERGED)
        assert hosted.lab.get("kube-system", "secrets", ADDITIONAL[1])["type"] == "Opaque"

    @pytest.mark.slow
    def test_a_secret_that_the_platform_does_not_merge_is_reported_at_once(self, hosted):
        wanted = {"registries": [login("new.example.com")]}
        self.by_hand(hosted, '{"auths": {"old.example.com": {"auth": "no login"}}}')
        with hosted.lab.no_writes():
            refused = hosted.run(**wanted).failed()
            why = "the entry for 'old.example.com' has an 'auth' that is not standard base64. This problem existed before this task."
        assert why in refused.text
        hosted.well(**wanted, remove=["old.example.com"])
        assert hosted.registries(*MERGED) == PLATFORM | {"new.example.com"}
        spelt = hosted.content(*ADDITIONAL).replace(b'"auths"', b'"AUTHS"')
        data = {".dockerconfigjson": b64(spelt)}
        hosted.lab.api("PATCH", path_of("kube-system", "secrets", ADDITIONAL[1]), {"data": data})
        unchanged = hosted.run(**wanted, wait_timeout=600).failed()
        assert "its entries are under 'AUTHS', not under 'auths'" in unchanged.text

    @pytest.mark.slow
    def test_the_nodes_are_waited_for_where_they_can_be_seen(self, hosted):
        """The daemon set that distributes the merged secret shows the state of the nodes. It is updated for new content."""
        wanted = {"registries": [login("new.example.com")]}
        unseen = " ".join(hosted.well(**wanted).output.split())
        assert (
            "It is not known which nodes have it already, because daemon set kube-system/global-pull-secret-sync"
            in unseen
        )
        with synchronizer(hosted, b"old") as syncer:
            late = hosted.run(**wanted, wait_timeout=3).failed()
            assert "has not noticed the change yet" in late.output
            syncer.has(hosted.content(*MERGED), on=1)
            some = hosted.run(**wanted, wait_timeout=3).failed()
            assert "has brought it to 1 of 2 nodes" in some.output
            syncer.has(hosted.content(*MERGED), on=2)
            done = hosted.well(**wanted)
        output = done.text
        assert '"rolled_out": true' in output
        assert "It is not known which nodes" not in output
        assert "nodes of node pool inplace do not receive it until they are replaced" in output, "said at the end, too"

    @pytest.mark.slow
    def test_a_platform_entry_in_a_file_is_refused(self, hosted):
        with hosted.lab.no_writes():
            done = hosted.run(auth_config=file_of("new.example.com", "quay.io")).failed()
        assert "has its own entries for quay.io" in done.text
        hosted.well(auth_config=file_of("new.example.com", "quay.io"), include=["new.*"])
        assert hosted.registries(*MERGED) == PLATFORM | {"new.example.com"}

    @pytest.mark.slow
    def test_a_registry_of_the_platform_is_refused(self, hosted):
        with hosted.lab.no_writes():
            done = hosted.run(registries=[login("new.example.com"), login("https://quay.io")]).failed()
        assert "has its own entries for https://quay.io" in done.text


class TestManagement:
    @pytest.fixture
    def management(self, standalone):
        """The same lab as a cluster that runs control planes: HostedCluster and NodePools."""
        standalone.lab.namespace("clusters", wait=False)
        host_a_cluster(standalone.lab, "clusters")
        yield standalone
        standalone.lab.api("DELETE", "/api/v1/namespaces/clusters")

    @pytest.mark.slow
    def test_the_content_is_changed_in_place(self, management):
        uid = management.lab.get("clusters", "secrets", "prod-pull")["metadata"]["uid"]
        audit = management.lab.audit()
        done = management.well(registries=[login("new.example.com")], hosted_cluster="clusters/prod")
        assert writes(audit) == [("patch", "secrets", "clusters", "prod-pull")]
        assert management.registries("clusters", "prod-pull") == {"quay.io", "new.example.com"}
        assert management.lab.get("clusters", "secrets", "prod-pull")["metadata"]["uid"] == uid
        assert "nodes of node pool inplace do not receive it until they are replaced" in done.output
        assert management.registries() == PLATFORM, "the management cluster's own is not touched"
        refused = management.run(remove=["quay.io"], hosted_cluster="clusters/prod")
        assert "the platform needs its entries for quay.io" in refused.output
        unseen = management.run(remove=["new.example.com"], hosted_cluster="clusters/prod", guard="what_if")
        assert "global_pull_secret_guard does not know its effect" in unseen.text
        missing = management.run(registries=[login("new.example.com")], hosted_cluster="clusters/other")
        assert "hosted cluster clusters/other does not exist" in missing.output


@pytest.mark.slow
class TestOtherClusters:
    @pytest.mark.slow
    def test_a_managed_clusters_refusal_is_explained_once(self, lab_factory, tmp_path):
        nodes = Nodes(lab_factory("--platform", "managed", "--no-registries"), tmp_path)
        audit = nodes.lab.audit()
        done = nodes.run(registries=[login("new.example.com")]).failed()
        assert "Prevented from accessing Red Hat managed resources" in done.output
        assert "only Red Hat is allowed to change this object, and another attempt will also be refused" in done.output
        assert "this is a managed cluster (ROSA classic or OpenShift Dedicated)" in done.output, (
            "said before the change"
        )
        assert writes(audit) == [NODE_SECRET], "and not tried again"
        assert nodes.registries() == PLATFORM

    @pytest.mark.slow
    def test_plain_kubernetes_and_microshift_have_no_global_pull_secret(self, lab_factory, tmp_path):
        nodes = Nodes(lab_factory("--provisioner", "off", "--no-registries"), tmp_path)
        with nodes.lab.no_writes():
            done = nodes.run(registries=[login("new.example.com")]).failed()
            assert "this cluster is not OpenShift, so it has no global pull secret" in done.output
            nodes.lab.create("kube-public", "configmaps", {"metadata": {"name": "microshift-version"}})
            micro = nodes.run(registries=[login("new.example.com")]).failed()
        assert "it reads /etc/crio/openshift-pull-secret on its host" in micro.output


class TestPlaybook:
    """Users run global_pull_secret.yml directly."""

    def run(self, nodes: Nodes, *options: str, first: str = "") -> Play:
        """Run the playbook on the lab. `first` is the kubeconfig of an earlier cluster in the inventory."""
        given = {"global_pull_secret_registries": [login("new.example.com")]}
        hosts = {"west": {**given, "image_pull_kubeconfig": nodes.lab.kubeconfig}}
        hosts = {**({"east": {**given, "image_pull_kubeconfig": first}} if first else {}), **hosts}
        inventory = nodes.directory / "clusters.yml"
        inventory.write_text(yaml.dump({"all": {"hosts": hosts}}, sort_keys=False))
        done = play("global_pull_secret", inventory, "--diff", "-vvv", *options, no_proxy="*")
        assert leaks(done.output, CANARIES) == []
        return done

    def test_the_playbook_changes_the_secret_and_reports_its_result(self, standalone):
        done = self.run(standalone)
        assert self.line(done) == "pull secret of the nodes: 1 secret updated, all nodes that get it have it"
        assert (done.status, done.recap["changed"]) == (0, 1), done.output
        assert standalone.on_machines("worker") == PLATFORM | {"new.example.com"}

    @pytest.mark.slow
    def test_the_playbook_changes_the_secret_once(self, standalone):
        audit = standalone.lab.audit()
        checked = self.run(standalone, "--check")
        assert (checked.status, checked.recap["changed"], writes(audit)) == (0, 1, [])
        assert self.line(checked) == "pull secret of the nodes: would update 1 secret"
        assert self.run(standalone).recap["changed"] == 1
        again = self.run(standalone).unchanged()
        assert self.line(again) == "pull secret of the nodes: nothing changed, all nodes that get it have it"

    def line(self, done: Play) -> str:
        (found,) = re.findall(r'"msg": "(pull secret of the nodes: .*)"', done.output)
        return str(found)

    @pytest.mark.slow
    def test_a_cluster_that_fails_stops_the_next_only_when_they_go_one_by_one(self, standalone):
        gone = str(standalone.directory / "none")
        audit = standalone.lab.audit()
        self.run(standalone, "-e", "image_pull_serial=1", first=gone).failed()
        assert writes(audit) == []
        self.run(standalone, first=gone).failed()
        assert writes(audit) == [NODE_SECRET]
