# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide the steps of the role `credential_rotation` up to its last write: its scope, and the reasons to stop. Pure.

Each step is a function from the facts of a host to a dictionary for the tasks of the role. `refusal` is the reason why the role must stop, and is
empty otherwise. It names all problems. `notes` are the lines to print otherwise. `files` are the task files that run next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..module_utils.core.text import pluralize, summarize
from .rotation_facts import SHOWN, Facts, Rows, places_in, refuse, tables_of

Step = dict[str, Any]

#: Outcomes of a question to a registry that refuse a login.
REFUSED = ("bad_login", "expired")
_REMAINING = "To retire the login anyway, set credential_rotation_allow: [remaining]"
_UNCHANGED = "nothing was changed"


def judge(
    facts: Facts, prefix: str, problems: Iterable[str], blocks: Iterable[Sequence[str]] = (), **members: Any
) -> Step:
    """Return the decision. A block of lines that the plan of this run has printed is not printed again."""
    refusal, told = refuse(prefix, problems), {*_told(facts)}
    notes = [line for block in blocks if not told.issuperset(block) for line in block]
    return {"refusal": refusal, "notes": [] if refusal else notes, **members}


def _told(facts: Facts) -> Sequence[str]:
    """The lines that the plan of this run has printed. The message of a refused plan is a text."""
    shown = (facts.fact("told") or {}).get("msg")
    return shown if isinstance(shown, (list, tuple)) else ()


# --- before the plan


def prepare(facts: Facts) -> Step:
    """Whether this run already has the new login, and whether it must plan. Check mode changes nothing, so one plan is enough."""
    is_known = facts.fact("key") in (facts.fact("logins") or {})
    return {"is_known": is_known, "plans": not (facts.is_check and facts.is_planned) or bool(unclear_logins(facts))}


def take_login(facts: Facts) -> Step:
    """The new login. A lookup or a command can give another password each time."""
    command = facts.option("new_command")
    return {**facts.option("new"), **({"password": facts.run(command).strip()} if command else {})}


def unclear_logins(facts: Facts) -> list[str]:
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


def retirement_problem(facts: Facts) -> str:
    """The reason why the tasks that disable the old login cannot run. They run last, so a wrong path would only show after all writes."""
    reason = facts.inspect(str(facts.option("retire_tasks"))) if facts.retires else ""
    return reason and (
        f"credential_rotation_retire_tasks: {reason}. Correct the path. A relative path begins at the directory in which you run the command"
    )


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
    """Whether the rotation may begin. `told` are its notes, or those of the plan before: each wave plans again."""
    plan, is_emergency = facts.plan, facts.is_set("emergency")
    old_login, to_change = plan["old_login"], plan["copies"]["to_change"]
    # Check mode refuses the same as the run. The review of a plan reports what a retirement needs.
    needs = retirement_needs(facts)
    absence = describe_absence(facts, plan, "plan")
    blocks, problems = tables_of(facts, plan), [*unclear_logins(facts), retirement_problem(facts), absence]
    if not is_emergency:
        blocks += [note for note in inventory_notes(facts) if note[0] not in "".join(needs)]
    problems += [] if facts.is_review else [*needs, _no_node(facts)]
    # A login that no secret has needs no confirmation.
    problems += ["" if absence else _unconfirmed(facts), _no_accepted_login(plan), _unread(facts, plan)]
    if not is_emergency and old_login == "refused" and to_change:
        problems.append(
            f"a registry already rejects {facts.logins[0]}, so pods cannot pull now. Set credential_rotation_emergency: true to change all "
            "namespaces at once, without a canary"
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
    if facts.retires and facts.is_check:
        blocks.append([_describe_retirement(facts, needs)])
    step = judge(facts, _UNCHANGED, problems, blocks)
    return {**step, "told": step["notes"] or [*_told(facts)]}


def retirement_needs(facts: Facts) -> Sequence[str]:
    """Return why a run that retires the old login would change nothing."""
    if not facts.retires or facts.is_set("emergency"):
        return ()
    needs = [inventory_problem(facts), other_passwords_problem(facts, facts.plan, facts.plan["old_login"])]
    if not (facts.allows("remaining") or facts.has_password or state_of_old_login(facts) == "works"):
        needs.append(
            "the old login would not be retired: without the password of credential_rotation_old, it is not known whether the registries accept "
            f"a login of this user. The user name may be mistyped, or an earlier run has replaced the login in all secrets. Set the password. {_REMAINING}"
        )
    return [*filter(None, needs)]


def _describe_retirement(facts: Facts, needs: Sequence[str]) -> str:
    """Whether the tasks that disable the old login would run. With `verify`, the plan asks the registries about it."""
    tasks, state = f"the tasks in {facts.option('retire_tasks')}", state_of_old_login(facts)
    if needs:
        return refuse(f"with {tasks}, the run would change nothing", needs)
    if state == "refused":
        return describe_refused(facts)
    if state == "unknown" and facts.is_set("verify") and not facts.allows("remaining"):
        return f"{facts.logins[0]} would not be retired: {describe_unknown(facts)}"
    unless = ", unless credential_rotation_guard stops it, which needs a real run" if facts.has_guard else ""
    accepted = "" if state == "works" else ", if the registries still accept it"
    return f"at the end of the run, {tasks} would disable {facts.logins[0]}{accepted}{unless}"


def describe_refused(facts: Facts) -> str:
    """The effect of an old login that the registries already refuse."""
    runs, retires = ("would not run", "would be") if facts.is_check else ("do not run", "is")
    return (
        f"credential_rotation_retire_tasks {runs}, and nothing {retires} retired, because the registries already refuse the old login. It was "
        "retired before, or the user name or the password in credential_rotation_old is mistyped."
    )


def _no_node(facts: Facts) -> str:
    """The canary writes before its pods pull."""
    if facts.is_set("emergency") or facts.plan["has_ready_node"] is not False or not choose_canary(facts)["probes"]:
        return ""
    return (
        f"no node can test {facts.logins[1]}: the cluster has no ready node. Look at the nodes ('oc get nodes'), or set "
        "credential_rotation_probe: false"
    )


def describe_absence(facts: Facts, looked: Mapping[str, Any], name: str) -> str:
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
    """If the inventory does not declare the new login, the next run of the playbook site writes another one after the old one was retired."""
    rows = facts.fact("inventory")
    if not rows:
        return ""
    edit = facts.fact("to_edit") or "To edit an encrypted file: ansible-vault edit FILE"
    return (
        f"the inventory of {facts.read('inventory_hostname')} declares the login to replace, or only half of the new one, so the next run of "
        f"the playbook site would write it: {summarize([*map(_declaration, rows)], SHOWN, '; ')}; replace it there with {facts.logins[1]}. {edit}"
    )


def _declaration(row: Mapping[str, Any]) -> str:
    registry = f" ({row['registry']})" if row["registry"] else ""
    problem = f", {row['problem']}" if row["problem"] else ""
    return f"{row['place']}{registry}{problem}{', password variable: ' + row['variable'] if row['variable'] else ''}"


def inventory_notes(facts: Facts) -> list[list[str]]:
    return [[text]] if (text := _inventory_text(facts)) else []


def inventory_problem(facts: Facts) -> str:
    text = "" if facts.allows("remaining") else _inventory_text(facts)
    return text and f"{text}. Then run again. {_REMAINING}"


def other_passwords_problem(facts: Facts, looked: Mapping[str, Any], old_login: str) -> str:
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
    states = {state_of_answer(answer) for answer in answers_of(facts)}
    states.update(plan["old_login"] for _host, plan in other_plans(facts))
    return states.pop() if len(states) == 1 else "unknown"


def answers_of(facts: Facts) -> Rows:
    """The answers of the registries about the old login. Without its password they could not be asked."""
    return ((facts.fact("asked") or {}).get("results") or ()) if facts.has_password else ()


def outcome_of(answer: Mapping[str, Any]) -> str:
    """Return the outcome of the login in an answer. Empty without one."""
    return str((answer.get("login") or {}).get("outcome") or "")


def state_of_answer(answer: Mapping[str, Any]) -> str:
    """A registry that requires no login accepts none."""
    outcome = outcome_of(answer)
    if outcome in REFUSED:
        return "refused"
    return "works" if outcome == "logs_in" and answer.get("scheme") != "none" else "unknown"


def describe_unknown(facts: Facts) -> str:
    """Why it is not known whether the registries accept the old login."""
    plans = [
        f"{host}: a registry {'refused it' if plan['old_login'] == 'refused' else 'gave no answer'} when the rotation was planned"
        for host, plan in other_plans(facts)
        if plan["old_login"] != "works"
    ]
    parts = [
        "it is not known whether the registries accept it, so it may be mistyped",
        describe_answers(answers_of(facts))
        if facts.has_password
        else "Without its password, the registries cannot be asked",
        *plans,
        "Correct credential_rotation_old, and run again. If a registry has refused the login since an earlier run, or is gone for good, run "
        "again with only the others in credential_rotation_registries. To retire the login without this check, set "
        "credential_rotation_allow: [remaining]",
    ]
    return ". ".join(filter(None, parts))


def describe_answers(answers: Rows) -> str:
    return summarize([f"{each['item']}: {_said_in(each)}" for each in answers], SHOWN, ". ")


def _said_in(answer: Mapping[str, Any]) -> str:
    if answer.get("scheme") == "none":
        return (
            "it requires no login, so it accepts each. If that is intended, set credential_rotation_allow: [remaining]"
        )
    return str((answer.get("login") or {}).get("message") or answer.get("msg") or "no answer")


def other_plans(facts: Facts) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the hosts whose plan is for the same users, and for a registry that was not asked since.

    An unknown answer counts only if the registry was asked about the given password, which needs a secret with one of the logins.
    """
    asked = set(facts.option("registries")) if answers_of(facts) else set()
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
    return judge(facts, "", (), blocks, namespaces=namespaces, probes=chosen, seconds=seconds)


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
    return judge(facts, "stopped", [problem])


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
    before, first = {*failures_before(facts)}, facts.first
    found = [row for row in facts.seen["failing"] if row["place"] not in before]
    to_change = first["copies"]["to_change"]
    is_after = facts.fact("key") in (facts.fact("known_failures") or {})
    if not (facts.is_set("verify") and facts.is_planned and (to_change or not is_after)):
        return found
    rows = first["repositories"] if to_change else ()
    proven = {row["repository"] for row in rows if row["outcome"] == "pulls"}
    return [row for row in found if row["repository"] in proven]


def failures_before(facts: Facts) -> list[str]:
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
    return judge(facts, f"do not disable {facts.logins[0]} yet", problems, tables_of(facts, seen))


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
    return judge(facts, _nodes_unchanged(facts), problems, [found["notes"]])


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
    return judge(facts, _nodes_unchanged(facts), [problem], rendered_before=pools if result.get("changed") else {})


#: The steps by name, in the order in which the role takes them.
FIRST_STEPS: Mapping[str, Callable[[Facts], Step]] = {
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
}
