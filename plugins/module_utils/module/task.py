# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definition of a module, and one run of it: validated options in, a result out.

A run is the same in its own process (`ansible_module`) and in Ansible's (`plugin_utils/in_process`).
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import floor
from pathlib import Path
from typing import Any, TypeVar

from ..clients.kube.client import Cluster
from ..clients.kube.connection import ConnectionOptions, connect
from ..core.cluster_text import make_visible
from ..core.errors import ImagePullError, OptionError, describe_unexpected
from ..core.file_errors import describe_read_error
from ..core.limits import Limit
from ..core.names import is_pattern
from ..core.namespaces import NamespaceSelector
from ..core.permissions import MissingPermission
from ..core.phrases import summarize
from ..core.protocols import Desired
from ..core.redaction import credentials_in_text, find_secrets, mask
from ..core.suggestions import unknown_options
from ..declarations import targets
from ..declarations.batch import Batch, Declaration, Forecast
from ..declarations.declare import (
    ListForm,
    TargetedDeclaration,
    batch_of,
    entry_problems,
    read_declarations,
    selected_namespaces,
)
from ..declarations.entry_list import TARGETS, EntryList
from ..declarations.targets import Targets
from ..engine import selection
from ..engine.namespaces import terminating_sentence
from ..engine.reconciliation import reconcile
from ..engine.result import Outcome
from ..engine.run import RunSettings
from .missed_rights import describe_unreported, job_sentence, missing_permissions
from .options import CONNECTION_OPTIONS, environment_options
from .secret_registry import mask_output

__all__ = [
    "NO_LIBRARY",
    "Module",
    "SettingsFor",
    "Task",
    "cluster_of",
    "execute",
    "run_on_cluster",
    "run_over_namespaces",
    "run_over_optional_targets",
    "run_over_targets",
    "run_question",
    "run_reconcile",
    "target_everywhere",
]

VERSION = "1.0.0"

#: Start of the error if a module's library cannot be imported.
NO_LIBRARY = "the Python package {library} cannot be imported by "
#: Requirements for pip, if they are more than the package name.
_REQUIREMENTS = {"kubernetes": "kubernetes>=24.2"}

#: Maximum number of entries in one warning.
_SHOWN = 20

_NOTHING_SELECTED = "the namespace_selector selects no namespace, so nothing was done: compare it with 'kubectl get namespaces --show-labels'"

#: Default number of concurrent connections.
_FEW = 8


@dataclass(frozen=True)
class Module:
    """The definition of a module.

    `arguments` and `rules` (`mutually_exclusive` and the like) are those of AnsibleModule, `run` returns the result.
    `library` is the required Python package, `import_error` why it could not be imported. `form` is the form of many declarations in one
    task, None if the module does not support that. `lists` are the forms of a module that takes only lists. `everywhere`: without
    namespaces, the module works in all except the platform's. `hidden` are result keys with credentials for the next task: they are
    returned unmasked, and the action plugin hides the whole result if it contains one.
    """

    arguments: Mapping[str, Any]
    run: Callable[[Task], dict[str, Any]]
    library: str
    import_error: str | None
    rules: Mapping[str, Any] = field(default_factory=dict)
    form: EntryList | None = None
    lists: Sequence[ListForm[Any]] = ()
    everywhere: bool = False
    hidden: Sequence[str] = ()

    def masked(self, result: Mapping[str, Any], secrets: Collection[str]) -> dict[str, Any]:
        """Return the result without the secrets and with printable texts, except for the `hidden` keys, which stay unchanged."""
        kept = {name: result[name] for name in self.hidden if name in result}
        rest: dict[str, Any] = make_visible(
            mask({name: value for name, value in result.items() if name not in kept}, secrets)
        )
        return {**rest, **kept}

    @property
    def arguments_of_page(self) -> dict[str, Any]:
        """Return the argument spec that ansible-test compares with the page. The pages of other modules have all options of `lists`."""
        lists = {form.option: {"type": "list", "elements": "dict", "no_log": False} for form in self.lists}
        return {**self.arguments, **lists}

    @property
    def all_rules(self) -> dict[str, Any]:
        """Return the module's rules. For a module that works in namespaces, they include that these are given in one way."""
        rules = dict(self.rules)
        if "namespaces" in self.arguments:
            lists = (self.form.option,) if self.form else ()
            needed = () if self.everywhere else (("required_one_of", (*TARGETS, *lists)),)
            for rule, options in (("mutually_exclusive", TARGETS), *needed):
                rules[rule] = [*rules.get(rule, ()), options]
        return rules

    def without_library(self, python: str) -> str:
        """Return the error for a Python that cannot import the library, with the reason and the command to type."""
        reason = (self.import_error or "").strip().rpartition("\n")[2]
        package = _REQUIREMENTS.get(self.library, self.library)
        return (
            f"{NO_LIBRARY.format(library=self.library)}{python} on the host that runs the task ({reason}): install it with "
            f"{python} -m pip install '{package}', or name a Python that has it in the variable ansible_python_interpreter"
        )

    def problems(self, options: Mapping[str, Any]) -> str:
        """Return the problems of option names, and of the entries of all lists, by Ansible's validation; empty if there are none."""
        forms = [self.form, *self.lists] if self.form else [*self.lists]
        lists = {form.option for form in forms}
        own = {name: spec if name not in lists else {**spec, "options": None} for name, spec in self.arguments.items()}
        entries = (entry_problems(form, self.arguments, options.get(form.option)) for form in forms)
        return "; ".join(filter(None, [*(f"option {found}" for found in unknown_options(own, options)), *entries]))


@dataclass
class Task:
    """One run of a module.

    `name` is the module's name, with its collection if Ansible gives it. `secrets` are the strings to mask in all output of the run.
    `say` receives the progress lines; None shows none. `controller` is what the module's action plugin adds in Ansible's own process, such as
    the files of the controller; None in every other process. `needs` are the rights that the caller lacked.
    """

    name: str
    params: Mapping[str, Any]
    check_mode: bool
    diff: bool
    temporary_directory: str
    secrets: set[str]
    say: Callable[[str], None] | None = None
    controller: Any = None
    warnings: list[str] = field(default_factory=list)
    needs: set[MissingPermission] = field(default_factory=set)

    def warn(self, messages: Iterable[str]) -> None:
        self.warnings.extend(messages)

    def read_file(self, path: str) -> str:
        """Return the text of a file that an option names. Bytes that are not UTF-8 are decoded with `surrogateescape`.

        :raises OptionError: when it cannot be read.
        """
        try:
            text = Path(path).read_bytes().decode("utf-8", "surrogateescape")
        except (OSError, ValueError) as error:
            why = describe_read_error(path, error)
            raise OptionError(f"file {path!r} cannot be read on the host that runs the task: {why}") from None
        self.hide(text)
        return text

    def hide(self, text: str) -> None:
        """Mask the credentials in the text of an auth file in all output."""
        self.mask_everywhere(credentials_in_text(text))

    def hide_in_result(self, text: str) -> None:
        """Mask the credentials in the text of a project's secret, in the result of this task only.

        The project's users choose them: in the output of other tasks, a password such as `failed` would blank that word.
        """
        self.secrets.update(credentials_in_text(text))

    def mask_everywhere(self, secrets: Collection[str]) -> None:
        """Mask the secrets in the result of this task and, if Ansible supports it, in all later output."""
        self.secrets.update(secrets)
        mask_output(secrets)

    def show(self, names: Iterable[str]) -> None:
        """Stop masking credentials that are part of one of the names: a user who writes a secret could blank any name with a password."""
        self.secrets.difference_update(find_secrets(names, self.secrets))


_Desired = TypeVar("_Desired", bound=Desired)

#: Reads the cluster after the writes, and returns the outcome with its findings.
Afterwards = Callable[[Cluster, Batch[_Desired], Outcome, RunSettings], Outcome]


#: Checks the declarations before any request to the cluster.
Beforehand = Callable[[Sequence[Declaration[_Desired]]], Forecast]

#: Returns the settings for a number of namespaces.
SettingsFor = Callable[[int], RunSettings]


def _keep_outcome(_cluster: Cluster, _batch: Batch[Any], outcome: Outcome, _settings: RunSettings) -> Outcome:
    return outcome


def _accept_all(_declared: Sequence[Declaration[Any]]) -> Forecast:
    return Forecast()


def execute(module: Module, task: Task) -> dict[str, Any]:
    """Return the result of one run. An expected error fails the task with its one-line message.

    An unexpected error also fails the task, with its traceback, but without the text of the error.
    """
    try:
        result = module.run(task)
    except ImagePullError as error:
        result = {"failed": True, "msg": str(error)}
    except Exception as error:
        message = (
            f"{task.name} stopped at an unexpected error: {describe_unexpected(error)}. Run it again with -vvv, from "
            "ansible-core 2.19 on with ANSIBLE_DISPLAY_TRACEBACK=error, and report it with the traceback"
        )
        way = "".join(traceback.format_tb(error.__traceback__))
        shown = f"Traceback (most recent call last):\n{way}{type(error).__name__}\n"
        return {"failed": True, "msg": message, "exception": shown}
    said = [str(result.get("msg", "")), *task.warnings]
    jobs = job_sentence(task.needs, task.name.rpartition(".")[2])
    missing = describe_unreported(task.needs, said)
    if jobs and result.get("failed"):
        task.warn(missing)
        return {**result, "msg": f"{result['msg']}; {jobs}"}
    told = [*missing, jobs] if jobs else missing
    task.warn(["; ".join(told)] if told else [])
    return result


def run_over_namespaces(
    task: Task,
    wait_timeout: float,
    work: Callable[[Cluster, Sequence[str], RunSettings], Outcome],
    namespaces: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return the result of `work` for the namespaces of the options, or for the given ones; see `run_over_targets`."""
    return run_over_targets(
        task,
        lambda cluster, meant, settings: work(cluster, meant.namespaces, replace(settings, wait_timeout=wait_timeout)),
        namespaces,
    )


def target_everywhere(task: Task, *, system: bool = False) -> Task:
    """Return the task with all namespaces as its targets if its options name none. `system`: including those of the platform."""
    if any(task.params.get(option) is not None for option in TARGETS):
        return task
    selector = {"include": ["*"], "system_namespaces": system}
    return replace(task, params={**task.params, "namespace_selector": selector})


def run_over_targets(
    task: Task, work: Callable[[Cluster, Targets, RunSettings], Outcome], namespaces: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the result of `work` for the namespaces of the options, or for the given ones.

    Checks without network come first, so that invalid options cause no request.
    """
    wanted = targets.from_options(task.params if namespaces is None else {"namespaces": namespaces})

    def run(cluster: Cluster, settings: SettingsFor) -> Outcome:
        (meant,) = selection.resolve_targets(cluster, [wanted])
        task.warn([] if meant.namespaces else [_NOTHING_SELECTED])
        return _with_terminating(task, cluster, work(cluster, meant, settings(len(meant.namespaces))), [meant])

    return run_on_cluster(task, run)


def run_over_optional_targets(task: Task, work: Callable[[Cluster, Targets, RunSettings], Outcome]) -> dict[str, Any]:
    """Return the result of `work` for the namespaces of the options. `work` runs even without any namespace."""
    if any(task.params[option] for option in TARGETS):
        return run_over_targets(task, work)
    return run_on_cluster(task, lambda cluster, settings: work(cluster, Targets(()), settings(1)))


def run_reconcile(
    task: Task,
    form: ListForm[_Desired],
    afterwards: Afterwards[_Desired] = _keep_outcome,
    beforehand: Beforehand[_Desired] = _accept_all,
    *,
    names_selected: bool = False,
) -> dict[str, Any]:
    """Run a module that writes: declare, plan, apply, and return the result.

    `beforehand` checks the declarations before any request, and can refuse all of them, or single entries, which then fail on their own.
    `afterwards` reads the cluster again and can add its findings to the outcome. `names_selected`: the result contains the namespaces
    that the selectors of entries select.
    """
    wanted = read_declarations(form, task.params, task.read_file)
    for one in wanted:
        whose = f"{one.declared.entry}: " if one.declared.entry else ""
        task.warn(whose + warning for warning in getattr(one.declared.desired, "warnings", ()))
    forecast = beforehand([one.declared for one in wanted])
    task.warn(forecast.warnings)
    wanted = [one.unless(forecast.refused) for one in wanted]

    def run(cluster: Cluster, settings: SettingsFor) -> Outcome:
        found = selection.resolve_targets(cluster, [one.targets for one in wanted])
        batch = batch_of(form, wanted, found)
        at_work = settings(len(batch.namespaces))
        task.warn(_find_unplaced(wanted, found))
        task.warn(_find_empty_selectors(wanted, found))
        outcome = afterwards(cluster, batch, reconcile(cluster, batch, list(batch.namespaces), at_work), at_work)
        if names_selected:
            outcome = replace(outcome, extra={**outcome.extra, "selected": selected_namespaces(wanted, found)})
        return _with_terminating(task, cluster, outcome, found)

    return run_on_cluster(task, run)


def _find_empty_selectors(wanted: Sequence[TargetedDeclaration[Any]], found: Sequence[Targets]) -> Iterator[str]:
    """Yield a warning for entries whose selector finds no namespace. A selector of exact names, as for new namespaces, is allowed to."""
    every = not any(meant.namespaces for meant in found)
    empty = [
        str(one.declared.entry or "")
        for one, meant in zip(wanted, found, strict=True)
        if isinstance(one.targets, NamespaceSelector)
        and not meant.namespaces
        and (every or not one.targets.include or any(map(is_pattern, one.targets.include)))
    ]
    if empty:
        entries = summarize([*filter(None, dict.fromkeys(empty))], _SHOWN)
        yield f"{entries}: {_NOTHING_SELECTED}" if entries else _NOTHING_SELECTED


def _find_unplaced(wanted: Sequence[TargetedDeclaration[Any]], found: Sequence[Targets]) -> Iterator[str]:
    """Yield the refusals of entries without a namespace, because no namespace fails with them."""
    for one, meant in zip(wanted, found, strict=True):
        if one.declared.refused and not meant.namespaces:
            yield f"{one.declared.entry}: {one.declared.refused}"


def run_on_cluster(task: Task, run: Callable[[Cluster, SettingsFor], Outcome]) -> dict[str, Any]:
    """Return the result of `run`, which receives the cluster, and the settings for a number of namespaces."""
    params = task.params
    given = params["max_failures"]
    most = None if given is None else Limit.parse("max_failures", given)
    _check_numbers(params)

    def settings(namespaces: int) -> RunSettings:
        return RunSettings(
            check_mode=task.check_mode,
            concurrency=params["concurrency"],
            max_failures=None if most is None else floor(most.of(namespaces)),
            task=task.name.rpartition(".")[2],
            say=task.say if params["progress"] else None,
        )

    with cluster_of(task) as cluster:
        return _add_server(cluster, _report(task, run(cluster, settings)))


def run_question(
    task: Task, wait_timeout: float, ask: Callable[[Cluster, RunSettings], dict[str, Any]]
) -> dict[str, Any]:
    """Return the result of `ask`, which reads a cluster as a whole, without namespaces. `wait_timeout` is in seconds."""
    _check_timeout(task.params)
    with cluster_of(task) as cluster:
        settings = RunSettings(check_mode=task.check_mode, wait_timeout=wait_timeout, task=task.name.rpartition(".")[2])
        return _add_server(cluster, ask(cluster, settings))


def _add_server(cluster: Cluster, result: Mapping[str, Any]) -> dict[str, Any]:
    """Add the cluster to the result, because a host of the inventory can lead to another cluster than its name suggests."""
    return {"server": cluster.name, **result}


def _with_terminating(task: Task, cluster: Cluster, outcome: Outcome, found: Sequence[Targets]) -> Outcome:
    """Return the outcome with the selected namespaces that are being deleted."""
    task.warn(dict.fromkeys(remark for meant in found for remark in meant.remarks))
    names = dict.fromkeys(name for meant in found for name in meant.terminating)
    return outcome.with_skipped(list(names), terminating_sentence(cluster))


def _check_numbers(params: Mapping[str, Any]) -> None:
    if params["concurrency"] < 1:
        raise OptionError("option 'concurrency' must be at least 1")
    _check_timeout(params)


def _check_timeout(params: Mapping[str, Any]) -> None:
    if params.get("timeout", 0) < 0:
        raise OptionError("option 'timeout' must not be negative: give seconds, or 0 to look once")


@contextmanager
def cluster_of(task: Task) -> Iterator[Cluster]:
    """Open the cluster of the connection options."""
    with connect(
        _connection_options(task.params),
        environment=_connection_options(environment_options()),
        connections=task.params.get("concurrency", _FEW),
        temporary_directory=task.temporary_directory,
    ) as opened:
        task.warn(opened.warnings)
        cluster = Cluster(opened, user_agent=f"openshift_ops.image_pull/{VERSION} ({task.name})")
        try:
            try:
                yield cluster
            except ImagePullError:
                task.needs |= missing_permissions(cluster)
                raise
            task.needs |= missing_permissions(cluster)
        finally:
            # Threads that still run when the task ends early must send nothing more.
            cluster.close()
            task.mask_everywhere(opened.secrets)


def _connection_options(params: Mapping[str, Any]) -> ConnectionOptions:
    options = {name: params[name] for name in CONNECTION_OPTIONS}
    options["impersonate_groups"] = tuple(options["impersonate_groups"] or ())
    headers = {name: value for name, value in (options["proxy_headers"] or {}).items() if value is not None}
    return ConnectionOptions(**{**options, "proxy_headers": headers or None})


def _report(task: Task, outcome: Outcome) -> dict[str, Any]:
    """Return the task's result with all changes: failed if a namespace failed or the task stopped."""
    task.warn(outcome.notes)
    failure = {"failed": True, "msg": outcome.message(task.name)} if outcome.has_failed else {}
    stopped = {"stopped": outcome.stopped} if outcome.stopped else {}
    return {**outcome.report(unchanged=task.params["report_unchanged"], diff=task.diff), **stopped, **failure}
