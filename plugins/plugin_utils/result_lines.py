# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the last line of a playbook's output from the registered results of its tasks, and the lines of an answer of pull_access_info for a terminal.

A line contains counts, and names that the operator gave. It never contains text from a cluster: users choose the names of their
namespaces and secrets, and other people read the job log.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible import constants as C

from ..module_utils.core.documents import OF_REGISTRIES, VERDICT_TITLES, describe_idle, verdict_of
from ..module_utils.core.text import escape_invisible, join_and, make_printable, pluralize
from ..module_utils.explain.fixes import makes_secret, offer_of, options_of
from .known_variables import VARIABLES
from .rotation_facts import word_logins

#: A registered result. If its task did not run, it is empty or skipped.
Result = Mapping[str, Any]

#: The actions in the order of a line, each with its past tense and its verb for check mode.
_WORDS = {
    "create": ("created", "create"),
    "add": ("", "add"),
    "update": ("updated", "update"),
    "replace": ("replaced", "replace"),
    "delete": ("removed", "remove"),
    "label": ("labeled", "label"),
    "annotate": ("annotated", "annotate"),
    "restart": ("restarted", "restart"),
}
_NOUNS = {
    "Namespace": "namespace",
    "Secret": "secret",
    "ServiceAccount": "service account",
    "ClusterRole": "cluster role",
    "ClusterRoleBinding": "cluster role binding",
    "RoleBinding": "role binding",
    "Pod": "pod",
}
#: Ansible prints the error of a task in such a line.
_LINE = "line above that begins with fatal: or failed: says why"
#: The start of the error of a module that stopped. Nothing else of an error is in a line.
_STOPPED_MODULE = re.compile(r"openshift_ops\.image_pull\.[a-z_]{1,40}(?= (?:stopped|failed)\b)")
_RETIRED = {
    True: "the registry refuses the old login",
    False: "the old login{user} is not retired",
    None: "it is not known whether the registry refuses the old login",
}
_DISABLE = (
    ": {replace}run again with credential_rotation_retire_tasks. Or wait until no pod needs it, disable it at the registry, and run again with "
    "-e credential_rotation_verify_revoked=true"
)
_ALREADY_REFUSED = (
    "nothing was retired: the registries refused the old login before, so it was retired earlier, or is mistyped"
)
_ASK = "-e ask_registries=true asks them"
_TITLE = re.compile(rf"({'|'.join(VARIABLES.values())})(?:_(\w+))?\[\d+\]")

Counts = Counter[tuple[str, str]]


def outcome_of(results: Sequence[Result]) -> dict[str, Any]:
    """Return whether later steps may run after these (`goes_on`), and the namespaces in which one of these failed (`not_applied`).

    A step that failed only in some namespaces does not stop the others. One that rejected its options, or that the cluster stopped, does.
    """
    rows = (row for each in results for row in each.get("namespaces") or ())
    failed = (str(row["name"]) for row in rows if row.get("status") in ("failed", "skipped"))
    return {"goes_on": not _is_stopped(results), "not_applied": [*dict.fromkeys(failed)]}


def apply_line(
    results: Sequence[Result],
    *,
    declared: Sequence[str] | None,
    check_mode: bool,
    problems: Sequence[str] = (),
    nothing: str = "nothing is declared",
) -> str:
    """Summarize the changes for the entries with the titles `declared`; None if they could not be read.

    Each item of `problems` begins with the title of an entry, and says why nothing was written for it. `nothing` is the line to return if
    nothing is declared and nothing was done.
    """
    refused = [{"title": problem.partition(": ")[0]} for problem in problems]
    results = [*results, {"failed": bool(refused), "failures": refused}]
    changes = _total(map(_access_changes, _changes_in(results)))
    if declared is not None and not declared and not changes and not _is_failed(results):
        return nothing
    phrases = [*_change_phrases(changes, results, check_mode), *_verified_phrase(results), *_restart_phrase(results)]
    line = ", ".join([*phrases, *_kept_phrase(results), *_problems(results)])
    return line if declared is None else f"{_entries(declared, results)}, {_namespaces(results)}: {line}"


def rotation_line(
    results: Sequence[Result],
    *,
    plan: Result,
    seen: Result,
    check_mode: bool,
    retired: bool | None = False,
    already_refused: bool | None = None,
    told: Result | None = None,
    is_rollback: bool = False,
    usernames: Sequence[str] = (),
    has_plan: bool = False,
    is_declared: bool = False,
    waits: bool = False,
) -> str | list[str]:
    """Summarize the changes in `results`, and the remaining copies of the replaced login from the last check `seen` or else from the `plan`.

    `retired`: whether the registry refuses the old login; None if that is not known. `already_refused`: it refused the login before, so the
    tasks that retire it did not run; None before the end of the run. `told`: the result of the check of the plan, whose lines come first.
    `has_plan`: a reviewed plan confirms the secrets. `is_declared`: the inventory still declares the old login.
    `waits`: with the tasks that retire the login, the run would change nothing yet.
    `usernames`: those of the replaced and of the written login, empty if the plan failed. Pods use the old login after a rollback, so its line
    reports no retirement.
    """
    replaced, written = word_logins(usernames, is_rollback=is_rollback and bool(usernames))
    # A check that check mode skips leaves a result without it.
    checked = seen.get("rotation") or {}
    rotation = checked or plan.get("rotation") or {}
    changes = _total(map(_rotation_changes, _changes_in(results)))
    places = {row["name"] for result in results for row in _rows(result) if row.get("changes")}
    parts = [f"{', '.join(_phrases(changes, check_mode))} in {pluralize(len(places), 'namespace')}"] if changes else []
    if changes and usernames and is_rollback and not check_mode:
        parts[0] += f": {'it has' if changes.total() == 1 else 'they have'} {written} again"
    if changes and waits:
        parts[0] += ", but with the retire tasks only after the corrections above"
    planned = sum(not row["declared"] for row in rotation.get("secrets") or ()) if check_mode else 0
    if not changes and not (check_mode and _is_stopped(results)):
        what = "no confirmed secret" if planned else "no secret"
        parts = [f"{what} would change" if check_mode else f"{what} changed"]
    if checked:
        left = checked["copies"]["to_change"] + checked["copies"]["kept"]
        parts.append(f"{pluralize(left, 'confirmed secret')} left with {replaced}")
    others = rotation.get("not_declared_count", 0) - planned
    parts += _unconfirmed_phrases(planned, others, f"with {replaced} not in the plan" if has_plan else "")
    if others and retired and not check_mode:
        parts[-1] += f" (pods with {'it' if others == 1 else 'them'} may no longer pull)"
    if not (check_mode or is_rollback):
        user = f" ({usernames[0]})" if usernames else ""
        parts.append(_ALREADY_REFUSED if already_refused else _RETIRED[retired].format(user=user))
    problems = [*_problems(results)]
    if (
        retired is False
        and already_refused is False
        and checked
        and not (check_mode or is_rollback or left or problems)
    ):
        parts[-1] += _DISABLE.format(replace="replace it in the inventory, and " if is_declared else "")
    line = ", ".join((*parts, *problems))
    lines = (told or {}).get("msg") or ()
    return line if isinstance(lines, str) or not lines else [*lines, line]


def _unconfirmed_phrases(planned: int, others: int, missed: str) -> Iterator[str]:
    """Count the secrets that are not confirmed: `planned` ones that a plan could confirm, and others. `missed`: a reviewed plan misses them."""
    if planned and missed:
        yield f"{pluralize(planned, 'secret')} {missed}"
    elif planned:
        them = "it" if planned == 1 else "them"
        yield f"{pluralize(planned, 'unconfirmed secret')} would change if you confirm {them}, such as with the plan"
    if others:
        yield f"{pluralize(others, 'unconfirmed secret')} not changed"


def audit_line(report: Result) -> str:
    """Summarize the counts of a report, with its path."""
    if "counts" not in report:
        return _stop([report])
    counts = report["counts"]
    rules = {} if report["failing"] else report["rules"]
    of = {severity: f" of {_rules(rules[severity])}" if rules.get(severity) else "" for severity in counts}
    found = ", ".join(f"{pluralize(counts[each], each)}{of[each]}" for each in ("error", "warning", "info"))
    if "new" in report:
        new, gone = (sum(report[each].values()) for each in ("new", "gone"))
        found += f", {new:,} new and {gone:,} gone since the older audit"
    missing = report.get("missing") or ()
    failed = f", {pluralize(len(missing), 'cluster')} not audited" if missing else ""
    where = (report.get("paths") or {}).get("html") or "not written in check mode"
    gaps = (
        f"; {pluralize(report['not_known'], 'container')} not known, see rule pull-not-known"
        if report["not_known"]
        else ""
    )
    if untested := report["not_tested"]:
        gaps += f"; {pluralize(untested, 'container')} with a login that was not tested: run again with -e ask_registries=true"
    if report["incomplete"]:
        gaps += f"; {pluralize(len(report['incomplete']), 'cluster')} not read completely, so findings can be missing"
    if report["failing"]:
        gaps += f"; failed because fail_on selects findings of {_rules(report['failing'])}"
    elif report.get("failed"):
        gaps += "; failed because fail_on is set, and not everything could be read"
    return f"{pluralize(len(report['clusters']), 'cluster')}: found {found}{failed}, report: {where}{gaps}"


def _rules(counts: Mapping[str, int]) -> str:
    return join_and([f"{rule} ({number:,})" for rule, number in counts.items()])


def what_if_line(results: Sequence[Result], *, page: str = "", asked: bool = True) -> str:
    """Summarize the answers for all clusters, with the path of the page. A result without counts is that of a cluster that could not be read.

    Without `asked`, pulls that fail today can be among those that would break.
    """
    counts = [result["counts"] for result in results if "counts" in result]
    if not counts:
        return _stop(results)
    found: Counter[str] = Counter()
    for each in counts:
        found.update(each)
    unread = len(results) - len(counts)
    not_asked, not_applied = (sum(result.get(name, 0) for result in results) for name in ("not_asked", "not_applied"))
    idle = idle_line(results, ignore=())
    parts = [
        f"{pluralize(found['would_break'], 'container')} would no longer get {'its' if found['would_break'] == 1 else 'their'} image",
        f"{found['unknown']:,} not known",
        *([f"registries not asked for {not_asked:,} of them ({_ASK})"] if not_asked else []),
        *([f"{pluralize(not_applied, 'part')} of the inventory not applied"] if not_applied else []),
        f"{found['still_broken']:,} fail{'s' if found['still_broken'] == 1 else ''} today as well",
        *([f"{found['would_work']:,} repaired"] if found["would_work"] else []),
        f"{found['still_pulls']:,} still pull{'s' if found['still_pulls'] == 1 else ''}",
        *([f"{found['not_affected']:,} not affected"] if found["not_affected"] else []),
        *([idle] if idle else []),
        *([f"{pluralize(unread, 'cluster')} not read"] if unread else []),
        *([f"registries not asked ({_ASK})"] if found["would_break"] and not (asked or not_asked) else []),
        *([f"report: {page}"] if page else []),
    ]
    return f"{pluralize(len(counts), 'cluster')}: {', '.join(parts)}"


def idle_line(results: Sequence[Result], ignore: Sequence[str] = OF_REGISTRIES) -> str:
    """Name the changes that affect nothing on any cluster. Empty without one: a change can be meant for one of many clusters."""
    read = [
        {(row["number"], row["kind"]) for row in result["without_effect"]}
        for result in results
        if "without_effect" in result
    ]
    idle = describe_idle(sorted(set.intersection(*read)) if read else (), ignore)
    return f"{idle} (check the names, see the warning)" if idle else ""


def explain_line(result: Result, *, asked: bool = False) -> str:
    """Count the containers and image volumes by verdict. Without `asked`, the registries may know more."""
    rows = [row for namespace in _rows(result) for row in namespace.get("access") or ()]
    if result.get("failed"):
        return _stop([result])
    counts = Counter(map(verdict_of, rows))
    told = [f"{title}: {counts[name]:,}" for name, title in VERDICT_TITLES.items() if counts[name]]
    hint = (
        ""
        if asked or not (counts["untested"] or counts["unknown"])
        else "; to ask the registries, add -e ask_registries=true"
    )
    return f"{', '.join([pluralize(len(rows), 'container'), *told])}{hint}"


def images_line(result: Result) -> str:
    """Count the images in use, and the answers about their copies."""
    if "counts" not in result:
        return _stop([result])
    counts = result["counts"]
    files = [str(result[name]) for name in ("dest", "csv", "kustomize") if name in result]
    parts = [
        f"{pluralize(counts['images'], 'image')} in {pluralize(counts['workloads'], 'object')} of {pluralize(counts['namespaces'], 'namespace')}",
        *(f"{answer.replace('_', ' ')}: {number:,}" for answer, number in sorted(counts["copies"].items())),
        *([f"written: {join_and(files)}"] if files else []),
        *_problems([result]),
    ]
    return ", ".join(parts)


def export_line(result: Result, *, check_mode: bool) -> str:
    """Summarize the exported objects, the files, and the objects that were not exported."""
    if "files" not in result:
        return ", ".join(("no file was written", *_problems([result])))
    secrets = pluralize(len(result["private_registry_secrets"]), "secret")
    grants = pluralize(len(result["cross_project_pull_grants"]), "grant")
    files = [str(name) for name in result["files"]]
    where = (
        f" {'would be written' if check_mode else 'written'} to {join_and(files)}"
        if files
        else ": the files are up to date"
    )
    left = sum(result["left_out"].values())
    parts = [
        f"{secrets} and {grants} of {_namespaces([result])}{where}",
        *([f"{pluralize(left, 'object')} of the platform left out"] if left else []),
        *([f"{pluralize(len(result['not_exported']), 'object')} not expressed"] if result["not_exported"] else []),
        *_problems([result]),
    ]
    return ", ".join(parts)


def account_line(results: Sequence[Result], *, account: str, check_mode: bool, manifests: str = "") -> str:
    """Summarize the changes for the account, with the path of its kubeconfig or manifests, and the expiry time of its token."""
    counts: Counts = Counter(
        (_NOUNS.get(str(change.get("kind")), "object"), str(change.get("action"))) for change in _changes_in(results)
    )
    files = [str(name) for result in results for name in result.get("files") or ()]
    ends = [str(result["token_expires"]) for result in results if result.get("token_expires")]
    parts = [
        *(_phrases(counts, check_mode) if manifests else _change_phrases(counts, results, check_mode)),
        *([f"objects in {manifests}"] if manifests else []),
        *(f"kubeconfig {'would be' if check_mode else 'is'} in {name}" for name in files),
        *(f"its token ends {end}" for end in ends),
        *_problems(results),
    ]
    return f"account {account}: {', '.join(parts)}"


def nodes_line(results: Sequence[Result], *, rolled_out: bool | None, check_mode: bool) -> str:
    """Summarize the changes of the nodes' pull secret. `rolled_out`: whether the nodes have it; None if that is not known."""
    changes = Counter(("secret", str(change.get("action"))) for change in _changes_in(results))
    parts = [*_change_phrases(changes, results, check_mode), *_verified_phrase(results), *_problems(results)]
    if not check_mode and not _is_failed(results):
        parts.append("all nodes that get it have it" if rolled_out else "it is not known whether the nodes have it")
    return f"pull secret of the nodes: {', '.join(parts)}"


def verify_line(results: Sequence[Result]) -> str:
    """Summarize the verified logins, and the failures."""
    return ", ".join((*_verified_phrase(results), *_problems(results))) or "no login was verified"


#: The line of each kind of playbook.
LINES: dict[str, Callable[..., str]] = {
    "audit": audit_line,
    "what_if": what_if_line,
    "idle_changes": idle_line,
    "explain": explain_line,
    "images": images_line,
    "export": export_line,
    "account": account_line,
    "nodes": nodes_line,
    "verify": verify_line,
}


# --- parts of a line


def _change_phrases(counts: Counts, results: Iterable[Result], check_mode: bool) -> list[str]:
    """Return the phrases or, if there are none and no task failed, that nothing changed."""
    if counts or _is_failed(results):
        return _phrases(counts, check_mode)
    return ["nothing would change" if check_mode else "nothing changed"]


def _phrases(counts: Counts, check_mode: bool) -> list[str]:
    """Return phrases such as `3 secrets created`, `1 updated`, or `would create 3 secrets`, `update 1`."""
    nouns = dict.fromkeys((*("secret", "link", "grant"), *sorted(noun for noun, _action in counts)))
    found: list[str] = []
    for noun in nouns:
        is_named = False
        for action, (done, planned) in _WORDS.items():
            if number := counts[noun, action]:
                thing = f"{number:,}" if is_named else pluralize(number, noun)
                found.append(f"{planned} {thing}" if check_mode else f"{thing} {done}".strip())
                is_named = bool(done)
    return [f"would {found[0]}", *found[1:]] if check_mode and found else found


def _access_changes(change: Result) -> Counts:
    """Count one change as secrets, links, grants, pods and other objects."""
    kind, action = str(change.get("kind")), str(change.get("action"))
    found: Counts = Counter()
    if kind == "ServiceAccount":
        # Containers of ansible-core 2.19 and later give their values only once.
        lists = tuple((change.get("lists") or {}).values())
        found["link", "add"] = len({name for one in lists for name in one.get("added") or ()})
        found["link", "delete"] = len({name for one in lists for name in one.get("removed") or ()})
        found["service account", "create"] = action == "create"
    elif kind == "RoleBinding":
        found["grant", "add"] = len(change.get("granted") or ())
        found["grant", "delete"] = len([*(change.get("revoked") or ()), *(change.get("pruned") or ())])
    elif kind == "Pod":
        found["pod", "restart"] = 1
    else:
        found[_NOUNS.get(kind, "object"), action] = 1
    found = +found
    return found or Counter({(_NOUNS.get(kind, "object"), "delete" if action == "delete" else "label"): 1})


def _rotation_changes(change: Result) -> Counts:
    """Count one change of a rotation. It only annotates an immutable secret, because another one replaces it."""
    if change.get("annotations") and "registries" not in change:
        return Counter({("secret", "annotate"): 1})
    return _access_changes(change)


def _total(counts: Iterable[Counts]) -> Counts:
    found: Counts = Counter()
    for one in counts:
        found.update(one)
    return found


def _entries(declared: Sequence[str], results: Sequence[Result]) -> str:
    """Count the applied teams or entries. If a whole namespace failed, any of them may be affected, so only the total is returned."""
    rows = [row for result in results for row in result.get("failures") or ()]
    failed = {_entry(row) for row in rows if "title" in row}
    teams = {title: _team(title) for title in declared}
    noun = ("team", "teams") if all(teams.values()) else ("entry", "entries")
    owners = {title: teams[title] if noun[0] == "team" else title for title in declared}
    every = set(owners.values())
    if _is_stopped(results) or not all("title" in row for row in rows):
        return pluralize(len(every), *noun)
    done = len(every - {owners[title] for title in failed & set(owners)})
    return f"{done:,} of {pluralize(len(every), *noun)}"


def _entry(row: Result) -> str:
    """Return the title of the failed entry. Modules add its name in brackets."""
    title = str(row.get("title"))
    found = _TITLE.match(title)
    return found[0] if found else title


def _team(title: str) -> str:
    """Return the suffix of the variable's name; empty for a variable without one."""
    found = _TITLE.match(title)
    return (found[2] or "") if found else ""


def _namespaces(results: Sequence[Result]) -> str:
    """Count the namespaces. With many namespaces, a result lists only the changed ones, and counts the others."""
    asked = [result for result in results if "prune" not in result]
    listed = {row["name"] for result in asked for row in _rows(result)}
    totals = [(result.get("summary") or {}).get("total", 0) for result in asked]
    is_exact = all(total <= len(_rows(result)) for result, total in zip(asked, totals, strict=True))
    number = pluralize(max((len(listed), *totals)), "namespace")
    return number if is_exact or len(set(filter(None, totals))) == 1 else f"at least {number}"


def _verified_phrase(results: Sequence[Result]) -> Iterator[str]:
    number = sum(result.get("verified_logins") or 0 for result in results)
    if number:
        yield f"verified {pluralize(number, 'login')}"


def _kept_phrase(results: Sequence[Result]) -> Iterator[str]:
    """Count the secrets that a removal has kept, because another owner or nobody has put a label on them."""
    parts = (part for result in results for row in _rows(result) for part in row.get("entries") or ())
    if number := sum(bool(part.get("kept")) for part in parts):
        yield f"{pluralize(number, 'secret')} of others kept: see the warnings"


def _restart_phrase(results: Sequence[Result]) -> Iterator[str]:
    """Count the pods that get their secret only when they are recreated, without those that the task restarts."""
    lacking: dict[tuple[str, str], Result] = {}
    for row in (row for result in results for row in _rows(result)):
        restarted = {change["name"] for change in row.get("changes") or () if change.get("kind") == "Pod"}
        pods = (pod for part in (row, *(row.get("entries") or ())) for pod in part.get("pods") or ())
        lacking |= {
            (row["name"], pod["name"]): pod for pod in pods if not (pod["has_own_list"] or pod["name"] in restarted)
        }
    if lacking:
        stuck = sum(bool(pod["waiting_reason"] and pod["owner"]) for pod in lacking.values())
        hint = f" ('restart_pods: stuck' restarts {stuck:,} of them)" if stuck else ""
        yield f"{pluralize(len(lacking), 'pod needs', 'pods need')} a restart to get the secret{hint}"


def _problems(results: Sequence[Result]) -> Iterator[str]:
    rows = [row for result in results for row in result.get("failures") or ()]
    places = {row["namespace"] for row in rows if "namespace" in row}
    others = {_entry(row) for row in rows if "namespace" not in row}
    skipped = {row["name"] for result in results for row in _rows(result) if row.get("status") == "skipped"} - places
    if skipped:
        yield f"{pluralize(len(skipped), 'namespace')} skipped"
    failed = [f"for {pluralize(len(others), 'entry', 'entries')}"] if others else []
    failed += [f"in {pluralize(len(places), 'namespace')}"] if places else []
    is_stopped = _is_stopped(results)
    if failed:
        yield f"failed {' and '.join(failed)}{'' if is_stopped else f': the {_LINE}'}"
    if is_stopped:
        yield _stop(results)


def _is_failed(results: Iterable[Result]) -> bool:
    return any(result.get("failed") for result in results)


def _is_stopped(results: Iterable[Result]) -> bool:
    """Whether a task rejected its options or ended early, which is not the failure of a namespace."""
    return any(result.get("failed") and (result.get("stopped") or not result.get("failures")) for result in results)


def _stop(results: Iterable[Result]) -> str:
    """Return the phrase for a run that has stopped, with the module if its error names it."""
    told = (_STOPPED_MODULE.match(str(result.get("msg"))) for result in results if result.get("failed"))
    found = next(filter(None, told), None)
    return f"stopped in {found[0]}: its {_LINE}" if found else f"stopped: the {_LINE}"


def _changes_in(results: Iterable[Result]) -> Iterator[Result]:
    return (change for result in results for row in _rows(result) for change in row.get("changes") or ())


def _rows(result: Result) -> Sequence[Result]:
    found: Sequence[Result] = result.get("namespaces") or ()
    return found


#: A login in the inventory is renewed with the inventory. That of a single task is not. A task that corrects a secret has its `mode`: the link of
#: another secret repairs no existing pod.
_DECLARE = "If the inventory has this login, run site instead of these tasks, with the namespace in its entry."
#: Ansible's settings for the color of a line, by verdict and by the beginning of the line.
_VERDICTS = {"pulls": "COLOR_OK", "will_not_pull": "COLOR_ERROR", "unknown": "COLOR_CHANGED"}
_MARKS = {"  ok ": "COLOR_OK", "  NO ": "COLOR_ERROR", "  ?  ": "COLOR_CHANGED"}


def lines_of(result: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Yield each line with its color; None for the default color. Namespaces without an answer yield no line."""
    for namespace in result.get("namespaces") or ():
        for answer in namespace.get("access") or ():
            yield from _answer_lines(namespace.get("name", ""), answer)


def _answer_lines(namespace: str, answer: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    parts = "".join(f", {part} {answer[part]}" for part in ("container", "volume") if answer.get(part))
    yield _plain(f"{answer['kind']} {namespace}/{answer['name']}{parts}, image {answer['image']}"), None
    told, *steps = answer.get("text") or [f"{VERDICT_TITLES[verdict_of(answer)]}: {answer['reason']}"]
    yield _plain(told), _colour(_VERDICTS.get(answer["verdict"]))
    for step in steps:
        yield _plain(step), _colour(_MARKS.get(step[:5]))
    yield from _plan_lines(answer.get("secretless") or {})
    found = offer_of(answer)
    yield from ((_plain(sentence), None) for sentence in filter(None, (*found.effects, found.refusal)))
    if found.tasks:
        if any(module == "pull_secret" and makes_secret(options) for module, options in map(options_of, found.tasks)):
            yield _DECLARE, None
        yield ("what may fix it:" if answer["verdict"] == "unknown" else "what fixes it:"), None
        yield from ((line, None) for line in found.text.splitlines())


def _plan_lines(plan: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for each in plan.get("checks") or ():
        mark = {True: "  ok ", False: "  NO "}.get(each["ok"], "  ?  ")
        yield _plain(f"{mark}without a secret, {each['check']}: {each['message']}"), _colour(_MARKS[mark])
        yield from ((_plain(f"     {line}"), None) for line in each["fix"].splitlines())


def _colour(setting: str | None) -> str | None:
    found: str | None = getattr(C, setting) if setting else None
    return found


def _plain(line: str) -> str:
    """Make a line printable, because its names and texts come from a cluster and its nodes."""
    return make_printable(escape_invisible(line))
