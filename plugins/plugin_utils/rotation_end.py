# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide the end of a rotation: the waits, whether the old login may be retired, and the result in one line. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..module_utils.core.text import summarize
from .result_lines import rotation_line
from .rotation import (
    REFUSED,
    Step,
    describe_absence,
    describe_answers,
    describe_refused,
    describe_unknown,
    failures_before,
    inventory_notes,
    inventory_problem,
    judge,
    other_passwords_problem,
    outcome_of,
    retirement_needs,
    retirement_problem,
    state_of_answer,
    state_of_old_login,
    unclear_logins,
)
from .rotation_facts import SHOWN, Facts, Rows, places_in, tables_of

#: A kubelet caches the logins of its node for this number of seconds.
_NODE_CACHE = 300
_NOT_RETIRED = "the old login was not retired"
_MAY_NOT = " could not be read: the caller may not"
#: The kind of a change that retires a login.
_RETIRED = "remove_credential"
#: Another cluster of the play may have failed, and not this one.
_FAILED = {"failed": True}


# --- before the retirement


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
    return judge(facts, _NOT_RETIRED, [problem])


def judge_retirement(facts: Facts) -> Step:
    """Whether the old login may be retired, apart from the workloads that need it.

    `retires`: whether the tasks for it run. `has_guard`: whether the workloads must be evaluated first.
    """
    seen, old_login = facts.seen, state_of_old_login(facts)
    blocks = tables_of(facts, seen)
    problems = [*unclear_logins(facts), retirement_problem(facts), describe_absence(facts, seen, "seen")]
    if facts.is_retired:
        blocks += inventory_notes(facts)
        problems += [other_passwords_problem(facts, seen, old_login), inventory_problem(facts)]
    if facts.has_retirement and old_login == "unknown" and not facts.allows("remaining"):
        problems.append(describe_unknown(facts))
    if facts.has_retirement and old_login == "refused":
        similar = places_in(seen["similar"], joint=" has ")
        blocks.append([describe_refused(facts) + (similar and f" {similar}.")])
    retires = facts.has_retirement and old_login != "refused"
    before = {"guard": retires and facts.has_guard, "new_login": retires, "ready": facts.is_retired, "disable": retires}
    after = {"new_login": facts.is_retired, "dead_login": _asks_old_login(facts), "pods": facts.is_retired}
    files = [name for part in (before, after) for name, needed in part.items() if needed]
    return judge(facts, _NOT_RETIRED, problems, blocks, old_login=old_login, files=files)


def suppose_retirement(facts: Facts) -> Step:
    """The old login at each registry as a change of the module pull_access_what_if.

    Without the old password, no login of the old user works any more.
    """
    old = facts.option("old")
    login = {"username": old["username"], **({"password": old["password"]} if facts.has_password else {})}
    hosts = dict.fromkeys(registry.partition("/")[0] for registry in facts.option("registries"))
    return {"changes": [{_RETIRED: {"registry": host, **login}} for host in hosts]}


def drop_idle_warnings(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of the what-if question without its warnings that no secret has the old login: so it should be after a rotation."""
    idle = tuple(
        f"Change {each['number']} affects nothing"
        for each in result.get("without_effect", ())
        if each["kind"] == _RETIRED
    )
    # Those of a module in a process of its own are objects from ansible-core 2.19 on. From 2.21 on, Ansible displays them before this.
    warnings = [each for each in result.get("warnings", ()) if not any(begin in str(each) for begin in idle)]
    return {**result, "warnings": warnings} if "warnings" in result else {**result}


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
    return judge(facts, _NOT_RETIRED, problems, [notes])


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
        *(each for each in failures_before(facts) if each in undecided),
    ]
    known = {**(facts.fact("known_failures") or {}), facts.fact("key"): failing}
    return judge(facts, _NOT_RETIRED, [problem], known_failures=known)


def judge_new_login(facts: Facts) -> Step:
    """Whether all registries accept the new login. A registry that requires no login accepts every login."""
    allows = facts.allows("remaining")
    bad = [
        each
        for each in _answers_in(facts, "alive")
        if outcome_of(each) != "logs_in" or (each.get("scheme") == "none" and not allows)
    ]
    problem = (
        bad
        and f"{describe_answers(bad)}. Correct credential_rotation_new, or the account at the registry, and run again"
    )
    return judge(facts, f"the registries must accept {facts.logins[1]}", [problem or ""])


def judge_old_login(facts: Facts) -> Step:
    """Whether all registries refuse the old login."""
    bad = [each for each in _answers_in(facts, "dead") if not _is_refused(facts, each)]
    problems = [f"{describe_answers(bad)}. Disable it there, and run again"] if bad else ()
    return judge(facts, f"the registries must refuse {facts.logins[0]}", problems)


def _is_refused(facts: Facts, answer: Mapping[str, Any]) -> bool:
    """A registry that requires no login rejects none."""
    return outcome_of(answer) in REFUSED or (answer.get("scheme") == "none" and facts.allows("remaining"))


def _answers_in(facts: Facts, name: str) -> Rows:
    """The answer of each registry. A skipped question is no answer."""
    found = {each["item"]: each for each in (facts.fact(name) or {}).get("results") or () if not each.get("skipped")}
    return [found.get(registry, {"item": registry}) for registry in facts.option("registries")]


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
        waits=facts.is_review and bool(plan.get("rotation") and retirement_needs(facts)),
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
    """Return the direction, the users, and whether there is a plan. If that of this run failed, the users may not be defined."""
    is_planned = (facts.fact("plan") or {}).get("rotation") is not None
    return {
        "is_rollback": facts.is_set("rollback"),
        "usernames": facts.usernames if is_planned else [],
        "has_plan": bool(facts.option("plan")),
    }


def _summarize_end(facts: Facts) -> dict[str, Any]:
    """Return whether the registries are known to refuse the old login, and whether they did so before.

    The failures are recorded just before the tasks that retire the login. Without the old password, no registry reports their effect.
    """
    states = {state_of_answer(answer) for answer in _answers_in(facts, "dead")}
    is_disabled = facts.fact("known_failures") is not None and facts.has_retirement
    return {
        "retired": True if states <= {"refused"} else None if is_disabled and "works" not in states else False,
        "is_declared": bool(facts.fact("inventory")),
        "already_refused": facts.has_retirement and (facts.fact("retirement") or {}).get("old_login") == "refused",
    }


#: The steps by name, in the order in which the role takes them.
LAST_STEPS: Mapping[str, Callable[[Facts], Step]] = {
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
