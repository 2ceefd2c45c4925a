# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide each step of the role `credential_rotation`: its scope, and the reasons to stop. Pure.

Each step is a function from the facts of a host to a dictionary for the tasks of the role. `refusal` is the reason why the role must stop, and is
empty otherwise. It names all problems. `notes` are the lines to print otherwise. `files` are the task files that run next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.text import pluralize, summarize

from .result_lines import rotation_line
from .rotation_facts import SHOWN, Facts, Rows, places_in, refuse, tables_of

Step = dict[str, Any]

#: A kubelet caches the logins of its node for this number of seconds.
_NODE_CACHE = 300
#: Outcomes of a question to a registry that refuse a login.
_REFUSED = ("bad_login", "expired")
_REMAINING = "To retire the login anyway, set credential_rotation_allow: [remaining]"
_NOT_RETIRED = "the old login was not retired"
_UNCHANGED = "nothing was changed"
#: Another cluster of the play may have failed, and not this one.
_FAILED = {"failed": True}
_MAY_NOT = " could not be read: the caller may not"


def _judge(
    facts: Facts, prefix: str, problems: Iterable[str], blocks: Iterable[Sequence[str]] = (), **members: Any
) -> Step:
    """Return the decision. A block of lines that the plan of this run has printed is not printed again."""
    refusal = refuse(prefix, problems)
    shown = (facts.fact("told") or {}).get("msg")
    told = set(shown) if isinstance(shown, (list, tuple)) else set()
    notes = [line for block in blocks if not told.issuperset(block) for line in block]
    return {"refusal": refusal, "notes": [] if refusal else notes, **members}


# --- before the plan


def prepare(facts: Facts) -> Step:
    """Whether this run already has the new login, and whether it must plan. Check mode changes nothing, so one plan is enough."""
    is_known = facts.fact("key") in (facts.fact("logins") or {})
    return {"is_known": is_known, "plans": not (facts.is_check and facts.is_planned) or bool(_unclear_logins(facts))}


def take_login(facts: Facts) -> Step:
    """The new login. A lookup or a command can give another password each time."""
    command = facts.option("new_command")
    return {**facts.option("new"), **({"password": facts.run(command).strip()} if command else {})}


def _unclear_logins(facts: Facts) -> list[str]:
    """Return why the logins cannot be told apart."""
    problems = []
    old, new, key = facts.option("old"), facts.option("new"), facts.fact("key")
    if (
        facts.has_guard
        and not facts.is_set("rollback")
        and old["username"] == new["username"]
        and not facts.has_password
    ):
        problems.append(
            f"credential_rotation_guard: {facts.option('guard')} needs the password of credential_rotation_old, because the user name stays the "
            "same. Set the password, or set credential_rotation_guard: false"
        )
    inputs = facts.fact("inputs") or {}
    if key in inputs and inputs[key] != facts.fact("input"):
        problems.append(
            f"this run has already rotated another login for {', '.join(facts.option('registries'))} from user {old['username']} to user "
            f"{new['username']}. Its new login would be written into the secrets of this one. Rotate each of them in its own run of "
            "ansible-playbook"
        )
    return problems


# --- after the plan


def document_plan(facts: Facts) -> Step:
    """The plan for a review. Its rows lack `is_accepted`, which a later run would not count: a reviewer removes rows."""
    old, new = facts.usernames
    rows = [{name: value for name, value in row.items() if name != "is_accepted"} for row in facts.plan["secrets"]]
    return {
        "server": facts.fact("plan")["server"],
        "registries": facts.option("registries"),
        "old_username": old,
        "new_username": new,
        "secrets": rows,
    }


def judge_plan(facts: Facts) -> Step:
    """Whether the rotation may begin."""
    plan, is_emergency, is_rollback = facts.plan, facts.is_set("emergency"), facts.is_set("rollback")
    old_login, to_change = plan["old_login"], plan["copies"]["to_change"]
    # Check mode refuses the same as the run, except for the review of a plan.
    retires = facts.retires and not facts.is_review
    absence = _absence(facts, plan, "plan")
    blocks, problems = tables_of(facts, plan), [*_unclear_logins(facts), absence]
    if not is_emergency:
        blocks += _inventory_notes(facts)
        problems += [_inventory_problem(facts)] if retires else []
    if not is_emergency and not is_rollback:
        problems += [_other_passwords_problem(facts, plan, old_login)] if retires else []
    problems += [] if facts.is_review else [_no_node(facts)]
    # A login that no secret has needs no confirmation.
    problems += ["" if absence else _unconfirmed(facts), _no_accepted_login(plan), _unread(facts, plan)]
    if not is_emergency and old_login == "refused" and to_change:
        problems.append(
            f"a registry already rejects {facts.logins[0]}, so pods cannot pull now. Set credential_rotation_emergency: true to change all "
            "namespaces at once, without a canary"
        )
    if (
        retires
        and not is_emergency
        and not (facts.allows("remaining") or facts.has_password or state_of_old_login(facts) == "works")
    ):
        problems.append(
            "the old login would not be retired: without the password of credential_rotation_old, it is not known whether the registries accept "
            "a login of this user. The user name may be mistyped, or an earlier run has replaced the login in all secrets. Set the password. "
            + _REMAINING
        )
    if not facts.is_set("verify") and to_change:
        blocks.append(
            [
                f"credential_rotation_verify is false: {facts.logins[1]} was not verified at any registry. The pulls in the canary namespaces are its "
                "first test"
            ]
        )
    if not (to_change or is_emergency or facts.is_check or facts.is_retired):
        blocks.append(
            [f"no secret needs a change, so this run tests {facts.logins[1]} neither at the registries nor on a node"]
        )
    return _judge(facts, _UNCHANGED, problems, blocks)


def _no_node(facts: Facts) -> str:
    """The canary writes before its pods pull."""
    if facts.is_set("emergency") or facts.plan["has_ready_node"] is not False or not choose_canary(facts)["probes"]:
        return ""
    return (
        f"no node can test {facts.logins[1]}: the cluster has no ready node. Look at the nodes ('oc get nodes'), or set "
        "credential_rotation_probe: false"
    )


def _absence(facts: Facts, looked: Mapping[str, Any], name: str) -> str:
    """If no cluster of the play has the login, it is probably misspelled, and the login in use would be retired. A single cluster may lack it."""
    only_new = name == "seen"
    key, found, searched = facts.fact("key"), 0, Counter[str]()
    for host in facts.hosts.values():
        if key in (host.get("__credential_rotation_logins") or {}):
            rotation = (host.get(f"__credential_rotation_{name}") or {}).get("rotation") or {}
            copies = rotation.get("copies") or {}
            searched.update(rotation.get("searched") or {})
            found += copies.get("new", 0) + (0 if only_new else copies.get("old", 0))
    if found or facts.allows("absent"):
        return ""
    password = " and password" if facts.has_password else ""
    old = "" if only_new else f"the user{password} of credential_rotation_old, or with "
    of_registries = searched["for_registries"]
    wrong = "old, credential_rotation_new" if of_registries else "registries"
    parts = [
        f"no secret has an entry for {', '.join(facts.option('registries'))} with {old}the login of credential_rotation_new",
        f"Of {pluralize(searched['secrets'], 'searched secret')}, {pluralize(of_registries, 'has', 'have')} a login of any user for these registries",
        places_in(looked["similar"], joint=" has "),
        *looked["unreadable_secrets"],
        f"Correct credential_rotation_{wrong}, credential_rotation_secrets or "
        "credential_rotation_namespace_selector. If these clusters do not need the login, set credential_rotation_allow: [absent]",
    ]
    return ". ".join(filter(None, parts))


def _inventory_text(facts: Facts) -> str:
    """If the inventory still declares the old login, the next run of the playbook site writes it back after it was retired."""
    rows = facts.fact("inventory")
    if not rows:
        return ""
    edit = facts.fact("to_edit") or "To edit an encrypted file: ansible-vault edit FILE"
    return (
        f"the inventory of {facts.read('inventory_hostname')} declares the login to replace, so the next run of the playbook site would write it "
        f"back: {summarize([*map(_declaration, rows)], SHOWN, '; ')}; replace it there with {facts.logins[1]}. {edit}"
    )


def _declaration(row: Mapping[str, Any]) -> str:
    registry = f" ({row['registry']})" if row["registry"] else ""
    problem = f", {row['problem']}" if row["problem"] else ""
    return f"{row['place']}{registry}{problem}{', whose password is the variable ' + row['variable'] if row['variable'] else ''}"


def _inventory_notes(facts: Facts) -> list[list[str]]:
    return [[text]] if (text := _inventory_text(facts)) else []


def _inventory_problem(facts: Facts) -> str:
    text = "" if facts.allows("remaining") else _inventory_text(facts)
    return text and f"{text}. Then run again. {_REMAINING}"


def _other_passwords_problem(facts: Facts, looked: Mapping[str, Any], old_login: str) -> str:
    """A secret with the new login does not show whether the password of the old one is mistyped.

    If it is, the secrets with the right one are not found, and their pods cannot pull after the retirement. Only confirmed secrets count,
    because any user can plant others. A login that all registries accept is not mistyped, so then no secret can stop the retirement.
    """
    count = looked["other_passwords_count"]
    if not count or facts.allows("remaining") or old_login == "works":
        return ""
    return (
        f"{pluralize(count, 'confirmed secret has', 'confirmed secrets have')} its user with another password, so the password of "
        f"credential_rotation_old may be mistyped, and pods with these secrets may no longer pull. "
        f"{places_in(looked['other_passwords'], joint=' has ', total=count)}. Correct credential_rotation_old or these secrets, and run again. To continue "
        "anyway, set credential_rotation_allow: [remaining]. A login that all registries refuse is not retired even then"
    )


def _unconfirmed(facts: Facts) -> str:
    """Without a plan and without a named secret, it is not known which secrets may have the new login."""
    plan, host = facts.plan, facts.read("inventory_hostname")
    named = facts.option("plan") or facts.fact("named")
    if named or facts.is_review or facts.changes_nodes or not plan["not_declared_count"]:
        return ""
    replaced, written = facts.logins
    example = next((f", for example {row['fix']}" for row in plan["not_declared"] if row["fix"]), "")
    to_plan = facts.fact("to_plan") or (
        f"Write a plan with --check -e credential_rotation_plan_dest=plan-{host}.yml, remove the secrets whose readers must not have "
        f"{written}, and run again with -e credential_rotation_plan=plan-{host}.yml"
    )
    return (
        f"{pluralize(plan['not_declared_count'], 'secret')} in {pluralize(plan['not_declared_namespaces'], 'namespace')} hold {replaced}, or "
        f"may hold it. None of them is declared, so it is not known which of them are allowed to have {written}. {to_plan}. Or add entries "
        f"to credential_rotation_secrets{example}"
    )


def _no_accepted_login(plan: Mapping[str, Any]) -> str:
    rows = [row for row in plan["secrets"] if row["declared"] and row["is_accepted"]]
    if not plan["not_accepted_count"] or rows:
        return ""
    return (
        f"the registries accept the login of none of the {pluralize(plan['not_accepted_count'], 'confirmed secret')}. "
        f"{places_in(plan['not_accepted'], 5)}. Run again when the registries answer, or set the password of credential_rotation_old. If these "
        "logins have expired or were disabled, set credential_rotation_emergency: true"
    )


def _unread(facts: Facts, looked: Mapping[str, Any]) -> str:
    sentences = looked["unreadable_secrets"]
    if not sentences or facts.allows("unread"):
        return ""
    return (
        f"{facts.logins[0]} may be in secrets that cannot be read: {'; '.join(sentences)}. Use a login with the right to list namespaces, and "
        "secrets in all namespaces, or set credential_rotation_allow: [unread]"
    )


def state_of_old_login(facts: Facts) -> str:
    """Return whether the registries accept the old login: works, refused or unknown. All answers must be the same.

    Each cluster can have a registry of its own, and only those of the first cluster are asked at the end, so the plans of other registries for
    the same users count as well. Without the password, only plans count: the registries were asked about the logins of confirmed secrets. With
    it, a cluster that has the login and no answer leaves it unknown.
    """
    states = {_state_of_answer(answer) for answer in _answers(facts)}
    states.update(plan["old_login"] for _host, plan in _other_plans(facts))
    return states.pop() if len(states) == 1 else "unknown"


def _answers(facts: Facts) -> Rows:
    """The answers of the registries about the old login. Without its password they could not be asked."""
    return ((facts.fact("asked") or {}).get("results") or ()) if facts.has_password else ()


def _state_of_answer(answer: Mapping[str, Any]) -> str:
    """A registry that requires no login accepts none."""
    outcome = (answer.get("login") or {}).get("outcome")
    if outcome in _REFUSED:
        return "refused"
    return "works" if outcome == "logs_in" and answer.get("scheme") != "none" else "unknown"


def _other_plans(facts: Facts) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the hosts whose plan is for the same users, and for a registry that was not asked since.

    An unknown answer counts only if the registry was asked about the given password, which needs a secret with one of the logins.
    """
    asked = set(facts.option("registries")) if _answers(facts) else set()
    for host, variables in facts.hosts.items():
        plan = (variables.get("__credential_rotation_plan") or {}).get("rotation") or {}
        if plan.get("users") != facts.users or not set(plan["registries"]) - asked:
            continue
        if plan["old_login"] != "unknown" or (facts.has_password and plan["copies"]["old"] + plan["copies"]["new"] > 0):
            yield host, plan


# --- the rotation


def choose_steps(facts: Facts) -> Step:
    """The parts of the rotation that run after the plan. Imports are retried only in namespaces where this run can have changed a login.

    Check mode has its changes from the plan, except those of the nodes. Failed imports show only after a change.
    """
    to_change = facts.plan["copies"]["to_change"]
    namespaces = list(dict.fromkeys(row["namespace"] for row in facts.fact("confirmed")))
    selector = facts.fact("everywhere") if facts.changes_nodes else {"include": namespaces, "system_namespaces": True}
    nodes = ["nodes"] * facts.changes_nodes
    if facts.is_check:
        return {"files": nodes}
    canary = _canary_files(facts) if (to_change or facts.retires) and not facts.is_set("emergency") else []
    imports = ["imports"] * bool(facts.is_set("reimport") and (facts.changes_nodes or namespaces))
    return {"files": [*canary, "namespaces", *nodes, *imports, "check"], "imports_selector": selector}


def _canary_files(facts: Facts) -> list[str]:
    step = choose_canary(facts)
    parts = {"canary": step["namespaces"], "probe": step["probes"] or step["notes"], "canary_soak": step["seconds"]}
    return [*(name for name, needed in parts.items() if needed), "watch"]


def end_wave(facts: Facts) -> Step:
    """Whether the play ends before a wave of clusters: a cluster has failed or, in check mode, no nodes have the login."""
    plans = ((variables.get("__credential_rotation_plan") or {}).get("rotation") for variables in facts.hosts.values())
    has_nodes = any(plan and plan["nodes"] for plan in plans)
    return {"ends": bool(facts.lost_hosts) or (facts.is_check and not has_nodes)}


def choose_canary(facts: Facts) -> Step:
    """The namespaces of the first writes: the given ones, or the namespace that uses the login and has the oldest secret with it.

    A secret that the canary has not written is left out of the probes: its pull would test the old login.
    """
    probes, to_change = facts.plan["probes"], facts.plan["copies"]["to_change"]
    namespaces = facts.option("canary_namespaces") or [probe["namespace"] for probe in probes][:1]
    written = (facts.fact("canary") or {}).get("rotation") or {}
    kept = {(row["namespace"], row["secret"]) for row in written.get("not_accepted", ())}
    in_canaries = [probe for probe in probes if probe["namespace"] in namespaces and facts.is_set("probe")]
    chosen = [probe for probe in in_canaries if (probe["namespace"], probe["secret"]) not in kept]
    when = "before all namespaces get it" if to_change else "in this run"
    untested = f"no secret with {facts.logins[1]} is known to pull an image in the canary namespaces, so no node tests it {when}"
    blocks = [[untested]] if facts.is_set("probe") and not chosen else []
    seconds = int(facts.option("canary_soak_seconds")) if to_change else 0
    return _judge(facts, "", (), blocks, namespaces=namespaces, probes=chosen, seconds=seconds)


def choose_scope(facts: Facts) -> Step:
    """The secrets that a check searches: those of the plan of this run or, without one, those of a reviewed plan or of the inventory."""
    if facts.is_planned:
        return {"secrets": facts.fact("confirmed")}
    return {"plan": facts.fact("reviewed")} if facts.option("plan") else {"secrets": facts.fact("named")}


def judge_pods(facts: Facts) -> Step:
    """Whether registries reject the login of pods that did not fail before.

    If the registries were asked, only failures for repositories that the new login can pull count, because the author of a pod can name any
    image. A run with nothing to change causes no failure before the retirement. After the retirement, every failure counts. If only the end of a
    rotation runs, nothing is known from before. A pod that was only waiting before may have been failing all along.
    """
    rows = new_failures(facts)
    text = summarize([f"{row['namespace']}/{row['pod']} ({row['image']}, {row['cause']})" for row in rows], SHOWN)
    problem = text and f"registries reject the login of pods that did not fail before: {text}. {_way_back(facts)}"
    return _judge(facts, "stopped", [problem])


def _way_back(facts: Facts) -> str:
    """How the pods get the login back with which they pulled before."""
    if not facts.is_set("rollback"):
        return str(facts.fact("way_back"))
    return (
        f"To give secrets {facts.logins[0]} again, run again without credential_rotation_rollback. To explain a failed pull, run the playbook "
        "explain"
    )


def new_failures(facts: Facts) -> Rows:
    """Return the failures of the last look that count."""
    before, first = {*_failures_before(facts)}, facts.first
    found = [row for row in facts.seen["failing"] if row["place"] not in before]
    to_change = first["copies"]["to_change"]
    is_after = facts.fact("key") in (facts.fact("known_failures") or {})
    if not (facts.is_set("verify") and facts.is_planned and (to_change or not is_after)):
        return found
    rows = first["repositories"] if to_change else ()
    proven = {row["repository"] for row in rows if row["outcome"] == "pulls"}
    return [row for row in found if row["repository"] in proven]


def _failures_before(facts: Facts) -> list[str]:
    known = (facts.fact("known_failures") or {}).get(facts.fact("key"))
    return (
        known if known is not None else [*(row["place"] for row in facts.first["failing"]), *facts.first["undecided"]]
    )


def judge_rest(facts: Facts) -> Step:
    """Whether the old login is gone. Since the plan, a controller may have restored it, and the rights can have changed."""
    seen, allows = facts.seen, facts.allows("remaining")
    has_more = seen["remaining_count"] or (facts.is_set("nodes") and seen["nodes"])
    problems = [_unread(facts, seen)]
    if seen["copies"]["to_change"] or (has_more and not allows):
        problems.append(_rest(facts))
    return _judge(facts, f"do not disable {facts.logins[0]} yet", problems, tables_of(facts, seen))


def _rest(facts: Facts) -> str:
    seen, to_change = facts.seen, facts.seen["copies"]["to_change"]
    count = to_change + seen["remaining_count"] + len(seen["nodes"])
    remaining = [{**row, "reason": f"({row['location']}): {row['reason']}"} for row in seen["remaining"]]
    unanswered = [row for row in facts.first["not_accepted"] if not row["is_refused"]]
    reason = "the pull secret of the nodes. On a hosted cluster, change it in the management cluster"
    parts = [
        f"it is still in {pluralize(count, 'place')}",
        places_in(seen["to_change"], total=to_change),
        places_in(remaining, joint=" ", total=seen["remaining_count"]),
        places_in(unanswered),
        places_in([{**row, "reason": reason} for row in seen["nodes"]]),
        "Remove it there and run again. To leave it in secrets that cannot be changed, set credential_rotation_allow: [remaining]. If users "
        "of a namespace put such a login back, write a plan (credential_rotation_plan_dest), remove their secrets from it, and run again with "
        "that plan",
    ]
    return ". ".join(filter(None, parts))


def judge_nodes(facts: Facts) -> Step:
    """Whether the pull secret of the nodes may be changed."""
    found, problems = facts.fact("nodes"), []
    paused = [pool["name"] for pool in found["pools"] if pool["paused"]]
    if not found["supported"]:
        namespaces = ", ".join(row["namespace"] for row in facts.plan["nodes"])
        problems.append(
            f"{namespaces} has {facts.logins[0]} in a pull secret of nodes: {found['reason']}. Change or delete the secret manually, or set "
            "credential_rotation_nodes: false"
        )
    elif paused and not facts.is_set("nodes_allow_paused"):
        problems.append(
            f"machines of paused pools would not get it: {', '.join(paused)}. Resume them (spec.paused), or set "
            "credential_rotation_nodes_allow_paused: true. Then run again"
        )
    return _judge(facts, _nodes_unchanged(facts), problems, [found["notes"]])


def _nodes_unchanged(facts: Facts) -> str:
    return f"the namespaces have {facts.logins[1]}. The pull secret of the nodes was not changed"


def judge_written_nodes(facts: Facts) -> Step:
    """Whether the pull secret of the nodes has the new login, and the configurations of the pools before its change."""
    result = facts.fact("nodes_result")
    rotation = result["rotation"]
    problem = ""
    if rotation["not_accepted_count"]:
        problem = (
            f"{places_in(rotation['not_accepted'], len(rotation['not_accepted']))}. Run again when the registry answers, or set the password of "
            "credential_rotation_old or credential_rotation_nodes: false. If this login has expired or was disabled, set "
            "credential_rotation_emergency: true"
        )
    pools = {pool["name"]: pool["rendered"] for pool in facts.fact("nodes")["pools"]}
    return _judge(facts, _nodes_unchanged(facts), [problem], rendered_before=pools if result.get("changed") else {})


# --- the end


def prepare_end(facts: Facts) -> Step:
    """The waits before a retirement, in seconds.

    `own_minimum` is the time that this cluster needs between its last write and the retirement. The time of an earlier run's write is not known,
    and neither are the writes of a play without a plan. `seconds` is the longest of all clusters, since each can rotate a login of its own.
    """
    nodes, planned, waits = facts.is_set("nodes"), facts.is_planned, facts.waits
    wrote_nodes = not planned or bool(facts.plan["nodes"] or facts.plan["nodes_changed"])
    own = max(int(facts.option("soak_seconds")), _NODE_CACHE if nodes and wrote_nodes else 0)
    known = (facts.hosts[host].get("__credential_rotation_end") or {} for host in facts.active)
    seconds = max([own, *(each.get("own_minimum", 0) for each in known)]) if waits else 0
    has_nodes = waits and nodes and planned and not facts.plan["nodes"] and bool(facts.plan["nodes_changed"])
    parts = {
        "nodes_wait": has_nodes,
        "soak": seconds,
        "pulls": waits,
        "check": True,
        "old_login": _asks_old_login(facts) and not facts.is_set("rollback"),
        "retire": not facts.is_set("rollback"),
    }
    return {
        "files": [] if facts.is_check else [name for name, needed in parts.items() if needed],
        "own_minimum": own,
        "seconds": seconds,
        "pulls_timeout": min(int(facts.option("pulls_timeout")), 60) if waits else 0,
    }


def _asks_old_login(facts: Facts) -> bool:
    """Whether the registries are asked about the old login."""
    return facts.is_retired and facts.has_password


def judge_pulls(facts: Facts) -> Step:
    """A pull of a pod that is not seen can use the old login, and its failure would not be seen either."""
    reason = "" if facts.allows("unread") else facts.seen["pending_pulls_unknown"]
    problem = reason and (
        f"it is not known whether nodes still pull with it: {reason}. Use a login with the right to list pods, and run again. To retire the login "
        "anyway, set credential_rotation_allow: [unread]"
    )
    return _judge(facts, _NOT_RETIRED, [problem])


def judge_retirement(facts: Facts) -> Step:
    """Whether the old login may be retired, apart from the workloads that need it.

    `retires`: whether the tasks for it run. `has_guard`: whether the workloads must be evaluated first.
    """
    seen, old_login = facts.seen, state_of_old_login(facts)
    blocks, problems = tables_of(facts, seen), [*_unclear_logins(facts), _absence(facts, seen, "seen")]
    if facts.is_retired:
        blocks += _inventory_notes(facts)
        problems += [_other_passwords_problem(facts, seen, old_login), _inventory_problem(facts)]
    if facts.has_retirement and old_login == "unknown" and not facts.allows("remaining"):
        problems.append(_unknown_login(facts))
    if facts.has_retirement and old_login == "refused":
        similar = places_in(seen["similar"], joint=" has ")
        refused = (
            "credential_rotation_retire_tasks do not run, and nothing is retired, because the registries already refuse the old login. It was "
            "retired before, or the user name or the password in credential_rotation_old is mistyped."
        )
        blocks.append([refused + (similar and f" {similar}.")])
    retires = facts.has_retirement and old_login != "refused"
    before = {"guard": retires and facts.has_guard, "new_login": retires, "ready": facts.is_retired, "disable": retires}
    after = {"new_login": facts.is_retired, "dead_login": _asks_old_login(facts), "pods": facts.is_retired}
    files = [name for part in (before, after) for name, needed in part.items() if needed]
    return _judge(facts, _NOT_RETIRED, problems, blocks, old_login=old_login, files=files)


def _unknown_login(facts: Facts) -> str:
    answers = [
        f"{answer['item']}: {answer['login']['message'] if 'login' in answer else answer['msg']}"
        for answer in _answers(facts)
    ]
    plans = [
        f"{host}: a registry {'refused it' if plan['old_login'] == 'refused' else 'gave no answer'} when the rotation was planned"
        for host, plan in _other_plans(facts)
        if plan["old_login"] != "works"
    ]
    parts = [
        "it is not known whether the registries accept it, so it may be mistyped",
        summarize(answers, SHOWN, ". ")
        if facts.has_password
        else "Without its password, the registries cannot be asked",
        *plans,
        "Correct credential_rotation_old, and run again. If a registry has refused the login since an earlier run, or is gone for good, run "
        "again with only the others in credential_rotation_registries. To retire the login without this check, set "
        "credential_rotation_allow: [remaining]",
    ]
    return ". ".join(filter(None, parts))


def suppose_retirement(facts: Facts) -> Step:
    """The old login at each registry as a change of the module pull_access_what_if.

    Without the old password, no login of the old user works any more.
    """
    old = facts.option("old")
    login = {"username": old["username"], **({"password": old["password"]} if facts.has_password else {})}
    hosts = dict.fromkeys(registry.partition("/")[0] for registry in facts.option("registries"))
    return {"changes": [{"remove_credential": {"registry": host, **login}} for host in hosts]}


def judge_workloads(facts: Facts) -> Step:
    """Whether workloads need the old login, by the answers to the what-if question."""
    answer = facts.fact("supposed")["what_if"]
    is_strict = str(facts.option("guard")) == "what_if_strict"
    broken, unknown = (
        [row for row in answer["containers"] if row["answer"] == kind] for kind in ("would_break", "unknown")
    )
    denied = [text.partition(_MAY_NOT)[0].removeprefix("the ") for text in answer["unreadable"] if _MAY_NOT in text]
    failed = [text for text in answer["unreadable"] if _MAY_NOT not in text]
    notes: list[str] = []
    problems: list[str] = []
    if unknown:
        effect = "" if is_strict else ", so they do not stop its retirement"
        notes.append(
            f"it is not known whether workloads need the old login{effect} (containers: {len(unknown)}): {_containers(unknown, 3)}"
        )
    if denied:
        notes.append(
            f"Workloads that need the old login can be missed, because the caller may not read {', '.join(denied)}. With "
            "credential_rotation_guard, an account needs the rights of the jobs rotation and what_if"
        )
    if failed:
        notes.append(f"Not read (sentences: {len(failed)}): {summarize(failed, SHOWN, '. ')}")
    if broken:
        rows = "rows of the plan" if facts.option("plan") else "entries of credential_rotation_secrets"
        problems.append(
            f"workloads would no longer get their image without it (containers: {len(broken)}): {_containers(broken, SHOWN)}. Replace the login "
            f"in the secrets that they use, for example with {rows}, and run again. To retire the login anyway, "
            "set credential_rotation_guard: false"
        )
    if is_strict and notes:
        problems.append(
            "credential_rotation_guard is what_if_strict, and it is not known whether workloads need it (containers: "
            f"{len(unknown)}, sentences about objects that could not be read: {len(answer['unreadable'])}). To retire "
            "the login anyway, set credential_rotation_guard: what_if"
        )
        problems += notes
    return _judge(facts, _NOT_RETIRED, problems, [notes])


def _containers(rows: Rows, most: int) -> str:
    sentences = []
    for row in rows:
        after = row["after"]
        step = f" at step {after['step']}" if after.get("step") and row["answer"] == "would_break" else ""
        place = f"{row['kind']} {row['namespace']}/{row['name']} ({row['container'] or row['volume']}, {row['image']})"
        sentences.append(f"{place}{step}: {after['reason']}")
    return summarize(sentences, most, ". ")


def disable(facts: Facts) -> Step:
    """Whether all clusters are ready, and the pods that already fail. A container that has pulled in between no longer counts as failed before.

    A play without `any_errors_fatal` continues on the other clusters, and one login is that of all.
    """
    problem = ""
    if facts.has_retirement and facts.lost_hosts:
        problem = (
            "clusters of this play have failed or cannot be reached, and they may still use it: "
            f"{', '.join(facts.lost_hosts)}. Correct them, and run again"
        )
    seen, undecided = facts.seen, set(facts.seen["undecided"])
    failing = [
        *(row["place"] for row in seen["failing"]),
        *(each for each in _failures_before(facts) if each in undecided),
    ]
    known = {**(facts.fact("known_failures") or {}), facts.fact("key"): failing}
    return _judge(facts, _NOT_RETIRED, [problem], known_failures=known)


def judge_new_login(facts: Facts) -> Step:
    """Whether an answer of a registry does not accept the new login. A registry that requires no login accepts every login."""
    answer = facts.fact("alive")
    is_open = answer.get("scheme") == "none" and not facts.allows("remaining")
    return {"failed": bool(answer["failed"] or answer["login"]["outcome"] != "logs_in" or is_open)}


def judge_old_login(facts: Facts) -> Step:
    """Whether an answer of a registry does not refuse the old login. A registry that requires no login rejects none."""
    answer = facts.fact("dead")
    is_open = answer.get("scheme") == "none" and facts.allows("remaining")
    return {"failed": bool(answer["failed"] or (answer["login"]["outcome"] not in _REFUSED and not is_open))}


# --- the last line


def print_plan(facts: Facts) -> Step:
    """The result of the plan: the last line in check mode, or if a cluster has failed."""
    plan = facts.fact("plan") or {}
    line = rotation_line(
        [_FAILED if facts.lost_hosts else plan],
        plan=plan,
        seen={},
        check_mode=facts.is_check,
        told=facts.fact("told"),
        **_name_logins(facts),
    )
    return {"prints": facts.is_check or bool(facts.lost_hosts), "line": line}


def print_wave(facts: Facts) -> Step:
    """The result of a wave. The last wave has that of the rotation, unless a cluster has failed, or in check mode."""
    plan = facts.fact("plan")
    goes_on = not (facts.is_check or facts.lost_hosts)
    is_last = facts.read("ansible_play_batch")[-1:] == list(facts.hosts)[-1:]
    line = _line_of(facts, **_name_logins(facts))
    return {"prints": plan is not None and not (goes_on and is_last), "line": line}


def print_end(facts: Facts) -> Step:
    """The result of the rotation."""
    return {"line": _line_of(facts, **_name_logins(facts), **_summarize_end(facts))}


def _line_of(facts: Facts, **ends: Any) -> str | list[str]:
    plan = facts.fact("plan") or {}
    results = [facts.fact(name) or {} for name in ("canary", "result", "nodes_result")]
    results += [plan] if facts.is_check else []
    results += [_FAILED] if facts.lost_hosts else []
    return rotation_line(results, plan=plan, seen=facts.fact("seen") or {}, check_mode=facts.is_check, **ends)


def _name_logins(facts: Facts) -> dict[str, Any]:
    """Return the direction and the users. If the plan failed, the users may not be defined."""
    is_planned = (facts.fact("plan") or {}).get("rotation") is not None
    return {"is_rollback": facts.is_set("rollback"), "usernames": facts.usernames if is_planned else []}


def _summarize_end(facts: Facts) -> dict[str, Any]:
    """Return whether the registries are known to refuse the old login, and whether they did so before.

    The failures are recorded just before the tasks that retire the login. Without the old password, no registry reports their effect. A skipped
    question is no answer.
    """
    dead = facts.fact("dead") or {}
    answers = [each for each in dead.get("results") or () if not each.get("skipped")]
    is_complete = {*facts.option("registries")} <= {answer["item"] for answer in answers}
    is_dead = (
        bool(answers)
        and not dead.get("failed")
        and is_complete
        and all(each.get("scheme") != "none" for each in answers)
    )
    is_disabled = facts.fact("known_failures") is not None and facts.has_retirement
    return {
        "retired": True if is_dead else None if is_disabled else False,
        "already_refused": facts.has_retirement and (facts.fact("retirement") or {}).get("old_login") == "refused",
    }


#: The steps by name, in the order in which the role takes them.
STEPS: Mapping[str, Callable[[Facts], Step]] = {
    "prepare": prepare,
    "login": take_login,
    "document": document_plan,
    "plan": judge_plan,
    "steps": choose_steps,
    "wave": end_wave,
    "canary": choose_canary,
    "scope": choose_scope,
    "pods": judge_pods,
    "rest": judge_rest,
    "nodes": judge_nodes,
    "written_nodes": judge_written_nodes,
    "end": prepare_end,
    "pulls": judge_pulls,
    "retirement": judge_retirement,
    "supposed": suppose_retirement,
    "workloads": judge_workloads,
    "disable": disable,
    "new_login": judge_new_login,
    "old_login": judge_old_login,
    "plan_line": print_plan,
    "wave_line": print_wave,
    "line": print_end,
}
