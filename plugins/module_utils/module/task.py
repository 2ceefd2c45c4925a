# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definition of a module, and one run of it: validated options in, a result out.

A run is the same in its own process (`ansible_module`) and in Ansible's (`plugin_utils/in_process`).
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import floor
from pathlib import Path
from typing import Any, TypeVar

from ..clients.kube.client import Cluster, list_api_groups
from ..clients.kube.connection import Connection
from ..clients.kube.connection import connect as connect_to_cluster
from ..clients.kube.login import ConnectionOptions
from ..core.changes import Desired
from ..core.errors import (
    ImagePullError,
    Limit,
    MissingPermission,
    OptionError,
    call_all,
    describe_missing,
    describe_unexpected,
    problems_of_names,
)
from ..core.files import advise_reader, describe_read_error
from ..core.names import is_pattern
from ..core.namespaces import NamespaceSelector, Targets, targets_of
from ..core.redaction import SHORTEST, credentials_in_text, find_secrets, mask
from ..core.text import join_and, make_visible, summarize
from ..declarations.batch import Batch, Declaration
from ..declarations.declare import (
    TARGETS,
    EntryList,
    ListForm,
    batch_of,
    entry_problems,
    explain_errors,
    read_claims,
    read_declarations,
)
from ..engine.namespaces import resolve_targets, terminating_sentence
from ..engine.reconciliation import Judge, reconcile
from ..engine.result import Outcome
from ..engine.run import Clock, RunSettings
from .options import CONNECTION_OPTIONS, environment_options

try:
    from ansible.module_utils.secrets import register_secrets
except ImportError:  # before ansible-core 2.22
    register_secrets = None


def mask_output(secrets: Iterable[str]) -> None:
    """Mask the secrets in all output until ansible-playbook ends. Without a registry, only the result of the task is masked.

    Short ones are left out, because they can be parts of words. Ansible itself registers values of options with `no_log` of any length.
    """
    if register_secrets is not None:
        register_secrets(secret for secret in secrets if len(secret) >= SHORTEST)


#: API groups that every API server has. Other groups may not exist, and a server also refuses access to groups that it does not know.
_EVERYWHERE = ("", "rbac.authorization.k8s.io", "authorization.k8s.io", "apps", "batch")


def missing_permissions(cluster: Cluster) -> set[MissingPermission]:
    """Return the missing rights, without those to kinds that the cluster does not have."""
    needs = cluster.needs
    if all(need.group in _EVERYWHERE for need in needs):
        return needs
    try:
        groups = list_api_groups(cluster)
    except ImagePullError:
        return needs
    return {need for need in needs if need.group in _EVERYWHERE or need.group in groups}


def describe_unreported(needs: Iterable[MissingPermission], told: Sequence[str], user: object = None) -> list[str]:
    """Return the sentences about the rights that none of the texts in `told` names; empty if there are none. `user`: an impersonated one."""
    caller = f"user {user} ('impersonate_user')" if user else "the caller"
    return describe_missing((need for need in needs if not any(str(need) in text for text in told)), caller)


def job_sentence(needs: Iterable[MissingPermission], module: str) -> str:
    """Return a sentence with the jobs of `automation_account` that have these rights, preferably those of the module; empty if none has.

    A right in a namespace can also be missing because the account has its jobs in other namespaces only.
    """
    found = [pair for need in sorted(needs) for pair in _jobs_with(need, module)]
    jobs, places = (
        list(dict.fromkeys(filter(None, names))) for names in (zip(*found, strict=True) if found else ((), ()))
    )
    if not jobs:
        return ""
    there = f", and namespace {summarize(places, _SHOWN)} to automation_account_namespaces" if places else ""
    return (
        f"for an account of the role automation_account, add {join_and(jobs)} to automation_account_jobs{there}, unless already there, and "
        "run: ansible-playbook openshift_ops.image_pull.automation_account -i INVENTORY"
    )


def _jobs_with(need: MissingPermission, module: str) -> Iterator[tuple[str, str]]:
    """Yield the first job of the module that has the right, else the first job that has it. Nothing if the module is in no job.

    With the namespace, if the account needs the right in each of its namespaces. A right in this namespace only, such as for the nodes' pull
    secret, comes first: a platform namespace is none of those.
    """
    from ..rbac.rights import EVERY, JOBS  # noqa: PLC0415 - a long table, and few tasks lack a right

    if not any(module in _modules(job.what) for job in JOBS.values()):
        return
    resource = f"{need.resource}.{need.group}" if need.group else need.resource
    every = [
        (name, right.where)
        for name, job in JOBS.items()
        for right in job.rights
        if right.resource == resource and need.verb in right.verbs
    ]
    here = [(name, where) for name, where in every if where == need.namespace != EVERY] or every
    having = [(name, need.namespace if where == EVERY else "") for name, where in here]
    own = [each for each in having if module in _modules(JOBS[each[0]].what)]
    yield from (own or having)[:1]


def _modules(text: str) -> list[str]:
    return text.replace(",", " ").split()


VERSION = "1.3.1"

#: Start of the error if a package that all modules need cannot be imported.
NO_LIBRARY = "a Python package cannot be imported by "
#: These packages, for pip.
_REQUIREMENTS = "'PyYAML>=6.0' 'urllib3>=1.26.5' 'certifi>=2021.10.8'"

#: Maximum number of entries in one warning.
_SHOWN = 20

_NOTHING_SELECTED = "'namespace_selector' selects no namespace: compare it with 'kubectl get namespaces --show-labels'"

_ONLY_PROJECTS = (
    "only the caller's own projects were read, and nothing is known about other namespaces. Name them in the option 'namespaces', or use a "
    "login that may list namespaces"
)

#: Default number of concurrent connections.
_FEW = 8

_Desired = TypeVar("_Desired", bound=Desired)


@dataclass(frozen=True)
class Module:
    """The definition of a module.

    `arguments` and `rules` (`mutually_exclusive` and the like) are those of AnsibleModule, `run` returns the result.
    `import_error` is the reason why a package that the modules need could not be imported. `form` is the form of many declarations in one
    task, None if the module does not support that. `lists` are the forms of a module that takes only lists, also within other options.
    `everywhere`: without namespaces, the module works in all except the platform's. `hidden` are result keys with credentials for the next
    task: they are returned unmasked, and the action plugin hides the whole result if it contains one.
    """

    arguments: Mapping[str, Any]
    run: Callable[[Task], dict[str, Any]]
    import_error: str | None
    rules: Mapping[str, Any] = field(default_factory=dict)
    form: EntryList | None = None
    lists: Sequence[ListForm[Any]] = ()
    everywhere: bool = False
    hidden: Sequence[str] = ()

    def mask_result(self, result: Mapping[str, Any], secrets: Collection[str]) -> dict[str, Any]:
        """Return the result without the secrets and with printable texts, except for the `hidden` keys, which stay unchanged."""
        kept = {name: result[name] for name in self.hidden if name in result}
        rest: dict[str, Any] = make_visible(
            mask({name: value for name, value in result.items() if name not in kept}, secrets)
        )
        return {**rest, **kept}

    @property
    def arguments_of_page(self) -> dict[str, Any]:
        """Return the argument spec that ansible-test compares with the page. The pages of other modules have all options of `lists`."""
        return _map_lists(
            self.arguments,
            {form.option for form in self.lists},
            lambda _spec: {"type": "list", "elements": "dict", "no_log": False},
        )

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
        return (
            f"{NO_LIBRARY}{python} on the host that runs the task ({reason}): install the packages with "
            f"{python} -m pip install {_REQUIREMENTS}, or name a Python that has them in the variable ansible_python_interpreter"
        )

    def problems(self, options: Mapping[str, Any], errors: Iterable[Any] = ()) -> str:
        """Return the problems of option names, and of the entries of all lists or, without these, the `errors` of Ansible's validation."""
        forms = {form.option: form for form in ([self.form, *self.lists] if self.form else self.lists)}
        own = _map_lists(self.arguments, forms, lambda spec: {**spec, "options": None})
        entries = (
            f"option '{where}': {found}" if where else found
            for where, option, arguments, items in _find_lists(self.arguments, options, forms)
            if (found := entry_problems(forms[option], arguments, items))
        )
        names = (
            f"option '{name}' {rest}"
            for name, _space, rest in (found.partition(" ") for found in problems_of_names(own, options))
        )
        return "; ".join([*names, *entries] or explain_errors(errors))


@dataclass
class Task:
    """One run of a module.

    `name` is the module's name, with its collection if Ansible gives it. `secrets` are the strings to mask in all output of the run.
    `say` receives the progress lines; None shows none. `controller` is what the module's action plugin adds in Ansible's own process, such as
    the files of the controller; None in every other process. `needs` are the rights that the caller lacked.
    `open_connection` and `clock` differ in tests, and the steps of another task share connections.
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
    open_connection: Callable[..., AbstractContextManager[Connection]] = connect_to_cluster
    clock: Clock = field(default_factory=Clock)

    def warn(self, messages: Iterable[str]) -> None:
        self.warnings.extend(messages)

    def read_file(self, path: str) -> str:
        """Return the text of a file that an option names. Bytes that are not UTF-8 are decoded with `surrogateescape`.

        :raises OptionError: when it cannot be read.
        """
        try:
            expanded = os.path.expanduser(path)  # noqa: PTH111
            text = Path(expanded).read_bytes().decode("utf-8", "surrogateescape")
        except (OSError, ValueError) as error:
            why = describe_read_error(path, error) + advise_reader(path, error)
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

    def targets(
        self, namespaces: Sequence[str] | None = None, *, everywhere: bool = False, system: bool = False
    ) -> Targets | NamespaceSelector:
        """Return the given namespaces or, without them, those of the options. No request is sent.

        `everywhere`: without options, all namespaces except the platform's, and with `system` also these.

        :raises OptionError: for invalid options.
        """
        options = self.params if namespaces is None else {"namespaces": namespaces}
        if everywhere and _has_no_targets(options):
            options = {"namespace_selector": {"include": ["*"], "system_namespaces": system}}
        return targets_of(options)

    def check_options(self) -> None:
        """Check the options for the namespaces and for the work in them. No request is sent.

        :raises OptionError: with all invalid options.
        """
        call_all(partial(self.targets, everywhere=True), self._limit, self._check_numbers)

    def declarations(self, form: ListForm[_Desired]) -> list[Declaration[_Desired]]:
        """Return the declarations of the options, and warn about them. No request is sent.

        :raises OptionError: with all invalid options.
        """
        declared = read_declarations(form, self.params, self.read_file)
        for one in declared:
            self.warn(f"{one.entry}: {text}" if one.entry else text for text in one.desired.warnings)
        return declared

    def result(self, outcome: Outcome) -> dict[str, Any]:
        """Return the task's result with all changes, without the name of a cluster. It is failed if a namespace failed or the task stopped."""
        self.warn(outcome.notes)
        failure = {"failed": True, "msg": outcome.message(self.name)} if outcome.has_failed else {}
        stopped = {"stopped": outcome.stopped} if outcome.stopped else {}
        report = outcome.report(unchanged=self.params["report_unchanged"], diff=self.diff)
        return {**report, **stopped, **failure}

    @contextmanager
    def cluster(self, wanted: Targets | NamespaceSelector | None = None) -> Iterator[ClusterRun]:
        """Open the cluster of the options, and select the wanted namespaces.

        :raises OptionError: for invalid options. No request is sent then.
        """
        most, _checked = call_all(self._limit, self._check_numbers)
        with self.connect() as cluster:
            run = ClusterRun(self, cluster, most)
            if wanted is not None:
                run.select([wanted])
                self.warn([] if run.namespaces else [_NOTHING_SELECTED])
                if run.unlisted and _has_no_targets(self.params):
                    self.warn([f"{_ONLY_PROJECTS}: {run.unlisted}"])
            yield run

    def _limit(self) -> Limit | None:
        given = self.params.get("max_failures")
        return None if given is None else Limit.parse("max_failures", given)

    def _check_numbers(self) -> None:
        """:raises OptionError: with all numbers out of range."""
        problems = []
        if self.params.get("concurrency", _FEW) < 1:
            problems.append("option 'concurrency' must be at least 1")
        if self.params.get("timeout", 0) < 0:
            problems.append("option 'timeout' must not be negative: give seconds, or 0 to look once")
        if problems:
            raise OptionError(*problems)

    @contextmanager
    def connect(self) -> Iterator[Cluster]:
        """Open the cluster of the connection options. At the end, record the rights that the caller lacked."""
        with self.open_connection(
            _connection_options(self.params),
            environment=_connection_options(environment_options()),
            connections=self.params.get("concurrency", _FEW),
            temporary_directory=self.temporary_directory,
        ) as opened:
            self.warn(opened.warnings)
            agent = f"openshift_ops.image_pull/{VERSION} ({self.name})"
            cluster = Cluster(opened, agent, self.clock.sleep, self.clock.now)
            cluster.namespaces = opened.namespaces
            with ExitStack() as at_end:
                at_end.callback(lambda: self.mask_everywhere(opened.secrets))
                # Threads that still run when the task ends early must send nothing more.
                at_end.callback(cluster.close)
                at_end.callback(lambda: self.needs.update(missing_permissions(cluster)))
                yield cluster


@dataclass
class ClusterRun:
    """The work of one task on its cluster. `most` is the limit for failures, `targets` are the selected namespaces of each entry."""

    task: Task
    cluster: Cluster
    most: Limit | None = None
    targets: Sequence[Targets] = ()

    @property
    def namespaces(self) -> list[str]:
        """Return the selected namespaces, each once."""
        return list(dict.fromkeys(name for found in self.targets for name in found.namespaces))

    @property
    def unlisted(self) -> str:
        """Return the refusal to list all namespaces. Empty if the selected ones are from all, or were named."""
        return next((found.unlisted for found in self.targets if found.unlisted), "")

    def select(self, wanted: Sequence[Targets | NamespaceSelector]) -> None:
        """Find the namespaces of each entry on the cluster."""
        self.targets = resolve_targets(self.cluster, wanted)

    def settings(self, namespaces: int | None = None, *, wait_timeout: float = 0.0) -> RunSettings:
        """Return the settings for a number of namespaces, by default that of the selected ones. `wait_timeout` is in seconds."""
        params = self.task.params
        count = namespaces if namespaces is not None else len(self.namespaces) if self.targets else 1
        return RunSettings(
            check_mode=self.task.check_mode,
            concurrency=params.get("concurrency", _FEW),
            wait_timeout=wait_timeout,
            max_failures=None if self.most is None else floor(self.most.of(count)),
            task=self.task.name.rpartition(".")[2],
            say=self.task.say if params.get("progress") else None,
            clock=self.task.clock,
        )

    def batch(self, form: ListForm[_Desired], declared: Sequence[Declaration[_Desired]]) -> Batch[_Desired]:
        """Select the namespaces of the declarations, and return the declarations for each namespace.

        :raises OptionError: if entries contradict each other, or the declarations of other tasks.
        """
        every = [*declared, *read_claims(form, self.task.params, self.task.read_file)]
        self.select([one.targets for one in every])
        batch = batch_of(form, every, self.targets)
        self.targets = self.targets[: len(declared)]
        self.task.warn(_find_unplaced(declared, self.targets))
        self.task.warn(_find_empty_selectors(declared, self.targets))
        return batch

    def reconcile(self, batch: Batch[Any], judge: Judge | None = None) -> Outcome:
        """Bring every namespace to the declared state. `judge`: see the engine's `reconcile`."""
        return reconcile(self.cluster, batch, self.settings(), judge=judge)

    def result(self, outcome: Outcome) -> dict[str, Any]:
        """Return the task's result with all changes, and the selected namespaces that are being deleted.

        It is failed if a namespace failed or the task stopped. It names the cluster, because a host of the inventory can lead to another
        one than its name suggests.
        """
        task = self.task
        task.warn(dict.fromkeys(remark for found in self.targets for remark in found.remarks))
        deleted = dict.fromkeys(name for found in self.targets for name in found.terminating)
        outcome = outcome.with_skipped(list(deleted), terminating_sentence(self.cluster))
        return {"server": self.cluster.name, **task.result(outcome)}


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
    missing = describe_unreported(task.needs, said, task.params.get("impersonate_user"))
    if jobs and result.get("failed"):
        task.warn(missing)
        return {**result, "msg": f"{result['msg']}; {jobs}"}
    told = [*missing, jobs] if jobs else missing
    task.warn(["; ".join(told)] if told else [])
    return result


def _map_lists(
    arguments: Mapping[str, Any], lists: Collection[str], change: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    """Return the argument spec with a change of each of the `lists` that has options, also within other options."""

    def of(name: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        if not spec.get("options"):
            return spec
        return change(spec) if name in lists else {**spec, "options": _map_lists(spec["options"], lists, change)}

    return {name: of(name, spec) for name, spec in arguments.items()}


def _find_lists(
    arguments: Mapping[str, Any], options: Mapping[str, Any], lists: Collection[str], where: str = ""
) -> Iterator[tuple[str, str, Mapping[str, Any], Any]]:
    """Yield each of the `lists` that is given, also within other options: the option around it, its name, its arguments and its items."""
    for name, value in options.items():
        spec = arguments.get(name) or {}
        if not spec.get("options"):
            continue
        if name in lists:
            yield where, name, arguments, value
            continue
        for position, item in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(item, Mapping):
                inner = f"{name}[{position}]" if isinstance(value, list) else name
                yield from _find_lists(spec["options"], item, lists, f"{where}.{inner}" if where else inner)


def _find_empty_selectors(declared: Sequence[Declaration[Any]], found: Sequence[Targets]) -> Iterator[str]:
    """Yield a warning for entries whose selector finds no namespace. A selector of exact names, as for new namespaces, is allowed to."""
    every = not any(meant.namespaces for meant in found)
    empty = [
        str(one.entry or "")
        for one, meant in zip(declared, found, strict=True)
        if isinstance(one.targets, NamespaceSelector)
        and not meant.namespaces
        and (every or not one.targets.include or any(map(is_pattern, one.targets.include)))
    ]
    if empty:
        entries = summarize([*filter(None, dict.fromkeys(empty))], _SHOWN)
        yield f"{entries}: {_NOTHING_SELECTED}" if entries else _NOTHING_SELECTED


def _find_unplaced(declared: Sequence[Declaration[Any]], found: Sequence[Targets]) -> Iterator[str]:
    """Yield the refusals of entries without a namespace, because no namespace fails with them."""
    for one, meant in zip(declared, found, strict=True):
        if one.refused and not meant.namespaces:
            yield f"{one.entry}: {one.refused}"


def _has_no_targets(options: Mapping[str, Any]) -> bool:
    return all(options.get(option) is None for option in TARGETS)


def _connection_options(params: Mapping[str, Any]) -> ConnectionOptions:
    options = {name: params[name] for name in CONNECTION_OPTIONS}
    options["impersonate_groups"] = tuple(options["impersonate_groups"] or ())
    headers = {name: value for name, value in (options["proxy_headers"] or {}).items() if value is not None}
    return ConnectionOptions(**{**options, "proxy_headers": headers or None})
