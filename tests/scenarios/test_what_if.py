# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""what_if.yml and the role name the pods that a change would break, on one cluster and on several, and change nothing."""

from __future__ import annotations

import json
import re
import resource
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.audited import Scene
from support.fleet import make_namespaces
from support.lab import Lab, path_of
from support.playbooks import Play, Unsafe, play, variables_file


@pytest.fixture
def scene(lab: Lab, namespaces: Callable[..., list[str]]) -> Scene:
    return filled(Scene(lab, namespaces(1)))


def filled(it: Scene) -> Scene:
    """Create a pod and a deployment that pull with the secret `old-pull`."""
    it.secret(name="old-pull")
    it.link("old-pull")
    it.pod(own=["old-pull"])
    it.deployment(it.image)
    return it


class Asking:
    """Inventories of clusters, of which each is the lab, and runs of the playbook on them."""

    def __init__(self, scene: Scene, directory: Path) -> None:
        self.scene, self.directory = scene, directory

    def run(self, *options: str, hosts: Any = ("east",), **variables: Any) -> Play:
        given = {
            "image_pull_kubeconfig": self.scene.lab.kubeconfig,
            "pull_access_what_if_namespaces": list(self.scene.names),
            "image_pull_realm_hosts": self.scene.lab.registry_hosts,
            "image_pull_registry_ca_cert": self.scene.lab.data["ca_cert"],
            **variables,
        }
        each = hosts if isinstance(hosts, dict) else dict.fromkeys(hosts)
        (self.directory / "hosts.yml").write_text(variables_file({"all": {"hosts": each, "vars": given}}))
        return play("what_if", self.directory / "hosts.yml", *options, cwd=self.directory)

    def ask(self, *answers: str, **variables: Any) -> Play:
        """Run the playbook with extra variables, such as `remove_secret=old-pull`."""
        return self.run(*(part for answer in answers for part in ("-e", answer)), **variables)

    def from_hosts(self, questions: dict[str, dict[str, Any]]) -> str:
        """Return the extra variables that take the answers to questions from the variable `given` of each host."""
        names = sorted({name for answers in questions.values() for name in answers})
        given = {name: f"{{{{ given.{name} | default('') }}}}" for name in names}
        (self.directory / "answers.yml").write_text(yaml.safe_dump(given))
        return "@answers.yml"


@pytest.fixture
def asking(scene: Scene, tmp_path: Path) -> Asking:
    return Asking(scene, tmp_path)


#: Answers to questions of one run, whose command line takes them from the host: a start of Ansible takes time.
QUESTIONS: dict[str, dict[str, Any]] = {
    "removed-secret": {"remove_secret": "old-pull", "ask_registries": True},
    "removed-elsewhere": {"remove_secret": "elsewhere/old-pull", "ask_registries": True},
    "removed-credential": {"remove_credential": "{user}@{host}"},
    "several": {"unreachable": "docker.io,{host}", "target_version": "4.22", "new_nodes": True},
    "moved": {"moved": "{host}/team=registry.site.example/copies", "unreachable": "{host}/team"},
    "only-reachable": {"only_reachable": "registry.site.example"},
    "list-of-changes": {
        "changes": [{"remove_links": {"secrets": ["old-pull"], "service_accounts": ["default"]}}],
        "ask_registries": True,
    },
    "objects-of-a-file": {"changes": [{"add_objects": {"src": "mirrors.yml"}}]},
    "inventory": {"ask_registries": True},
    "not-the-inventory": {"remove_secret": "another"},
    "invalid": {"target_version": "soon"},
}
#: The file of objects that a question names.
MIRRORS = """
apiVersion: config.openshift.io/v1
kind: ImageTagMirrorSet
metadata: {name: site}
spec: {imageTagMirrors: [{source: registry.example.com/team, mirrors: [registry.site.example/copies]}]}
"""
#: The changes of the inventory for some of the questions.
OF_INVENTORY = ("inventory", "not-the-inventory")


@dataclass(frozen=True)
class Answers:
    """The answers of one run. `writes` are the resources that it wrote."""

    scene: Scene
    output: str
    writes: set[str]
    directory: Path

    def titles(self, host: str) -> list[str]:
        """The titles of the changes of a question."""
        return [str(change["title"]) for change in self._document(host)["changes"]]

    def broken(self, host: str) -> int:
        return int(self._document(host)["counts"]["would_break"])

    def _document(self, host: str) -> dict[str, Any]:
        return dict(json.loads((self.directory / f"{host}.json").read_text()))


@pytest.fixture(scope="module")
def answers(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    lab.namespace("what-if-questions")
    scene = filled(Scene(lab, ["what-if-questions"]))
    asking = Asking(scene, tmp_path_factory.mktemp("questions"))
    words = {"host": scene.host, "user": scene.login["username"]}
    given = [{"remove_secrets": {"name": "old-pull"}}]
    hosts = {
        host: {
            "given": {
                name: answer.format(**words) if isinstance(answer, str) else answer for name, answer in answers.items()
            },
            **({"pull_access_what_if_changes": given} if host in OF_INVENTORY else {}),
        }
        for host, answers in QUESTIONS.items()
    }
    (asking.directory / "mirrors.yml").write_text(MIRRORS)
    audit = lab.audit()
    found = asking.ask(asking.from_hosts(QUESTIONS), "directory=answers", hosts=hosts)
    return Answers(scene, found.output, {write[1] for write in audit.writes()}, asking.directory / "answers")


class TestQuestions:
    def test_a_removed_secret_is_answered_with_its_pods(self, answers: Answers) -> None:
        scene = answers.scene
        assert (answers.titles("removed-secret"), answers.broken("removed-secret")) == (
            ["secret old-pull is deleted"],
            2,
        )
        assert "2 of 2 containers would no longer get their image." in answers.output
        assert f"  {scene.name}: Pod app, container app, image {scene.image}" in answers.output

    def test_no_question_changes_anything(self, answers: Answers) -> None:
        assert answers.writes <= {"subjectaccessreviews"}

    def test_a_removal_in_another_namespace_breaks_nothing(self, answers: Answers) -> None:
        assert answers.titles("removed-elsewhere") == ["secret old-pull is deleted from elsewhere"]
        assert "secret old-pull is deleted from elsewhere" in answers.output
        assert answers.broken("removed-elsewhere") == 0

    def test_a_removed_credential_is_a_change(self, answers: Answers) -> None:
        scene = answers.scene
        assert f"{scene.host} refuses the login of {scene.login['username']}" in answers.output
        assert answers.broken("removed-credential") == 2

    def test_several_variables_are_changes_made_together(self, answers: Answers) -> None:
        assert answers.titles("several") == [
            f"the nodes do not reach docker.io and {answers.scene.host}",
            "upgrade to 4.22",
            "all pods start on new nodes",
        ]
        assert (answers.broken("several"), answers.broken("only-reachable")) == (2, 2)

    def test_images_move_from_a_closed_path(self, answers: Answers) -> None:
        host = answers.scene.host
        assert answers.titles("moved") == [
            f"the nodes do not reach {host}/team",
            f"images come from new places: those of {host}/team from registry.site.example/copies",
        ]
        assert "is for registry.site.example/copies/app: the pull works only if" in answers.output
        assert answers.broken("moved") == 0

    def test_a_list_of_changes_is_read(self, answers: Answers) -> None:
        assert answers.titles("list-of-changes") == ["secret old-pull is no longer linked to default"]
        assert answers.broken("list-of-changes") == 1

    def test_a_file_of_objects_is_in_the_directory_of_the_command(self, answers: Answers) -> None:
        assert answers.titles("objects-of-a-file") == ["added: image tag mirror set site"]

    def test_the_changes_of_the_inventory_are_the_default(self, answers: Answers) -> None:
        assert answers.broken("inventory") == 2
        assert answers.titles("not-the-inventory") == ["secret another is deleted"]

    def test_an_invalid_version_is_named_by_its_variable(self, answers: Answers) -> None:
        assert "target_version is 'soon': give a version such as 4.22.0" in answers.output
        assert not (answers.directory / "invalid.json").exists()

    def test_the_result_counts_all_clusters(self, answers: Answers) -> None:
        count = sum(answers.broken(host) for host in QUESTIONS if host != "invalid")
        assert f"10 clusters: {count} containers would no longer get their image" in answers.output


def test_each_cluster_has_its_file_and_fails_alone(asking: Asking, tmp_path: Path) -> None:
    """The namespaces of the cluster in the west do not have the secret. The cluster in the north does not answer."""
    hosts = {
        "east": {},
        "west": {"pull_access_what_if_namespaces": ["default"]},
        "north": {"image_pull_kubeconfig": None, "image_pull_host": "https://127.0.0.9:1", "image_pull_api_key": "x"},
    }
    how = ("ask_registries=true", "directory=answers", "fail_on=would_break")
    found = asking.ask("remove_secret=old-pull", *how, hosts=hosts)
    assert found.status == 2, found.output
    assert "2 clusters: 2 containers would no longer get their image" in found.output
    assert "1 cluster not read" in found.output
    assert found.recap["failed"] == 2
    folder = tmp_path / "answers"
    names = [f"{cluster}.{ending}" for cluster in ("east", "west") for ending in ("json", "md", "xml")]
    assert sorted(path.name for path in folder.iterdir()) == [*names, "what-if.html"]
    assert f"1 cluster not read, report: {folder / 'what-if.html'}" in found.output
    assert f"{asking.scene.name}" in (folder / "what-if.html").read_text()
    assert "would no longer get" in (folder / "east.md").read_text()
    assert json.loads((folder / "east.json").read_text())["counts"]["would_break"] == 2
    assert json.loads((folder / "west.json").read_text())["counts"]["would_break"] == 0


def test_a_mistyped_name_fails_the_strictest_run_and_is_in_its_result(asking: Asking) -> None:
    for level, status in (("would_break", 0), ("unknown", 2)):
        found = asking.ask("remove_secret=misspelt", f"fail_on={level}", hosts=["east", "west"])
        assert found.status == status, found.output
        assert "not affected, change 1 affects nothing that was read (check the names" in found.text


def test_check_mode_writes_no_file(asking: Asking, tmp_path: Path) -> None:
    asking.run("--check", "-e", "remove_secret=old-pull", pull_access_what_if_directory="answers").succeeded()
    assert not (tmp_path / "answers").exists()


USAGE = "give -e remove_secret=[NAMESPACE/]NAME"
#: Each with its answers, and the words of the refusal.
INCOMPLETE: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, USAGE),
    "blank": ({"remove_secret": "", "unreachable": None}, USAGE),
    "template": ({"remove_secret": Unsafe("{{ 7 * 7 }}")}, "give the name of a secret, or NAMESPACE/NAME"),
    "three-parts": (
        {"remove_secret": "a/b/c"},
        "remove_secret is 'a/b/c': give the name of a secret, or NAMESPACE/NAME",
    ),
    "no-host": ({"remove_credential": "robot"}, "remove_credential is not USER@HOST"),
    "scheme": ({"unreachable": "https://quay.io"}, "unreachable has 'https://quay.io': give registries or paths"),
    "repository": (
        {"only_reachable": "quay.io/team"},
        "only_reachable has 'quay.io/team': give hosts without a scheme and a path",
    ),
    "no-new-place": ({"moved": "quay.io/team"}, "moved has 'quay.io/team': give OLD=NEW"),
    "braces": ({"only_reachable": Unsafe("{{ x }}")}, "give hosts without a scheme"),
    "text": ({"changes": "old-pull"}, "changes is not a list"),
    "dictionary": ({"changes": {"new_nodes": True}}, "changes is not a list"),
}


def test_incomplete_questions_are_refused_with_what_to_type(asking: Asking, scene: Scene) -> None:
    with scene.lab.no_requests():
        questions = {host: answers for host, (answers, _said) in INCOMPLETE.items()}
        found = asking.ask(
            asking.from_hosts(questions), hosts={host: {"given": answers} for host, answers in questions.items()}
        ).failed()
        for host, (_answers, said) in INCOMPLETE.items():
            assert re.search(rf"fatal: \[{host}\]: FAILED! => [^\n]*{re.escape(said)}", found.output), found.output


def test_variables_of_other_roles_do_not_change_the_question(asking: Asking, scene: Scene) -> None:
    """The short names count on the command line only, and take precedence over the inventory there."""
    foreign = {
        "changes": [{"unreachable_registries": ["quay.io"]}],
        "declared": True,
        "target_version": "4.22.0",
        "namespaces": ["default"],
    }
    how = ("remove_secret=old-pull", f"namespaces={scene.name},default", "fail_on=unknown")
    found = asking.ask(*how, **foreign, fail_on="never", pull_access_what_if_fail_on="never").failed()
    assert (
        "secret old-pull is deleted" in found.output and "quay.io" not in found.output and "4.22.0" not in found.output
    )
    assert "2 not known" in found.output, found.output


@pytest.mark.slow
@pytest.mark.whole_cluster
def test_three_hundred_namespaces_take_less_than_a_minute(lab: Lab, tmp_path: Path) -> None:
    """One command names the pods that only one secret keeps alive: every tenth one. The time of the processor does not depend on other work."""
    names = make_namespaces(lab, [f"what-if-{number:03}" for number in range(300)], timeout=600)

    def fill(number: int) -> None:
        it = Scene(lab, [names[number]])
        it.secret(name="old-pull")
        it.secret(name="new-pull")
        it.pod(own=["old-pull"] if number % 10 == 0 else ["old-pull", "new-pull"])

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(fill, range(len(names))))
    asking = Asking(Scene(lab, names), tmp_path)
    before = cpu_seconds()
    found = asking.ask("remove_secret=old-pull", "ask_registries=true", pull_access_what_if_namespaces=names)
    seconds = cpu_seconds() - before
    assert found.status == 0, found.output
    assert "1 cluster: 30 containers would no longer get their image" in found.output, found.output
    assert seconds < 30, seconds


def cpu_seconds() -> float:
    """The time of the processor that all finished processes of this one have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.slow
def test_a_prune_keeps_the_logins_of_a_registry_that_does_not_answer(lab: Lab, scene: Scene, asking: Asking) -> None:
    """As the playbook site does. The answer lists what would not be applied."""
    labels = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "app.kubernetes.io/instance": scene.name}
    for name in ("private-registry", "redhat-connect-sso", "gone"):
        scene.secret({f"{name}.example.com": scene.entry()}, name=name)
        lab.api("PATCH", path_of(scene.name, "secrets", name), {"metadata": {"labels": labels}})
    scene.link("private-registry", "redhat-connect-sso", "gone")
    silent = {"registry": "127.0.0.1:1", "username": "u", "password": "p", "namespaces": [scene.name]}
    asking.ask(
        "declared=true",
        delegated_auth_registries=[silent],
        image_pull_owner=scene.name,
        image_pull_prune=True,
        image_pull_max_prune="100%",
        pull_access_what_if_directory=str(asking.directory / "answers"),
    ).succeeded()
    access = json.loads((asking.directory / "answers" / "east.json").read_text())["access"]
    assert [(row["registry"], row["entries"]) for row in access["lost"]] == [
        ("gone.example.com", [f"prune of owner {scene.name}"])
    ]
    assert sorted(row["entry"] for row in access["unplanned"]) == [
        "delegated_auth_registries[0] (private-registry)",
        "delegated_auth_registries[0] (private-registry, redhat-connect-sso)",
        "delegated_auth_registries[0] (redhat-connect-sso)",
    ]
    assert {row["namespace"] for row in access["unplanned"]} == {scene.name}
