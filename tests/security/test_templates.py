# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of a project user never becomes a template in export and site, pasted tasks, the report or registered results.

Each attack runs a command that creates a file. Generated texts pass through our code and through Ansible's own loader and templar in one
process. The attacks that people found run with ansible-playbook on the lab.
"""

from __future__ import annotations

import base64
import inspect
import json
import random
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.template import Templar
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.files import FilesWanted, VariableFile
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.names import check_free_name
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    ROLE_BINDING,
    SECRET,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.writers import TemplateText, as_yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import pull_of_account
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import (
    WILL_NOT_PULL,
    PullVerdict,
    Step,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import Finding
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report import documents
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import merge_documents
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.page import as_data
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.export.entries import (
    ExportedGrant,
    ExportedSecret,
    Findings,
    secret_of,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.export.inventory import inventory_of
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.result_lines import lines_of
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.variable_files import ControllerFiles
from support import audits
from support.hostile_text import attacks, generated
from support.lab import Lab, path_of
from support.objects import b64, role_binding, user_subject
from support.playbooks import Play, play
from support.project_user import ProjectUser
from support.templates import trusted

#: Number of generated texts that pass through a file, and through each longer path.
CASES, FURTHER = 10_000, 3_000
SEED = 20
#: The variables that a ready task uses.
LOGIN = {"registry": "registry.example.com", "registry_username": "robot", "registry_password": "guess-of-a-robot"}


@pytest.fixture
def command(tmp_path: Path) -> Iterator[str]:
    """The command of an attack. The test fails if it was run."""
    mark = tmp_path / "evaluated"
    yield f"touch {mark}"
    assert not mark.exists(), "a text of a project user was evaluated"


# --- generated texts, in one process


def loaded(written: str, directory: Path) -> Any:
    """Return Ansible's reading of a file of variables or tasks, with the trust that it gives to such files."""
    path = directory / "loaded.yml"
    path.write_text(written)
    trust = {"trusted_as_template"} & inspect.signature(DataLoader.load_from_file).parameters.keys()
    return DataLoader().load_from_file(str(path), **dict.fromkeys(trust, True))


def templar(**variables: Any) -> Templar:
    return Templar(DataLoader(), variables=variables)


def writable(text: str) -> str:
    """Replace lone surrogates, the only characters that no file can hold."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def test_the_attacks_work_on_trusted_text(tmp_path: Path) -> None:
    """Text that is written as our own code's is evaluated. Otherwise, the tests below would prove nothing."""
    for at, kind in enumerate(attacks("touch {0}")):
        mark = tmp_path / f"evaluated-{at}"
        text = kind.replace("{0}", str(mark))
        if re.match(r"(#jinja2:variable_start_string:.*\n(\[%|<<)|\{\{-?) lookup", kind):
            templar().template(loaded(as_yaml([TemplateText(text)]), tmp_path))
            assert mark.exists(), text


def test_generated_text_is_data_in_each_place_of_a_file(command: str, tmp_path: Path) -> None:
    """The text is used as a value, as a key, in lists, and in templates that join, convert, combine or loop over it."""
    texts = list(dict.fromkeys(map(writable, generated(command, CASES, SEED))))
    assert len(texts) > CASES // 2
    names = {text: at for at, text in enumerate(texts)}
    data = loaded(as_yaml({"texts": texts, "names": names}), tmp_path)
    found = templar(data=data)
    assert found.template(data) == {"texts": texts, "names": names}
    found = templar(data={"texts": data["texts"][:500], "deep": [{"a": {"b": data["texts"][500:1000]}}]})
    for expression in (
        "data.texts", "data.texts | to_json", "data.texts | to_json | from_json", "data.texts | join", "data", "'x' ~ data.texts[0]",
        "data.deep[0].a | combine({'c': data.texts})", "data.texts | map('upper') | list", "data.texts | map('string') | list",
        "data.texts | zip(data.texts) | map('join') | list", "data.texts | map('regex_replace', '^', ' ') | list", "data | to_nice_yaml",
    ):  # fmt: skip
        made = found.template(trusted("{{ " + expression + " }}"))
        # The result is registered, or set as a fact, and used by another template.
        assert str(templar(made=made).template(trusted("{{ made }}"))) == str(made), expression


def secrets_of(texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield pull secrets with four texts each: user, password, email, and another field or the key."""
    for at in range(0, len(texts) - 3, 4):
        user, password, email, other = texts[at : at + 4]
        entry = {"username": user or "u", "password": password or "p", "email": email}
        if at % 3 == 0:
            entry["further"] = other
        auths = {other if at % 5 == 0 else f"registry-{at}.example.com/path": entry}
        data = {".dockerconfigjson": b64({"auths": auths})}
        yield {"type": "kubernetes.io/dockerconfigjson", "metadata": {"name": f"pull-{at}"}, "data": data}


def test_generated_text_survives_export_and_site(command: str, tmp_path: Path) -> None:
    """The texts go from the secrets of a cluster to the entries that the role passes to its module, unchanged and not evaluated."""
    texts, findings, wanted = list(generated(command, FURTHER, SEED + 1)), Findings(), {}
    for secret in secrets_of(texts):
        name = secret["metadata"]["name"]
        found = secret_of(ObjectRef(SECRET, "mallory", name), secret, [])
        if isinstance(found, ExportedSecret):
            findings.secrets.append(found)
            wanted[name] = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]
    assert len(wanted) > FURTHER // 10
    subjects = [text for text in texts if is_subject(text)][:500]
    assert len(subjects) == 500
    for at, text in enumerate(subjects):
        findings.grants.append(ExportedGrant("system:image-puller", f"b-{at}", (), {"users": [text], "groups": [text]}))
    for text in texts[:500]:
        findings.note(ObjectRef(ROLE_BINDING, "mallory", text), f"its name is {text}")
    variables: dict[str, Any] = {}
    for file in inventory_of({"mallory": findings}).files(f"https://api.example.com/{texts[0]}", encrypted=True):
        variables |= loaded(_written(file, tmp_path), tmp_path)
    found = templar(**variables)
    entries = found.template(trusted("{{ query('openshift_ops.image_pull.declared', 'private_registry.secrets') }}"))
    made = {entry["name"]: _auths(entry) for entry in entries}
    assert [(made[name], _values(auths)) for name, auths in wanted.items() if made[name] != _values(auths)] == []
    grants = found.template(trusted("{{ query('openshift_ops.image_pull.declared', 'cross_project_pull.grants') }}"))
    assert {text for grant in grants for text in grant["groups"]} == {*subjects}


def is_subject(text: str) -> bool:
    """Return whether export creates an entry for it. site refuses other names of users and groups before the first write."""
    try:
        check_free_name("users", text)
    except OptionError:
        return False
    return writable(text) == text


def _written(file: VariableFile, directory: Path) -> str:
    """Return the text of a file before it is encrypted."""
    password = [("default", VaultSecret(b"a password"))]
    plain, encrypted = ((), (file.name,)) if file.encrypted else ((file.name,), ())
    (path,) = ControllerFiles(password).prepare(FilesWanted(str(directory), plain, encrypted))([file])
    content = Path(path).read_bytes()
    return (VaultLib(password).decrypt(content) if file.encrypted else content).decode()


def _auths(entry: dict[str, Any]) -> Any:
    if "auth_config" in entry:
        return _values(entry["auth_config"]["auths"])
    return {one["registry"]: {name: one[name] for name in one if name != "registry"} for one in entry["registries"]}


def _values(auths: dict[str, Any]) -> Any:
    known = ("username", "password", "email", "further")
    return {key: {name: writable(entry[name]) for name in known if name in entry} for key, entry in auths.items()}


#: Every fix, with a text of a cluster in each of its places.
FIXES: Sequence[Callable[[str], list[fixes.Fix]]] = (
    lambda text: fixes.link("ns", "builder", text),
    lambda text: fixes.link(text, text, "pull"),
    lambda text: fixes.create_secret("ns", text, "q.io"),
    lambda text: fixes.create_secret("ns", "builder", text),
    lambda text: fixes.add_registry("ns", text, "q.io"),
    lambda text: fixes.add_registry("ns", "pull", f"registry.example.com#@{text}"),
    lambda text: fixes.rewrite_secret("ns", "pull", text),
    lambda text: fixes.remove_registry("ns", "pull", "q.io", text),
    lambda text: fixes.import_again("ns", text),
    lambda text: fixes.grant(text, "ns", text),
    lambda text: fixes.revoke("ns", {"users": [text]}) + fixes.grant_to("ns", {"users": [text]}),
    lambda text: fixes.grant_to("ns", {"groups": [text]}),
    lambda text: fixes.wait_for_account("ns", text),
)


def evaluated(tasks: str, directory: Path) -> Any:
    """Return ready tasks as Ansible evaluates them. Only the three variables of a login are templates in them."""
    found = loaded(tasks, directory)
    made = templar(**LOGIN).template(found)
    assert json.loads(json.dumps(made)) == _filled(json.loads(json.dumps(found)))
    return made


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _filled(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item) for item in value]
    return LOGIN.get(value[3:-3], value) if isinstance(value, str) and value.startswith("{{ registry") else value


def test_generated_text_in_an_explanation_is_never_evaluated(command: str, tmp_path: Path) -> None:
    choose, every = random.Random(SEED), []
    for text in generated(command, FURTHER, SEED + 2):
        subject = pull_of_account("ns", text, text)
        told = PullVerdict(
            subject, WILL_NOT_PULL, text, [Step("secret", text, ok=False)], choose.choice(FIXES)(text)
        ).report()
        lines = [
            line
            for line, _colour in lines_of({"namespaces": [{"name": "ns", "access": [json.loads(json.dumps(told))]}]})
        ]
        assert not any(re.search(r"[^\x20-\x7e]", line) and not line.isprintable() for line in lines)
        if "what fixes it:" in lines:
            every += lines[lines.index("what fixes it:") + 1 :]
    evaluated("\n".join([*every, "- name: the last", ""]), tmp_path)


def test_generated_text_in_a_report_is_never_evaluated(command: str, tmp_path: Path) -> None:
    """The texts go from the findings to the document, from its file to the page, and from there to a playbook."""
    choose, found = random.Random(SEED), []
    for text in generated(command, FURTHER, SEED + 3):
        ref = ObjectRef(ROLE_BINDING, text, text)
        found.append(Finding("grant-duplicate-bindings", ref, text, text, choose.choice(FIXES)(text)).report())
        # A handwritten file.
        task = {
            "name": text,
            "openshift_ops.image_pull.pull_secret": {
                "name": text,
                text: text,
                "registries": [{"registry": text, "username": text}],
            },
        }
        found.append({**found[-1], "fix": [task], "fix_effects": [text], "fix_refusal": text})
    rules = {"grant-duplicate-bindings": audits.RULES["secret-unused"]}
    document = audits.document(audits.cluster(findings=found), rules=rules)
    data = as_data(merge_documents({"x.json": documents.from_bytes("x.json", json.dumps(document).encode())}))
    columns, texts, every = data["findings"], data["texts"], []
    for at in range(len(found)):
        holes = {
            hole: data["names"][columns[name][at]]
            for hole, name in zip("\ue000\ue001\ue002", ("namespace", "name", "location"), strict=True)
        }
        every.append("".join(holes.get(letter, letter) for letter in texts[columns["fix"][at]]))
    evaluated("".join([*every, "- name: the last\n"]), tmp_path)


# --- on the lab, with ansible-playbook


@pytest.fixture
def mallory(lab: Lab, namespace: str) -> ProjectUser:
    """She may let others pull, like the administrator of a project on OpenShift. The lab's role `admin` lacks that right."""
    user = ProjectUser.create(lab, "mallory", namespace)
    lab.create(namespace, "rolebindings", role_binding("may-pull", user_subject("mallory")))
    binding = role_binding("first", user_subject("mallory"))

    def may_let_others_pull() -> bool:
        made = user.request("POST", path_of(namespace, "rolebindings"), binding, expect=(201, 403, 409))
        return bool(made.get("code") != 403)

    lab.until(may_let_others_pull, "mallory may let others pull")
    return user


@pytest.fixture
def inventory(lab: Lab, tmp_path: Path) -> Path:
    directory = tmp_path / "inventory"
    directory.mkdir()
    hosts = {"lab": {"ansible_connection": "local", "image_pull_kubeconfig": str(lab.kubeconfig)}}
    (directory / "hosts.yml").write_text(yaml.dump({"all": {"hosts": hosts}}))
    (tmp_path / "vault-password").write_text("the vault password")
    return directory


def secret_with(entry: dict[str, Any], key: str = "registry.example.com") -> str:
    return json.dumps({"auths": {key: entry}})


def header(command: str) -> str:
    """The first attack that was found, which contains no brace."""
    return f"#jinja2:variable_start_string:'[%',variable_end_string:'%]'\n[% lookup(\"pipe\", \"{command}\") %]"


def found_by_people(command: str) -> list[str]:
    """One attack of each kind, including the first one."""
    return [header(command), *(text for text in attacks(command) if f"lookup('pipe', '{command}')" in text)]


def exported(inventory: Path, mallory: ProjectUser, *options: str) -> Play:
    chosen = json.dumps({"image_pull_export_namespaces": [mallory.namespace]})
    return play(
        "export",
        inventory,
        "-vvv",
        "-e",
        chosen,
        "--vault-password-file",
        str(inventory.parent / "vault-password"),
        *options,
    )


def test_hostile_text_is_unchanged_after_export_and_site(
    command: str, lab: Lab, mallory: ProjectUser, inventory: Path
) -> None:
    texts = found_by_people(command)
    for at, text in enumerate(texts):
        entry = {"username": text, "password": text, "email": text}
        auth = {"auth": base64.b64encode(f"robot:{text}".encode("utf-8", "replace")).decode(), "email": "a@example.com"}
        marks = {"annotations": {"note": text.encode("utf-8", "replace").decode()}, "labels": {"app": f"app-{at}"}}
        mallory.secret(f"values-{at}", secret_with(entry), metadata=marks)
        mallory.secret(f"auth-{at}", secret_with(auth, f"registry.example.com/team-{at}"))
        user = text.encode("utf-8", "replace").decode()
        mallory.create_object("rolebindings", role_binding(f"binding-{at}", user_subject(user)))
    mallory.create_object("rolebindings", role_binding("x\n- {{ lookup('pipe', 'id') }}", user_subject("plain")))
    before = {item["metadata"]["name"]: item for item in lab.api("GET", path_of(mallory.namespace, "secrets"))["items"]}
    exported(inventory, mallory).succeeded()
    found = yaml.safe_load((inventory / "host_vars" / "lab" / "image_pull.yml").read_text().replace("!unsafe ", ""))
    assert len(found["private_registry_secrets"]) > len(texts)
    assert len(found["cross_project_pull_grants"]) > len(texts) // 2
    play(
        "site", inventory, "-vvv", "--diff", "--vault-password-file", str(inventory.parent / "vault-password")
    ).unchanged()
    after = {item["metadata"]["name"]: item for item in lab.api("GET", path_of(mallory.namespace, "secrets"))["items"]}
    assert after == before


def pasted(tasks: str, inventory: Path) -> Play:
    """Run ready tasks as a user would who pastes them into a playbook."""
    path = inventory.parent / "pasted.yml"
    indented = "".join(f"    {line}\n" for line in tasks.splitlines())
    path.write_text(
        f"- hosts: all\n  gather_facts: false\n  ignore_errors: true\n  tasks:\n    - ansible.builtin.debug:\n{indented}"
    )
    done = play(path, inventory, "-vvv", "--check", *(f"-e{name}={value}" for name, value in LOGIN.items()))
    assert "PLAY RECAP" in done.output, done.output
    return done


def broken_pod(lab: Lab, mallory: ProjectUser, image: str, *secrets: str) -> None:
    """Create a pod of hers whose node reports that the registry refuses the login."""
    spec = {"containers": [{"name": "app", "image": image}], "imagePullSecrets": [{"name": name} for name in secrets]}
    mallory.create_object("pods", {"metadata": {"name": "app"}, "spec": spec})
    waiting = {"reason": "ErrImagePull", "message": "unauthorized: incorrect username or password"}
    status = {
        "name": "app",
        "image": image,
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"waiting": waiting},
    }
    lab.api("PATCH", f"{path_of(mallory.namespace, 'pods', 'app')}/status", {"status": {"containerStatuses": [status]}})


def test_a_pasted_task_of_an_explanation_evaluates_no_hostile_text(
    command: str, lab: Lab, mallory: ProjectUser, inventory: Path
) -> None:
    entry = {"auth": b64(b"robot:guess")}
    mallory.secret("planted", secret_with(entry, f"registry.example.com#@{{{{ lookup('pipe', '{command}') }}}}"))
    broken_pod(lab, mallory, "registry.example.com/app", "planted")
    told = play("explain", inventory, "-e", f"pod={mallory.namespace}/app").output
    assert "secret planted has the key" in told
    pasted(_tasks_in(told), inventory)
    assert "no task is offered, because the registry key" in told


def _tasks_in(output: str) -> str:
    """Return the tasks that an explanation prints, or an empty string if there are none."""
    _before, *rest = re.split("what (?:fixes|may fix) it:\n", output, maxsplit=1)
    return "".join(f"{line}\n" for text in rest for line in text.splitlines() if re.match(r"- |  ", line))


def test_a_pasted_task_of_a_report_evaluates_no_hostile_text(
    command: str, mallory: ProjectUser, inventory: Path
) -> None:
    for text in (f"{{{{ lookup('pipe', '{command}') }}}}", header(command)):
        for name in ("one", "two"):
            mallory.create_object("rolebindings", role_binding(f"{name}-{len(text)}", user_subject(text)))
    for name in ("one", "two"):
        mallory.create_object("rolebindings", role_binding(name, user_subject("usual-user")))
    report = inventory.parent / "report"
    chosen = {
        "pull_access_audit_directory": str(report),
        "pull_access_audit_namespaces": [mallory.namespace],
        "pull_access_audit_fail_on": "never",
    }
    done = play("audit", inventory, "-e", json.dumps(chosen), cwd=inventory.parent)
    page = next(report.glob("*.html")).read_text()
    data = json.loads(re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
    found, own = data["findings"], ("namespace", "name", "location")
    every = [
        "".join(data["names"][found[own[part]][row]] if isinstance(part, int) else part for part in data["texts"][fix])
        for row, fix in enumerate(found["fix"])
    ]
    tasks = "".join(dict.fromkeys(every))
    assert "usual-user" in tasks, done.output
    pasted(tasks, inventory)
    assert "is unusual" in page


def test_the_tag_holds_wherever_ansible_reads_it(command: str, tmp_path: Path) -> None:
    """The tag works in variable files, including encrypted ones, in names and options of tasks, in loops, and in keys."""
    texts = [writable(text) for text in found_by_people(command) if "\x00" not in text and len(text) < 1000]
    password, inventory = tmp_path / "vault-password", tmp_path / "hosts"
    password.write_text("a password")
    inventory.write_text("lab ansible_connection=local\n")
    for name, encrypted in (("plain.yml", False), ("vault.yml", True)):
        data = {name[:5]: texts, f"{name[:5]}_keys": {text: [text] for text in texts}}
        (tmp_path / name).write_text(_written(VariableFile(name, data, encrypted=encrypted), tmp_path / "made"))
    encrypt = ["ansible-vault", "encrypt", "--vault-password-file", password, tmp_path / "vault.yml"]
    subprocess.run(encrypt, check=True, capture_output=True)
    tasks: list[Any] = [
        {"name": text, "ansible.builtin.debug": {"msg": {text: [text, {"a": text}]}}, "vars": {"one": text}}
        for text in texts[:5]
    ]
    tasks += [
        {
            "ansible.builtin.set_fact": {
                "fact": TemplateText("{{ item }}"),
                "facts": {texts[0]: TemplateText("x {{ item }}")},
            },
            "loop": texts,
        },
        {
            "ansible.builtin.debug": {
                "msg": [
                    TemplateText("{{ fact }} {{ facts }} {{ plain }} {{ vault }} {{ plain_keys }} {{ vault_keys }}")
                ]
            }
        },
        {"ansible.builtin.debug": {"msg": TemplateText("{{ plain + vault }}")}},
        {"ansible.builtin.debug": {"msg": "done with all of it"}},
    ]
    play_of = [{"hosts": "all", "gather_facts": False, "vars_files": ["plain.yml", "vault.yml"], "tasks": tasks}]
    (tmp_path / "play.yml").write_text(as_yaml(play_of))
    done = play(tmp_path / "play.yml", inventory, "--vault-password-file", str(password)).succeeded()
    assert "done with all of it" in done.output


#: A playbook that uses a result as users do, in separate tasks and then again.
USES = r"""
- hosts: all
  gather_facts: false
  ignore_errors: true
  tasks:
    - openshift_ops.image_pull.pull_access_export:
        kubeconfig: "{{ image_pull_kubeconfig }}"
        namespaces: ["{{ place }}"]
      register: exported
    - openshift_ops.image_pull.pull_access_audit:
        kubeconfig: "{{ image_pull_kubeconfig }}"
        namespaces: ["{{ place }}"]
      register: audited
    - openshift_ops.image_pull.pull_access_info:
        kubeconfig: "{{ image_pull_kubeconfig }}"
        namespaces: ["{{ place }}"]
        pod: app
      # Its result comes from a process of its own, those of the others from Ansible's.
      vars:
        ansible_python_interpreter: "{{ other_python }}"
      register: explained
    - openshift_ops.image_pull.image_puller_grant:
        kubeconfig: "{{ image_pull_kubeconfig }}"
        namespaces: ["{{ place }}"]
        users: ["{{ exported.cross_project_pull_grants[0].users[0] }}\\n"]
        binding_name: "{{ exported.cross_project_pull_grants[0].users[0] }}/"
      register: failed
    - ansible.builtin.set_fact:
        all_of_it: "{{ [exported, audited, explained, failed] }}"
        as_text: "x {{ exported }} {{ audited }} {{ explained }} {{ failed.msg }}"
        as_json: "{{ [exported, audited, explained, failed] | to_json }}"
        converted: "{{ [exported, audited, explained, failed] | to_json | from_json }}"
        messages: "{{ audited.audit.clusters[0].findings | map(attribute='message') | list }}"
        combined: "{{ exported | combine({'y': audited, 'z': explained}) }}"
        pairs: "{{ exported.cross_project_pull_grants | map(attribute='users') | flatten }}"
    - ansible.builtin.debug:
        msg: "{{ all_of_it }} {{ as_text }} {{ as_json }} {{ converted }} {{ combined }}"
    - ansible.builtin.debug:
        var: all_of_it
    - ansible.builtin.debug:
        msg: "{{ item }} {{ 'a' ~ item }}"
      loop: "{{ messages[:4] + pairs[:8] }}"
      loop_control:
        label: "{{ item }}"
    - ansible.builtin.set_fact:
        one_of_them: "{{ item }}"
      loop: "{{ messages[:4] + pairs[:8] }}"
      when: item is not search(pairs[0]) or true
    - ansible.builtin.assert:
        that: messages | length == 0
        fail_msg: "{{ messages | join('; ') }} {{ as_text }} {{ one_of_them }}"
    - ansible.builtin.fail:
        msg: "{{ messages + pairs }}"
      register: of_fail
    - ansible.builtin.debug:
        msg: "{{ of_fail.msg }} {{ hostvars[inventory_hostname].messages }} {{ lookup('ansible.builtin.vars', 'as_text') }}"
    - name: "{{ messages | join }}"
      ansible.builtin.command: "echo {{ (messages + pairs) | join | quote }}"
      changed_when: messages | join is search('x')
      failed_when: pairs | join is search('no such text')
      environment:
        TEXT: "{{ pairs | join }}"
      register: echoed
    - ansible.builtin.debug:
        msg: "{{ echoed }}"
    - ansible.builtin.debug:
        msg: done with all of it
"""


def test_registered_results_in_templates_of_a_playbook_are_not_evaluated(
    command: str, lab: Lab, mallory: ProjectUser, inventory: Path, other_python: str
) -> None:
    for at, text in enumerate(found_by_people(command)):
        known = text.encode("utf-8", "replace").decode()
        mallory.create_object("rolebindings", role_binding(f"a-{at}", user_subject(known)))
        mallory.create_object("rolebindings", role_binding(f"b-{at}", user_subject(known)))
    key = f"registry.example.com#@{{{{ lookup('pipe', '{command}') }}}}"
    mallory.secret("planted", secret_with({"auth": b64(b"robot:guess")}, key))
    mallory.secret("podman", secret_with({"auth": "%%%"}, header(command)))
    broken_pod(lab, mallory, "registry.example.com/app", "planted")
    path = inventory.parent / "uses.yml"
    path.write_text(USES)
    done = play(path, inventory, "-e", json.dumps({"place": mallory.namespace, "other_python": other_python}))
    # The grant is refused and two tasks fail on purpose. All others finish with the texts.
    assert (done.recap["ignored"], done.recap["failed"]) == (3, 0), done.output
    assert "done with all of it" in done.output
    assert f"lookup('pipe', '{command}')" in done.output, "the texts are shown as they are"
