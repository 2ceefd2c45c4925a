# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module in Ansible's own process if it would run on the controller anyway.

Ansible forks a worker for each task of each host, and imports the task's action plugin before that. A worker inherits the loaded
plugins, and loses plugins that it loads itself. With a hundred clusters, loading Ansible's filters took a quarter of a run.

The API of a cluster is reached from the controller (`connection: local`). There, starting another Python with all of its imports
takes longer than most of the work, and Ansible would write the options to a file for it, including passwords. So the module runs
in the worker process that Ansible has forked for the task. With another connection, another Python, `become`, `async` or
`ANSIBLE_KEEP_REMOTE_FILES`, it runs in its own process, like any other module. Both have the same result.
"""

from __future__ import annotations

import gc
import io
import json
import logging
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import date
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from ansible import constants as C
from ansible.errors import AnsibleError, AnsibleUndefinedVariable
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.plugins.loader import filter_loader, lookup_loader
from ansible.utils.color import stringc
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars

from ..module_utils.clients.kube.connection import connect
from ..module_utils.core.files import find_input
from ..module_utils.core.redaction import collect_credentials, hide, is_path
from ..module_utils.module.ansible_module import PROGRESS_FILE, Interrupted, allow_interruption
from ..module_utils.module.task import NO_LIBRARY, Module, Task, execute, mask_output
from .known_variables import (
    find_unquoted,
    is_collection_task,
    problems_of,
    refusal_of,
    translate_result,
    undefined_name,
    variables_of_options,
)


def find_undefined(names: Iterable[str], variables: Mapping[str, Any], templar: Any) -> Iterator[str]:
    """Yield a sentence for each of these variables whose template needs an undefined one. Ansible's `default` would use another value."""
    for name in sorted({*names}):
        for template in _templates_in(variables.get(name)):
            try:
                templar.template(template)
            except AnsibleUndefinedVariable as error:
                inner = undefined_name(template, error)
                what = f"variable {inner}" if inner else "a variable in its template, or a member of one,"
                yield f"variable {name}: {what} is undefined: define it in the inventory, or add its file with -e @FILE"


def _templates_in(value: Any) -> Iterator[str]:
    """Yield the template of a value, or those of its members. A lookup in a member can return another login each time, so it is left out."""
    if isinstance(value, str):
        if "{{" in value:
            yield value
    elif isinstance(value, (Mapping, list)):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from (template for template in _templates_in(each) if "(" not in template)


def find_files(arguments: Mapping[str, Any], options: Mapping[str, Any], find: Callable[[str], str]) -> dict[str, Any]:
    """Return the options with `find` applied to each path, also to those in lists and in dictionaries of options."""

    def found(name: str, spec: Mapping[str, Any], value: Any) -> Any:
        if isinstance(value, list):
            return [found(name, {**spec, "type": spec.get("elements")}, each) for each in value]
        if isinstance(value, Mapping):
            return find_files(spec["options"], value, find) if spec.get("options") else value
        if name == "kubeconfig" and is_path(value):
            return os.pathsep.join(map(find, value.split(os.pathsep)))
        is_file = spec.get("type") == "path" or name == "auth_file"
        return find(value) if is_file and isinstance(value, str) else value

    return {name: found(name, arguments.get(name, {}), value) for name, value in options.items()}


@contextmanager
def isolate_process(environment: Mapping[str, object], directory: str) -> Iterator[None]:
    """Set the task's environment and the playbook's directory, and discard output. Restore everything at the end.

    With an `ExitStack` instead of one `finally`, the other parts are restored even if a task's `timeout` interrupts the restoring of one.
    """
    with ExitStack() as stack:
        stack.callback(_restore_environment, dict(os.environ))
        os.environ.update({name: str(value) for name, value in environment.items()})
        stack.callback(os.chdir, Path.cwd())
        os.chdir(directory)
        # urllib3 logs requests, and headers that it cannot parse, which must not get into Ansible's log.
        stack.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.CRITICAL)
        stack.enter_context(redirect_stdout(io.StringIO()))
        stack.enter_context(redirect_stderr(io.StringIO()))
        yield


def _restore_environment(before: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(before)


#: Seconds between two reads of the file.
_INTERVAL = 0.5


@contextmanager
def show_progress(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Call `say` for each line that is added to a file during the block. A missing or unreadable file counts as empty."""
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(path, say, over), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _watch(path: Path, say: Callable[[str], None], over: threading.Event) -> None:
    count = 0
    while not over.wait(_INTERVAL):
        # A line without an end is still being written.
        complete = [line[:-1] for line in _text(path).splitlines(keepends=True) if line.endswith("\n")]
        for line in complete[count:]:
            say(line)
        count = len(complete)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # missing, or another user's (become)
        return ""


def display(text: str) -> None:
    """Display a text at once, in Ansible's main process. Nothing of another host comes between its lines.

    `Display.display` also sends the line to the main process. But some callbacks, such as the one of older versions of ansible-runner, wrap
    that method and write to the output of the calling process. From ansible-core 2.19 on, Ansible warns of each task whose worker writes
    there.
    """
    queue = getattr(Display(), "_final_q", None)
    if queue is None:
        Display().display(text)
    else:
        queue.send_display("display", text)


def _paint(line: str, color: str | None) -> str:
    """Return the line in its color, as `Display.display` does with a whole text. Ansible writes the text to its log as well, without colors."""
    return stringc(line, color) if color and not C.DEFAULT_LOG_PATH else line


def preload() -> None:
    """Load the plugins that the tasks of this collection use. If one cannot be loaded, the task that needs it reports the error."""
    with suppress(Exception):
        # Loading one of Ansible's filters loads all of them.
        for name in ("default", "openshift_ops.image_pull.result_line"):
            filter_loader.get(name)
        lookup_loader.get("openshift_ops.image_pull.declared", class_only=True)
        # The lookup imports these when a role has declarations.
        for name in ("declared_entries", "declaration_check"):
            import_module(f"{__package__}.{name}")
    # A worker's garbage collection would copy all pages of these objects.
    gc.freeze()


_NO_ASYNC = (
    "{name} cannot run with 'async': Ansible would store its result, a credential, in a file. Remove 'async' and 'poll'"
)


def _parsed_marker() -> dict[str, bool]:
    """Return the keys that ansible-core before 2.19 and from 2.22 on adds to a module's result and shows in `ansible_failed_result`."""
    if not find_spec("ansible._internal"):
        return {"_ansible_parsed": True}
    return {"ansible_parsed": True} if find_spec("ansible.module_utils.secrets") else {}


_AS_PARSED = _parsed_marker()

preload()


class ModuleAction(NormalAction):  # type: ignore[misc]
    """The action plugin of a module: `class ActionModule(ModuleAction, of="sa_link")`."""

    module: ClassVar[Module]
    #: Opens a connection. The steps of another task share them.
    open_connection: Callable[..., Any] = staticmethod(connect)

    def __init_subclass__(cls, of: str = "") -> None:
        if of:
            cls.module = import_module(f"...modules.{of}", __name__).MODULE

    def run(self, tmp: Any = None, task_vars: Any = None) -> Any:
        if self._task.async_val and self.module.hidden:
            return {"failed": True, "msg": _NO_ASYNC.format(name=self._task.action)}
        variables = self._name_variables(task_vars or {})
        if problems := self._problems(task_vars or {}, variables):
            return {"failed": True, "msg": problems}
        result = self._answer(tmp, task_vars)
        return self._hide_result(translate_result(variables, self.module.arguments, result))

    def _name_variables(self, _task_vars: Mapping[str, Any]) -> dict[str, str]:
        """Return the variables of the options."""
        return variables_of_options(self._role(), self._options_as_written(), load_extra_vars(self._loader))

    def _role(self) -> str:
        """Return the role of this collection that has the task. Empty if none has it."""
        role = self._task._role if is_collection_task(self._task) else None
        return str(role.get_name(include_role_fqcn=False)) if role else ""

    def _answer(self, tmp: Any, task_vars: Any) -> Any:
        """Return the result of the module, with the names of its options. Another host reads its own files."""
        if self._connection.transport == "local" and is_collection_task(self._task):
            playbook = self._loader.get_basedir()
            self._task.args = find_files(
                self.module.arguments, self._task.args, lambda path: find_input(path, playbook)
            )
        return super().run(tmp, task_vars)

    def run_step(self, task_vars: Any, variables: Mapping[str, str]) -> dict[str, Any]:
        """Run the module as a step of another task, which has checked the variables. `variables` are those of the options, by option."""
        known = variables_of_options("", self._options_as_written())
        if problem := refusal_of([*self._find_undefined(task_vars, known)]):
            return {"failed": True, "msg": problem}
        result = self._answer(None, task_vars)
        return translate_result({**known, **variables}, self.module.arguments, result)

    def _options_as_written(self) -> dict[str, Any]:
        """Return the options of the task with their templates, including the defaults of the play."""
        play = getattr(self._task._parent, "_play", None)
        defaults = ((play.get_ds() if play else None) or {}).get("module_defaults")
        defaults = defaults if isinstance(defaults, Mapping) else {}
        groups = [name for name in defaults if name.startswith("group/openshift_ops.image_pull.")]
        own = (self._task.get_ds() or {}).get(self._task.action)
        parts = [*(defaults[name] for name in groups), defaults.get(self._task.action), own]
        return {option: template for part in parts if isinstance(part, Mapping) for option, template in part.items()}

    def _problems(self, variables: Mapping[str, Any], names: Mapping[str, str]) -> str:
        """Return the problems that only this plugin can find: in variables, and in values that JSON would change; empty if none."""
        found = [*find_unquoted(self.module.arguments, self._task.args, variables=names)]
        if is_collection_task(self._task):
            found += [*problems_of(variables, self._templar), *self._find_undefined(variables, names)]
        return refusal_of(found)

    def _find_undefined(self, variables: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
        """Yield the problems of variables whose option has a default in Ansible's template, which also replaces an undefined one in its value."""
        written, given = self._options_as_written(), self._task.args
        texts = {option: str(written.get(option, "")) for option in names}
        # An option that could have been omitted, and was not, has a value.
        doubtful = [
            option
            for option in names
            if "default(" in texts[option] and not ("default(omit" in texts[option] and option in given)
        ]
        return find_undefined((names[option] for option in doubtful), variables, self._templar)

    def _hide_result(self, result: dict[str, Any]) -> dict[str, Any]:
        """Return the result. If it contains credentials, it is registered but not shown, as if the task had `no_log`."""
        if not any(name in result for name in self.module.hidden):
            return result
        # Before ansible-core 2.21, only the task's own `no_log` counts. The key in the result of an action is overwritten.
        self._task.no_log = True
        return {**result, "_ansible_no_log": True}

    def _show(self, lines: Iterable[tuple[str, str | None]]) -> None:
        """Display lines with their colors, if the task has the option `show`.

        A callback that does not show all hosts prints the name of a task only with its result, so the name comes before the lines as well.
        """
        if self._task.no_log or not boolean(self._task.args.get("show", False), strict=False):
            return
        shown = [_paint(line, color) for line, color in lines]
        if not all(
            _setting(name, {}, default=True, **_CALLBACK) for name in ("display_skipped_hosts", "display_ok_hosts")
        ):
            shown.insert(0, f"\nTASK [{self._task.get_name().strip()}]")
        if shown:
            display("\n".join(shown))

    def _execute_module(self, *arguments: Any, **keywords: Any) -> Any:
        if self._connection.transport != "local":
            return super()._execute_module(*arguments, **keywords)
        parent = _parent()
        try:
            # If ansible-playbook is killed, its workers keep running. They would continue to write, and the result would be lost.
            with allow_interruption(lambda: os.getppid() != parent):
                return self._execute_locally(arguments, keywords)
        except Interrupted as error:
            # Ansible would leave the file with the options behind. After the cleanup, the signal takes its usual effect.
            self.cleanup()
            signal.raise_signal(error.number)
            raise

    def _execute_locally(self, arguments: Any, keywords: dict[str, Any]) -> Any:
        variables = keywords.get("task_vars") or {}
        is_ours = self._has_ansibles_python(variables)
        if is_ours and not self.module.import_error:
            if not (self._connection.become or self._task.async_val or C.DEFAULT_KEEP_REMOTE_FILES):
                return self._run_here(variables)
            keywords = {**keywords, "task_vars": self._naming_ansibles_python(variables)}
        if self._connection._shell.tmpdir is None:
            self._make_tmp_path()
        with show_progress(Path(self._connection._shell.tmpdir) / PROGRESS_FILE, self._say_for(variables)):
            result = super()._execute_module(*arguments, **keywords)
        return self._with_what_to_install(result) if is_ours and self.module.import_error else result

    def _with_what_to_install(self, result: dict[str, Any]) -> dict[str, Any]:
        """Return the result of a module that ran with another Python, because Ansible's own Python lacks its library.

        If the other Python lacks the library as well, or does not start, the message says to install the library for Ansible's own Python.
        """
        lacks = str(result.get("msg")).startswith(NO_LIBRARY)
        # If the output of a Python is not a result, Ansible adds the output.
        if not lacks and "module_stdout" not in result:
            return result
        rest = {name: value for name, value in result.items() if name != "exception"}
        return {**rest, "msg": self.module.without_library(sys.executable)}

    def _has_ansibles_python(self, variables: Mapping[str, Any]) -> bool:
        """Whether the module's interpreter is the Python that runs Ansible.

        `auto` counts as this Python. So it has the same meaning wherever the module runs, and the chosen Python has the libraries. The
        Python that Ansible would find depends on its version and on the system.
        """
        if self._task.delegate_to:
            variables = variables.get("ansible_delegated_vars", {}).get(self._task.delegate_to, {})
        wanted = C.config.get_config_value("INTERPRETER_PYTHON", variables=variables)
        return _is_this_python(str(self._templar.template(wanted)).strip())

    def _naming_ansibles_python(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return the variables of a task with this Python as the interpreter."""
        named = {"ansible_python_interpreter": sys.executable}
        if not self._task.delegate_to:
            return {**variables, **named}
        delegated = variables.get("ansible_delegated_vars", {})
        ours = {**delegated.get(self._task.delegate_to, {}), **named}
        return {**variables, "ansible_delegated_vars": {**delegated, self._task.delegate_to: ours}}

    def _controller(self) -> Any:
        """Return what the module needs of Ansible's own process; None if it needs nothing."""
        return None

    def _say_for(self, variables: Mapping[str, Any]) -> Callable[[str], None]:
        host = variables.get("inventory_hostname", "")
        return lambda line: display(f"[{host}] {line}")

    def _run_here(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        with ExitStack() as stack:
            environment: dict[str, Any] = {}
            self._compute_environment_string(environment)
            stack.enter_context(isolate_process(environment, self._loader.get_basedir()))
            directory = stack.enter_context(tempfile.TemporaryDirectory(dir=C.DEFAULT_LOCAL_TMP))
            # A thread that was abandoned at a timeout may still try to display a line.
            say, over = self._say_for(variables), threading.Event()
            stack.callback(over.set)
            task, result = self._outcome(directory, lambda line: None if over.is_set() else say(line))
        if not _is_traceback_shown():
            result.pop("exception", None)
        if _is_invocation_shown(variables):
            result["invocation"] = {"module_args": hide(task.params, self.module.arguments)}
        return {**_as_received(self.module.mask_result({"changed": False, **result}, task.secrets)), **_AS_PARSED}

    def _outcome(self, directory: str, say: Callable[[str], None]) -> tuple[Task, dict[str, Any]]:
        """Return the task, and the result that AnsibleModule would return for the same options."""
        given = json.loads(json.dumps(self._task.args, default=_as_json))
        validation = ArgumentSpecValidator(self.module.arguments, **self.module.all_rules).validate(given)
        secrets = collect_credentials(validation.validated_parameters, validation._no_log_values)
        mask_output(secrets)
        task = Task(
            name=self._task.action,
            params=validation.validated_parameters,
            check_mode=self._task.check_mode,
            diff=self._task.diff,
            temporary_directory=directory,
            secrets=secrets,
            say=say,
            controller=self._controller(),
            open_connection=self.open_connection,
        )
        errors = validation.errors.errors
        refusal = (
            {"failed": True, "msg": self.module.problems(given, errors) or validation.errors.msg} if errors else None
        )
        result = refusal or execute(self.module, task)
        return task, {**result, **_collect_messages(validation, task)}


def _parent() -> int:
    """Return the ID of the process that started this one, even if it has ended since."""
    known = multiprocessing.parent_process()
    return known.pid if known and known.pid else os.getppid()


def _as_json(value: Any) -> str:
    """Return a value that JSON does not support as Ansible passes it to a module: a date, or a string encrypted with ansible-vault."""
    return value.isoformat() if isinstance(value, date) else str(value)


def _as_received(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result as Ansible gets it from a process. Ansible warns of all types that JSON does not support, including subclasses."""
    received: dict[str, Any] = json.loads(json.dumps(result, default=_as_json))
    return received


def _collect_messages(validation: Any, task: Task) -> dict[str, list[Any]]:
    """Return the warnings and deprecations of a result. Those of the validation have AnsibleModule's wording."""
    both = [f"Both option {found['option']} and its alias {found['alias']} are set." for found in validation._warnings]
    warnings = [*both, *task.warnings]
    deprecations = [_deprecation(found) for found in validation._deprecations]
    said: dict[str, list[Any]] = {"warnings": warnings, "deprecations": deprecations}
    return {name: messages for name, messages in said.items() if messages}


def _deprecation(found: Mapping[str, Any]) -> dict[str, Any]:
    until = "version" if found.get("date") is None else "date"
    return {"msg": found["msg"], until: found.get(until), "collection_name": found.get("collection_name")}


def _is_invocation_shown(variables: Mapping[str, Any]) -> bool:
    """Whether a result contains the task's options: a setting from ansible-core 2.21 on, always before that."""
    return bool(_setting("INJECT_INVOCATION", variables, default=True))


def _is_traceback_shown() -> bool:
    """Whether a failed result contains a traceback: a setting from ansible-core 2.19 on, always before that."""
    return bool({"always", "error"} & set(_setting("DISPLAY_TRACEBACK", {}, default=["always"])))


_CALLBACK = {"plugin_type": "callback", "plugin_name": "default"}


def _setting(name: str, variables: Mapping[str, Any], *, default: Any, **plugin: str) -> Any:
    """Return the value of a setting of Ansible, or of a plugin; `default` if this version has no such setting."""
    try:
        return C.config.get_config_value(name, variables=variables, **plugin)
    except AnsibleError:
        return default


def _is_this_python(name: str) -> bool:
    """Whether an interpreter is the one that runs Ansible. Empty and `auto` count as this one."""
    if not name or name.startswith("auto"):
        return True
    ours, theirs = Path(sys.executable), Path(name)
    # Also compare the directory: the interpreter of a virtual environment is a link to a shared one.
    return ours.parent == theirs.parent and ours.resolve() == theirs.resolve()
