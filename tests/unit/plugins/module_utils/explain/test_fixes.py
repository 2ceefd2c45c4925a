# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixes are valid tasks. tests/modules runs them."""

from __future__ import annotations

import base64
import importlib
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.names import is_name
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.text import is_plain
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.writers import Sentence, TemplateText
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.fixes import Offer, make_offer, offer_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret import plan as pull_secret
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.content import DOCKERCONFIGJSON
from support.hostile_text import TEXTS
from support.objects import b64
from support.objects import pull_secret as stored

LOGIN = {"registry": "q.io:5000", "username": "{{ registry_username }}", "password": "{{ registry_password }}"}

HERE: dict[str, Any] = {"namespaces": ["ns"]}

PULL: dict[str, Any] = {**HERE, "name": "pull"}

LINK: dict[str, Any] = {**HERE, "service_accounts": ["builder"], "secrets": ["pull"]}

SUBJECT = {"users": ["u"]}

FROM_MIRROR = {
    **HERE,
    "name": "mirror-m-io-5000",
    "registries": [{**LOGIN, "registry": "m.io:5000"}],
    "mode": "merge",
    "verify": "warn",
}

WRITE = {**PULL, "registries": [LOGIN], "verify": "warn"}

NEW = {**WRITE, "name": "pull-q-io-5000", "mode": "merge"}

GRANT = {**HERE, "service_accounts": [{"namespace": "a", "name": "builder"}]}

EMPTIED = {**PULL, "registries": [{"registry": "a.io"}, {"registry": "b.io"}], "mode": "remove"}

NAMES = {
    "link": "Link a pull secret to a service account",
    "grant": "Let others pull from a project",
    "fewer logins": "Remove registries from a pull secret",
    **dict.fromkeys(("listed secret", "another login", "new content"), "Write a login into a pull secret"),
}

#: The tasks of each fix, as module and options.
FIXES: dict[str, tuple[Sequence[dict[str, Any]], list[tuple[str, dict[str, Any]]]]] = {
    "link": (fixes.link("ns", "builder", "pull"), [("sa_link", {**LINK, "restart_pods": "stuck"})]),
    "link only": (fixes.link_only("ns", "builder", "pull"), [("sa_link", {**LINK, "require": "none"})]),
    "unlink": (fixes.unlink("ns", "builder", "pull", "mount"),
               [("sa_link", {**LINK, "link_for": ["mount"], "state": "absent"})]),
    "new secret": (fixes.create_secret("ns", "builder", "q.io:5000"),
                   [("pull_secret", NEW), ("sa_link", {**LINK, "secrets": [NEW["name"]], "restart_pods": "stuck"})]),
    "secret for imports": (fixes.import_secret("ns", "q.io:5000"), [("pull_secret", NEW)]),
    "secret for a mirror": (fixes.create_unlinked_secret("ns", "m.io:5000"), [("pull_secret", FROM_MIRROR)]),
    "new secret of a registry that delegates its login": (
        fixes.make_offer(fixes.create_secret("ns", "builder", "q.io:5000"), ["registry_ca_cert", "realm_hosts"]).tasks,
        [("pull_secret", {**NEW, "registry_ca_cert": "{{ image_pull_registry_ca_cert }}", "realm_hosts": "{{ image_pull_realm_hosts }}"}),
         ("sa_link", {**LINK, "secrets": [NEW["name"]], "restart_pods": "stuck"})]),
    "listed secret": (fixes.create_listed_secret("ns", "pull", "q.io:5000"),
                      [("pull_secret", WRITE)]),
    "another login": (fixes.add_registry("ns", "pull", "q.io:5000"),
                      [("pull_secret", {**WRITE, "mode": "merge"})]),
    "new content": (fixes.rewrite_secret("ns", "pull", "q.io:5000"),
                    [("pull_secret", {**WRITE, "mode": "replace", "recreate": True})]),
    "another type": (fixes.convert_secret("ns", "pull", "q.io:5000"),
                     [("pull_secret", {**WRITE, "mode": "merge", "recreate": True})]),
    "no secret": (fixes.remove_secret("ns", "pull"), [("pull_secret", {**PULL, "state": "absent"})]),
    "fewer logins": (fixes.remove_registry("ns", "pull", "a.io", "b.io"), [("pull_secret", EMPTIED)]),
    "grant": (fixes.grant("ns", "a", "builder"), [("image_puller_grant", GRANT)]),
    "grant to a user": (fixes.grant_to("ns", SUBJECT), [("image_puller_grant", {**HERE, **SUBJECT})]),
    "no grant": (fixes.revoke("ns", SUBJECT),
                 [("image_puller_grant", {**HERE, **SUBJECT, "state": "absent", "revoke_from": "every_binding"})]),
    "wait": (fixes.wait_for_account("ns", "builder"), [("sa_wait", {**HERE, "service_accounts": ["builder"]})]),
}  # fmt: skip


@pytest.mark.parametrize("fix", FIXES)
def test_a_fix_is_tasks_whose_options_the_modules_accept(fix: str) -> None:
    tasks, expected = FIXES[fix]
    found = [(module.rpartition(".")[2], task[module]) for task in tasks for module in set(task) - {"name"}]
    assert found == expected
    for name, options in found:
        module = importlib.import_module(f"ansible_collections.openshift_ops.image_pull.plugins.modules.{name}").MODULE
        validation = ArgumentSpecValidator(module.arguments, **module.all_rules).validate({**options, "host": "h"})
        assert validation.error_messages == []
    assert tasks[0]["name"] == NAMES.get(fix, tasks[0]["name"])


@pytest.mark.parametrize(
    "tasks",
    [
        fixes.create_secret("ns", "builder", "q.io"),
        fixes.import_secret("ns", "q.io"),
        fixes.create_unlinked_secret("ns", "q.io"),
    ],
    ids=["for an account", "for imports", "for a mirror"],
)
def test_a_new_secret_keeps_the_logins_of_an_old_one_of_its_name(tasks: Sequence[dict[str, Any]]) -> None:
    options = fixes.options_of(tasks[0])[1]
    declared = pull_secret.from_options(
        {"state": "present", "type": DOCKERCONFIGJSON, **options}, lambda path: pytest.fail(f"reads {path}")
    )
    name, old = options["name"], {"auths": {"q.io/team": {"auth": b64("user:password")}}}
    found = {}
    for given in (None, {**stored(name, old), "metadata": {"name": name, "uid": "u", "resourceVersion": "7"}}):
        (change,) = declared.plan("ns", {} if given is None else {name: given}).changes
        content = change.body["data"][".dockerconfigjson"]
        found[change.action] = sorted(json.loads(base64.b64decode(content))["auths"])
    assert found == {"create": ["q.io"], "update": ["q.io", "q.io/team"]}


@pytest.mark.parametrize(
    ("registry", "name"),
    [
        ("Q.io:5000", "pull-q-io-5000"),
        ("\u00e9.io", "pull-io"),
        ("\u0663.io\u00e9", "pull-io"),
        ("127.0.0.1", "pull-127-0-0-1"),
        ("a" * 300 + ".io", "pull-" + "a" * 248),
        ("a" * 247 + ".io", "pull-" + "a" * 247),
    ],
)
def test_the_name_of_a_new_secret_is_a_valid_object_name(registry: str, name: str) -> None:
    assert fixes.secret_name_for("pull", registry) == name
    assert is_name(name)


# --- A task is offered only for names and keys that the collection accepts, and it names who gets access

#: Each text that a fix takes from a cluster, by its place in the fix.
PLACES: dict[str, Callable[[str], Any]] = {
    "link.namespace": lambda text: fixes.link(text, "builder", "pull"),
    "link.account": lambda text: fixes.link("ns", text, "pull"),
    "link.secret": lambda text: fixes.link("ns", "builder", text),
    "link_only.secret": lambda text: fixes.link_only("ns", "builder", text),
    "unlink.secret": lambda text: fixes.unlink("ns", "builder", text),
    "new_secret.registry": lambda text: fixes.create_secret("ns", "builder", text),
    "add_registry.secret": lambda text: fixes.add_registry("ns", text, "q.io"),
    "add_registry.registry": lambda text: fixes.add_registry("ns", "pull", text),
    "rewrite_secret.registry": lambda text: fixes.rewrite_secret("ns", "pull", text),
    "convert_secret.registry": lambda text: fixes.convert_secret("ns", "pull", text),
    "remove_registry.registry": lambda text: fixes.remove_registry("ns", "pull", "q.io", text),
    "remove_secret.secret": lambda text: fixes.remove_secret("ns", text),
    "import_again.stream": lambda text: fixes.import_again("ns", text),
    "import_secret.registry": lambda text: fixes.import_secret("ns", text),
    "create_unlinked_secret.registry": lambda text: fixes.create_unlinked_secret("ns", text),
    "grant.project": lambda text: fixes.grant(text, "ns", "builder"),
    "grant.namespace": lambda text: fixes.grant("ns", text, "builder"),
    "grant.account": lambda text: fixes.grant("ns", "a", text),
    "grant_to.user": lambda text: fixes.grant_to("ns", {"users": [text]}),
    "grant_to.group": lambda text: fixes.grant_to("ns", {"groups": [text]}),
    "grant_to.project": lambda text: fixes.grant_to("ns", {"projects": [text]}),
    "revoke.user": lambda text: fixes.revoke("ns", {"users": [text]}),
    "wait_for_account.account": lambda text: fixes.wait_for_account("ns", text),
}

KEYS = [
    "", "user:secret-1@q.io", "q.io?token=secret-1", "q.io#x", "q.io#@corp-vault.example.com", "*.q.io", "q.io/a?", "[a]", "/path", "a b",
    "é.io", "q.io/{{ x }}",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_usual_name_is_offered_in_each_place(place: str) -> None:
    found = make_offer(PLACES[place]("app.io" if place.endswith(".registry") else "app"))
    assert found.tasks
    assert found.refusal == ""


def test_a_login_with_an_email_is_offered() -> None:
    found = make_offer(fixes.add_registry("ns", "pull", "q.io", with_email=True))
    assert found.refusal == ""
    (entry,) = found.tasks[0]["openshift_ops.image_pull.pull_secret"]["registries"]
    assert entry["email"] == TemplateText("{{ registry_email }}")


@pytest.mark.parametrize("place", PLACES)
def test_an_unusual_text_is_offered_in_no_place(place: str) -> None:
    for text in ("", *(text for text in TEXTS if not is_plain(text))):
        found = make_offer(PLACES[place](text))
        assert (found.tasks, found.effects, found.text) == ((), (), ""), text
        assert found.refusal.startswith("no task is offered, because the ")
        assert found.refusal.isprintable()
        assert len(found.refusal) < 300


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("build", [fixes.add_registry, fixes.rewrite_secret, fixes.convert_secret])
def test_an_invalid_registry_key_is_never_offered(build: Callable[..., Any], key: str) -> None:
    found = make_offer(build("ns", "pull", key))
    assert found.tasks == ()
    assert "secret-1" not in found.refusal
    assert "the registry key" in found.refusal


def test_a_login_that_is_not_a_variable_is_not_repeated() -> None:
    (task,) = fixes.rewrite_secret("ns", "pull", "q.io")
    task["openshift_ops.image_pull.pull_secret"]["registries"][0]["password"] = "secret-1"
    refusal = "no task is offered, because the password is unusual: check the object, and change it by hand"
    assert make_offer([task]) == Offer(refusal=refusal)


def test_one_unusual_text_withholds_all_of_the_tasks() -> None:
    assert make_offer([*fixes.link("ns", "a", "pull"), *fixes.unlink("ns", "a", "{{ x }}")]) == Offer(
        refusal="no task is offered, because the secret's name '{{ x }}' is unusual: check the object, and change it by hand"
    )


def test_a_long_text_is_not_repeated() -> None:
    assert len(make_offer(fixes.remove_secret("ns", "A" * 10_000)).refusal) < 250


def test_a_login_is_not_offered_for_a_key_that_no_client_uses() -> None:
    """The module refuses it. It can be removed."""
    key = "q.io/team/app:v1"
    assert (
        "because the registry key 'q.io/team/app:v1' is unusual"
        in make_offer(fixes.add_registry("ns", "a", key)).refusal
    )
    assert make_offer(fixes.remove_registry("ns", "a", key)).tasks


@pytest.mark.parametrize(
    ("tasks", "effects"),
    [
        (fixes.grant_to("victim", {"projects": ["mallory"]}),
         ["This lets every service account of project mallory pull the images of project victim."]),
        (fixes.grant("victim", "mallory", "builder"),
         ["This lets service account builder of project mallory pull the images of project victim."]),
        (fixes.grant_to("victim", {"users": ["u"], "groups": ["g"]}),
         ["This lets group g and user u pull the images of project victim."]),
        (fixes.grant_to("victim", {"authenticated": True}),
         ["This lets everybody who is logged in, including all service accounts, pull the images of project victim."]),
        (fixes.grant_to("v", {"anonymous": True}),
         ["This lets clients that send no login pull the images of project v."]),
        (fixes.link("ns", "builder", "pull"),
         ["This lets every pod of service account builder of namespace ns pull with the logins of secret pull."]),
        (fixes.add_registry("ns", "pull", "q.io"),
         ["This writes the login for q.io into secret pull of namespace ns: everybody who may read secrets or create pods there can "
         "use it."]),
        (fixes.rewrite_secret("ns", "pull", fixes.REGISTRY),
         ["This replaces the whole content of secret pull of namespace ns by the login that you give: everybody who may read secrets or "
         "create pods there can use it."]),
        (fixes.add_registry("openshift-config", "pull-secret", "q.io"),
         ["This writes the login for q.io into secret pull-secret of namespace openshift-config: every node pulls with it, for the pods "
         "of all namespaces."]),
        (fixes.revoke("ns", {"users": ["u"]}), []),
        (fixes.unlink("ns", "a", "b"), []),
        (fixes.remove_secret("ns", "a"), []),
        (fixes.remove_registry("ns", "a", "q.io"), []),
        (fixes.wait_for_account("ns", "a"), []),
        (fixes.import_again("ns", "a"), []),
    ],
    ids=range(15),
)  # fmt: skip
def test_the_effects_of_the_tasks_are_named(tasks: Any, effects: list[str]) -> None:
    found = make_offer(tasks)
    assert (list(found.effects), found.notes) == (effects, " ".join(effects))


def test_an_effect_is_named_once() -> None:
    assert len(make_offer([*fixes.link("ns", "a", "b"), *fixes.link("ns", "a", "b")]).effects) == 1


@pytest.mark.parametrize("place", PLACES)
def test_an_offer_is_read_again_from_a_result(place: str) -> None:
    found = make_offer(PLACES[place]("app.io" if place.endswith(".registry") else "app"))
    again = offer_of(json.loads(json.dumps(found.report())))
    assert again == found
    assert again.text == found.text


def test_a_refusal_is_read_again_from_a_result() -> None:
    found = make_offer(fixes.remove_secret("ns", "{{ x }}"))
    assert offer_of(json.loads(json.dumps(found.report()))) == found
    assert offer_of({"fix": []}) == Offer()


def test_effects_are_not_taken_from_a_document() -> None:
    tasks = json.loads(json.dumps(fixes.grant("victim", "mallory", "builder")))
    found = offer_of({"fix": tasks, "fix_effects": ["This is harmless."], "fix_refusal": "x"})
    assert found.effects == ("This lets service account builder of project mallory pull the images of project victim.",)
    assert found.refusal == ""


@pytest.mark.parametrize("text", ["{{ lookup('pipe', 'id') }}", "plain-password", "{{ registry_username }}"])
def test_a_login_in_a_document_is_always_the_variable(text: str) -> None:
    options = {"name": "pull", "registries": [{"registry": "q.io", "username": text, "password": text}]}
    found = offer_of(
        {"fix": [{"name": "Write a login into a pull secret", "openshift_ops.image_pull.pull_secret": options}]}
    )
    assert text not in found.text.replace('username: "{{ registry_username }}"', "")


@pytest.mark.parametrize("option", ["registry_ca_cert", "realm_hosts"])
@pytest.mark.parametrize(
    "value", ["{{ lookup('pipe', 'id') }}", "/tmp/planted.pem", "evil.example.com", ["evil.example.com"]]
)
def test_the_way_to_a_registry_in_a_document_is_always_the_variable(option: str, value: Any) -> None:
    offer = make_offer(fixes.add_registry("ns", "pull", "q.io"), [option])
    (task,), expected = offer.tasks, offer.text
    task["openshift_ops.image_pull.pull_secret"][option] = value
    assert make_offer([task]).tasks == ()
    assert offer_of({"fix": [task]}).text == expected
    assert expected.endswith(f'    {option}: "{{{{ image_pull_{option} }}}}"\n')


@pytest.mark.parametrize(
    "task",
    [
        {"name": "{{ x }}", "openshift_ops.image_pull.sa_wait": {}},
        {"name": "Wait", "openshift_ops.image_pull.sa_wait": {}},
        {"name": "Remove a pull secret", "openshift_ops.image_pull.{{ x }}": {}},
        {"name": "Remove a pull secret"},
        {"name": "Remove a pull secret", "openshift_ops.image_pull.pull_secret": {"{{ x }}": True}},
        {"name": "Remove a pull secret", "openshift_ops.image_pull.pull_secret": {"labels": {"a": "{{ x }}"}}},
    ],
)
def test_a_foreign_task_of_a_document_is_not_offered(task: dict[str, Any]) -> None:
    found = offer_of({"fix": [task]})
    assert (found.tasks, found.text) == ((), "")
    assert "is unusual" in found.refusal


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("sa_link", {"host": "https://api.attacker.example.com"}),
        ("sa_link", {"proxy": "http://attacker.example.com:3128"}),
        ("sa_wait", {"kubeconfig": "/tmp/kubeconfig"}),
        ("image_puller_grant", {"users": ["mallory"], "role": "admin"}),
        ("image_puller_grant", {"users": ["mallory"], "mode": "remove"}),
        ("image_puller_grant", {"users": "mallory"}),
        ("image_puller_grant", {"service_accounts": ["builder"]}),
        ("image_puller_grant", {"projects": [5]}),
        ("image_puller_grant", {"authenticated": "no"}),
        ("pull_secret", {"registries": [{"registry": "q.io", "token": "x"}]}),
        ("pull_access_audit", {"dest": "/tmp/audit.json"}),
        ("pull_access_prune", {}),
    ],
    ids=range(12),
)
def test_a_task_without_a_named_effect_is_not_offered(module: str, options: dict[str, Any]) -> None:
    task = {
        "name": "Let others pull from a project",
        f"openshift_ops.image_pull.{module}": {"namespaces": ["victim"], **options},
    }
    assert offer_of({"fix": [task]}) == Offer(
        refusal="no task is offered, because the task is unusual: check the object, and change it by hand"
    )


@pytest.mark.parametrize("key", ["when", "become", "delegate_to", "ansible.builtin.command"])
def test_a_task_has_only_a_title_and_a_module(key: str) -> None:
    [task] = json.loads(json.dumps(fixes.wait_for_account("ns", "builder")))
    assert offer_of({"fix": [task]}).tasks
    assert offer_of({"fix": [{**task, key: "x"}]}).tasks == ()
    assert offer_of({"fix": [{"name": task["name"], key: "x"}]}).tasks == ()


def test_the_text_is_a_list_of_tasks() -> None:
    assert make_offer(fixes.add_registry("ns", "pull", "q.io")).text == (
        "- name: Write a login into a pull secret\n"
        "  openshift_ops.image_pull.pull_secret:\n"
        "    namespaces:\n"
        "      - ns\n"
        "    name: pull\n"
        "    registries:\n"
        "      - registry: q.io\n"
        '        username: "{{ registry_username }}"\n'
        '        password: "{{ registry_password }}"\n'
        "    mode: merge\n"
        "    verify: warn\n"
    )


def test_titles_hold_no_text_of_a_cluster() -> None:
    for build in PLACES.values():
        for task in build("unusual {{ name }}"):
            assert isinstance(task["name"], Sentence)
            assert task["name"] in fixes.TITLES


def test_logins_are_always_template_variables() -> None:
    assert all(isinstance(variable, TemplateText) for variable in (fixes.REGISTRY, *fixes.VARIABLES.values()))
