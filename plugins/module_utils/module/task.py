# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module is, and one run of it: validated options in, a result out.

A run is the same in a process of its own (`ansible_module`) and in Ansible's (`plugin_utils/in_process`).
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
from ..core.errors import ImagePullError, OptionError, unexpected
from ..core.file_errors import describe_read_error
from ..core.limits import Limit
from ..core.names import is_pattern
from ..core.namespaces import NamespaceSelector
from ..core.page_parts import PageParts
from ..core.permissions import MissingPermission
from ..core.phrases import summarize
from ..core.protocols import Desired
from ..core.redaction import credentials_in_text, mask, within
from ..core.suggestions import unknown_options
from ..core.variable_files import Destination
from ..core.visible_text import shown
from ..declarations import targets
from ..declarations.batch import Batch, Declaration, Forecast
from ..declarations.declare import ListForm, TargetedDeclaration, batch_of, declared, entry_problems, selected
from ..declarations.entry_list import TARGETS, EntryList
from ..declarations.targets import Targets
from ..engine import selection
from ..engine.namespaces import terminating_sentence
from ..engine.reconciliation import reconcile
from ..engine.result import Outcome
from ..engine.run import RunSettings
from .missed_rights import job_sentence, missed, untold
from .options import CONNECTION_OPTIONS, environment_options
from .secret_registry import register

__all__ = [
    "NO_LIBRARY",
    "Module",
    "SettingsFor",
    "Task",
    "asking",
    "cluster_of",
    "everywhere",
    "execute",
    "on_cluster",
    "over_namespaces",
    "over_optional_targets",
    "over_targets",
    "reconciling",
]

VERSION = "1.0.0"

#: How it is said that a module's library cannot be imported.
NO_LIBRARY = "the Python package {library} cannot be imported by "
#: What pip is told to install, where that is more than the name.
_REQUIREMENTS = {"kubernetes": "kubernetes>=24.2"}

#: So many entries are named in one warning.
_SHOWN = 20

_NOTHING_SELECTED = "the namespace_selector selects no namespace, so nothing was done: compare it with 'kubectl get namespaces --show-labels'"

#: So many connections are open at the same time where a task does not say how many.
_FEW = 8


@dataclass(frozen=True)
class Module:
    """What a module is.

    `arguments` and `rules` (`mutually_exclusive` and the like) are what AnsibleModule takes, `run` returns the result.
    `library` is the Python package that it needs, `import_error` why that could not be imported. `form` is how it takes many
    declarations in one task, None where it does not. `lists` are the forms of a module that takes nothing but lists.
    `everywhere`: without namespaces, all but the platform's are meant. `hidden` are members of the result that are credentials, for the
    next task: they are handed on as they are, and the action plugin has Ansible show nothing of a result that holds one.
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
        """The result as it leaves the module: without the secrets, each text visible, but for what it is there to hand on."""
        kept = {name: result[name] for name in self.hidden if name in result}
        rest: dict[str, Any] = shown(mask({name: value for name, value in result.items() if name not in kept}, secrets))
        return {**rest, **kept}

    @property
    def all_rules(self) -> dict[str, Any]:
        """The module's own rules and, where it works in namespaces, that these are given in one way."""
        rules = dict(self.rules)
        if "namespaces" in self.arguments:
            lists = (self.form.option,) if self.form else ()
            needed = () if self.everywhere else (("required_one_of", (*TARGETS, *lists)),)
            for rule, options in (("mutually_exclusive", TARGETS), *needed):
                rules[rule] = [*rules.get(rule, ()), options]
        return rules

    def without_library(self, python: str) -> str:
        """That this Python cannot import the library, why, and what to type."""
        reason = (self.import_error or "").strip().rpartition("\n")[2]
        package = _REQUIREMENTS.get(self.library, self.library)
        return (
            f"{NO_LIBRARY.format(library=self.library)}{python} on the host that runs the task ({reason}): install it with "
            f"{python} -m pip install '{package}', or name a Python that has it in the variable ansible_python_interpreter"
        )

    def problems(self, options: Mapping[str, Any]) -> str:
        """What Ansible's validation finds wrong with the names of options, and with the entries of all lists; empty when nothing."""
        forms = [self.form, *self.lists] if self.form else [*self.lists]
        lists = {form.option for form in forms}
        own = {name: spec if name not in lists else {**spec, "options": None} for name, spec in self.arguments.items()}
        entries = (entry_problems(form, self.arguments, options.get(form.option)) for form in forms)
        return "; ".join(filter(None, [*(f"option {found}" for found in unknown_options(own, options)), *entries]))


@dataclass
class Task:
    """One run of a module.

    `name` is the module's, with its collection where Ansible says it. `secrets` are the strings to be masked in whatever is
    shown of the run. `say` is given the progress lines; None shows none. `destination` is where files of variables go; None where
    the run cannot write any. `page` is what the report's page is made of; None outside Ansible's own process. `needs` are the rights that
    it missed.
    """

    name: str
    params: Mapping[str, Any]
    check_mode: bool
    diff: bool
    temporary_directory: str
    secrets: set[str]
    say: Callable[[str], None] | None = None
    destination: Destination | None = None
    page: PageParts | None = None
    warnings: list[str] = field(default_factory=list)
    needs: set[MissingPermission] = field(default_factory=set)

    def warn(self, messages: Iterable[str]) -> None:
        self.warnings.extend(messages)

    def read_file(self, path: str) -> str:
        """The text of a file that an option names; bytes that are not UTF-8 stand in it as `surrogateescape` writes them.

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
        """Masks the credentials in the text of an auth file wherever they would be shown."""
        self.mask_everywhere(credentials_in_text(text))

    def hide_in_result(self, text: str) -> None:
        """Masks the credentials in the text of a project's secret, in the result of this task only.

        Its users choose them: in the output of other tasks, a password such as `failed` would blank that word.
        """
        self.secrets.update(credentials_in_text(text))

    def mask_everywhere(self, secrets: Collection[str]) -> None:
        """Masks the secrets in the result of this task and, where Ansible can do that, in all output after it."""
        self.secrets.update(secrets)
        register(secrets)

    def show(self, names: Iterable[str]) -> None:
        """Masks no credential that is a part of one of the names: it would blank the name, and whoever writes a secret chooses its password."""
        self.secrets.difference_update(within(names, self.secrets))


_Desired = TypeVar("_Desired", bound=Desired)

#: A look at the cluster after the writes; the outcome with what it saw.
Afterwards = Callable[[Cluster, Batch[_Desired], Outcome, RunSettings], Outcome]


#: A look at what is declared, before the cluster is asked.
Beforehand = Callable[[Sequence[Declaration[_Desired]]], Forecast]

#: The settings for a number of namespaces.
SettingsFor = Callable[[int], RunSettings]


def _as_it_is(_cluster: Cluster, _batch: Batch[Any], outcome: Outcome, _settings: RunSettings) -> Outcome:
    return outcome


def _as_declared(_declared: Sequence[Declaration[Any]]) -> Forecast:
    return Forecast()


def execute(module: Module, task: Task) -> dict[str, Any]:
    """The result of one run; failed, with the one line that the error says, when it was refused.

    An unexpected error fails the task, too, and brings its traceback, without the text of the error.
    """
    try:
        result = module.run(task)
    except ImagePullError as error:
        result = {"failed": True, "msg": str(error)}
    except Exception as error:
        message = (
            f"{task.name} stopped at an unexpected error: {unexpected(error)}; run it again with -vvv, from "
            "ansible-core 2.19 on with ANSIBLE_DISPLAY_TRACEBACK=error, and report it with the traceback"
        )
        way = "".join(traceback.format_tb(error.__traceback__))
        shown = f"Traceback (most recent call last):\n{way}{type(error).__name__}\n"
        return {"failed": True, "msg": message, "exception": shown}
    said = [str(result.get("msg", "")), *task.warnings]
    jobs = job_sentence(task.needs, task.name.rpartition(".")[2])
    missing = untold(task.needs, said)
    if jobs and result.get("failed"):
        task.warn(missing)
        return {**result, "msg": f"{result['msg']}; {jobs}"}
    told = [*missing, jobs] if jobs else missing
    task.warn(["; ".join(told)] if told else [])
    return result


def over_namespaces(
    task: Task,
    wait_timeout: float,
    work: Callable[[Cluster, Sequence[str], RunSettings], Outcome],
    namespaces: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The result of `work` for the namespaces that the options mean, or for those that are given; see `over_targets`."""
    return over_targets(
        task,
        lambda cluster, meant, settings: work(cluster, meant.namespaces, replace(settings, wait_timeout=wait_timeout)),
        namespaces,
    )


def everywhere(task: Task, *, system: bool = False) -> Task:
    """The task with all of the cluster's namespaces as its targets where its options name none; `system`: the platform's too."""
    if any(task.params.get(option) is not None for option in TARGETS):
        return task
    selector = {"include": ["*"], "system_namespaces": system}
    return replace(task, params={**task.params, "namespace_selector": selector})


def over_targets(
    task: Task, work: Callable[[Cluster, Targets, RunSettings], Outcome], namespaces: Sequence[str] | None = None
) -> dict[str, Any]:
    """The result of `work` for the namespaces that the options mean, or for those that are given.

    What needs no network is checked first: nothing is sent for options that cannot work.
    """
    wanted = targets.from_options(task.params if namespaces is None else {"namespaces": namespaces})

    def run(cluster: Cluster, settings: SettingsFor) -> Outcome:
        (meant,) = selection.resolve(cluster, [wanted])
        task.warn([] if meant.namespaces else [_NOTHING_SELECTED])
        return _with_terminating(task, cluster, work(cluster, meant, settings(len(meant.namespaces))), [meant])

    return on_cluster(task, run)


def over_optional_targets(task: Task, work: Callable[[Cluster, Targets, RunSettings], Outcome]) -> dict[str, Any]:
    """The result of `work` for the namespaces that the options mean, which may be none: what it does besides is done all the same."""
    if any(task.params[option] for option in TARGETS):
        return over_targets(task, work)
    return on_cluster(task, lambda cluster, settings: work(cluster, Targets(()), settings(1)))


def reconciling(
    task: Task,
    form: ListForm[_Desired],
    afterwards: Afterwards[_Desired] = _as_it_is,
    beforehand: Beforehand[_Desired] = _as_declared,
    *,
    names_selected: bool = False,
) -> dict[str, Any]:
    """The whole of a module that writes: what is declared to the cluster, the outcome to the result.

    `beforehand` looks at what is declared before the cluster is asked, and may refuse all of it, or some entries, which then fail alone.
    `afterwards` looks at the cluster once more and may add to the outcome what it saw. `names_selected`: the result holds the namespaces
    that the selectors of entries select.
    """
    wanted = declared(form, task.params, task.read_file)
    for one in wanted:
        whose = f"{one.declared.entry}: " if one.declared.entry else ""
        task.warn(whose + warning for warning in getattr(one.declared.desired, "warnings", ()))
    forecast = beforehand([one.declared for one in wanted])
    task.warn(forecast.warnings)
    wanted = [one.unless(forecast.refused) for one in wanted]

    def run(cluster: Cluster, settings: SettingsFor) -> Outcome:
        found = selection.resolve(cluster, [one.targets for one in wanted])
        batch = batch_of(form, wanted, found)
        at_work = settings(len(batch.namespaces))
        task.warn(_unplaced(wanted, found))
        task.warn(_selecting_nothing(wanted, found))
        outcome = afterwards(cluster, batch, reconcile(cluster, batch, list(batch.namespaces), at_work), at_work)
        if names_selected:
            outcome = replace(outcome, extra={**outcome.extra, "selected": selected(wanted, found)})
        return _with_terminating(task, cluster, outcome, found)

    return on_cluster(task, run)


def _selecting_nothing(wanted: Sequence[TargetedDeclaration[Any]], found: Sequence[Targets]) -> Iterator[str]:
    """The entries whose selector finds no namespace. One that was limited to some names, as for new namespaces, may well find none."""
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


def _unplaced(wanted: Sequence[TargetedDeclaration[Any]], found: Sequence[Targets]) -> Iterator[str]:
    """What was refused for an entry that is for no namespace: none fails with it."""
    for one, meant in zip(wanted, found, strict=True):
        if one.declared.refused and not meant.namespaces:
            yield f"{one.declared.entry}: {one.declared.refused}"


def on_cluster(task: Task, run: Callable[[Cluster, SettingsFor], Outcome]) -> dict[str, Any]:
    """The result of `run`, which is given the cluster, and the settings for a number of namespaces."""
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
        return _named(cluster, _report(task, run(cluster, settings)))


def asking(task: Task, wait_timeout: float, ask: Callable[[Cluster, RunSettings], dict[str, Any]]) -> dict[str, Any]:
    """The result of `ask`, which asks about a cluster as a whole, in no namespace. `wait_timeout` in seconds."""
    _check_timeout(task.params)
    with cluster_of(task) as cluster:
        settings = RunSettings(check_mode=task.check_mode, wait_timeout=wait_timeout, task=task.name.rpartition(".")[2])
        return _named(cluster, ask(cluster, settings))


def _named(cluster: Cluster, result: Mapping[str, Any]) -> dict[str, Any]:
    """A result tells where it is of: a host of the inventory may lead to another cluster than its name says."""
    return {"server": cluster.name, **result}


def _with_terminating(task: Task, cluster: Cluster, outcome: Outcome, found: Sequence[Targets]) -> Outcome:
    """The outcome with the namespaces that are meant but are being deleted."""
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
    """The cluster that the connection options lead to."""
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
                task.needs |= missed(cluster)
                raise
            task.needs |= missed(cluster)
        finally:
            # A thread that is still at work when the task ends early sends nothing more.
            cluster.close()
            task.mask_everywhere(opened.secrets)


def _connection_options(params: Mapping[str, Any]) -> ConnectionOptions:
    options = {name: params[name] for name in CONNECTION_OPTIONS}
    options["impersonate_groups"] = tuple(options["impersonate_groups"] or ())
    headers = {name: value for name, value in (options["proxy_headers"] or {}).items() if value is not None}
    return ConnectionOptions(**{**options, "proxy_headers": headers or None})


def _report(task: Task, outcome: Outcome) -> dict[str, Any]:
    """The task's result: failed, with everything that was done, when a namespace failed or the task stopped."""
    task.warn(outcome.notes)
    failure = {"failed": True, "msg": outcome.message(task.name)} if outcome.has_failed else {}
    stopped = {"stopped": outcome.stopped} if outcome.stopped else {}
    return {**outcome.report(unchanged=task.params["report_unchanged"], diff=task.diff), **stopped, **failure}
