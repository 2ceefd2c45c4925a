# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module in Ansible's own process if it would run with the same Python on the same host anyway.

The API of a cluster is accessed from the controller (`connection: local`). Starting another Python there, with all its imports,
takes longer than most of the work, and Ansible would write the options, including passwords, to a file for it. So the
module runs in the worker process that Ansible has forked for the task. With another connection, another Python, `become`,
`async` or `ANSIBLE_KEEP_REMOTE_FILES`, it runs in its own process, like any module, with the same result.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.page_parts import PageParts
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.redaction import credentials, hide
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.variable_files import Destination
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.ansible_module import PROGRESS_FILE
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.interruption import (
    Interrupted,
    interruptible,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.secret_registry import register
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import (
    NO_LIBRARY,
    Module,
    Task,
    execute,
)
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import is_ours, problems_of
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.preloading import preload
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.process_environment import as_in_a_process
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.progress_file import shown
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.role_words import in_words_of
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.unquoted import unquoted
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.worker_display import display

__all__ = ["ModuleAction"]

_NO_ASYNC = "{name} cannot run with 'async', because Ansible would keep its result, which is a credential, in a file: leave out 'async' and 'poll'"


def _parsed() -> dict[str, bool]:
    """Return the keys that ansible-core adds to a module's result before 2.19 and from 2.22 on, and shows in `ansible_failed_result`."""
    if not find_spec("ansible._internal"):
        return {"_ansible_parsed": True}
    return {"ansible_parsed": True} if find_spec("ansible.module_utils.secrets") else {}


_AS_PARSED = _parsed()

preload()


class ModuleAction(NormalAction):  # type: ignore[misc]
    """The base of the action plugins. Each subclass names its module."""

    module: ClassVar[Module]

    def run(self, tmp: Any = None, task_vars: Any = None) -> Any:
        if self._task.async_val and self.module.hidden:
            return {"failed": True, "msg": _NO_ASYNC.format(name=self._task.action)}
        if problems := self._problems(task_vars or {}):
            return {"failed": True, "msg": problems}
        result = super().run(tmp, task_vars)
        if is_ours(self._task):
            role = self._task._role
            result = in_words_of(role.get_name(include_role_fqcn=False) if role else "", result)
        return self._unseen(result)

    def _problems(self, variables: Mapping[str, Any]) -> str:
        """Return the problems that only this process can find before the module runs: variables, and values that JSON would change."""
        found = [*unquoted(self.module.arguments, self._task.args)]
        if is_ours(self._task):
            found += problems_of(variables, self._templar)
        return f"nothing was read or changed: {'; '.join(found)}" if found else ""

    def _unseen(self, result: dict[str, Any]) -> dict[str, Any]:
        """Return the result. A result with credentials is registered, but never shown, as if the task had `no_log`."""
        if not any(name in result for name in self.module.hidden):
            return result
        # Before ansible-core 2.21, only the task's setting counts: that in the action's result is overwritten.
        self._task.no_log = True
        return {**result, "_ansible_no_log": True}

    def _execute_module(self, *arguments: Any, **keywords: Any) -> Any:
        if self._connection.transport != "local":
            return super()._execute_module(*arguments, **keywords)
        parent = _parent()
        try:
            # If ansible-playbook is killed, its workers are not: they would continue to write, without anyone seeing the result.
            with interruptible(lambda: os.getppid() != parent):
                return self._execute_locally(arguments, keywords)
        except Interrupted as error:
            # Ansible would leave the file with the options behind. Then let the signal have its usual effect on the worker.
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
        with shown(Path(self._connection._shell.tmpdir) / PROGRESS_FILE, self._say_for(variables)):
            result = super()._execute_module(*arguments, **keywords)
        return self._with_what_to_install(result) if is_ours and self.module.import_error else result

    def _with_what_to_install(self, result: dict[str, Any]) -> dict[str, Any]:
        """Return the result of a module whose library Ansible's own Python lacks, so that Ansible looked for another Python to run it.

        If that Python has no library either, or does not start, the message is to install the library for Ansible's own.
        """
        lacks = str(result.get("msg")).startswith(NO_LIBRARY.format(library=self.module.library))
        # Ansible adds the output of a Python that printed no result.
        if not lacks and "module_stdout" not in result:
            return result
        rest = {name: value for name, value in result.items() if name != "exception"}
        return {**rest, "msg": self.module.without_library(sys.executable)}

    def _has_ansibles_python(self, variables: Mapping[str, Any]) -> bool:
        """Whether the module's interpreter is the Python that runs Ansible.

        An interpreter that Ansible would have to discover counts as well. So `auto` has one meaning wherever the module runs, and that
        Python has the libraries: the Python that Ansible would discover depends on its version and on the system.
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

    def _destination(self) -> Destination | None:
        """Return where the module can write files of variables."""
        return None

    def _page(self) -> PageParts | None:
        """Return the parts of the report's page."""
        return None

    def _say_for(self, variables: Mapping[str, Any]) -> Callable[[str], None]:
        host = variables.get("inventory_hostname", "")
        return lambda line: display(f"[{host}] {line}")

    def _run_here(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        with ExitStack() as stack:
            environment: dict[str, Any] = {}
            self._compute_environment_string(environment)
            stack.enter_context(as_in_a_process(environment, self._loader.get_basedir()))
            directory = stack.enter_context(tempfile.TemporaryDirectory(dir=C.DEFAULT_LOCAL_TMP))
            # A thread that was abandoned at a timeout may still report progress.
            say, over = self._say_for(variables), threading.Event()
            stack.callback(over.set)
            task, result = self._outcome(directory, lambda line: None if over.is_set() else say(line))
        if not _shows_tracebacks():
            result.pop("exception", None)
        if _wants_invocation(variables):
            result["invocation"] = {"module_args": hide(task.params, self.module.arguments)}
        return {**_as_received(self.module.masked({"changed": False, **result}, task.secrets)), **_AS_PARSED}

    def _outcome(self, directory: str, say: Callable[[str], None]) -> tuple[Task, dict[str, Any]]:
        """Return the result that AnsibleModule would return for the same options."""
        given = json.loads(json.dumps(self._task.args, default=_as_json))
        validation = ArgumentSpecValidator(self.module.arguments, **self.module.all_rules).validate(given)
        secrets = credentials(validation.validated_parameters, validation._no_log_values)
        register(secrets)
        task = Task(
            name=self._task.action,
            params=validation.validated_parameters,
            check_mode=self._task.check_mode,
            diff=self._task.diff,
            temporary_directory=directory,
            secrets=secrets,
            say=say,
            destination=self._destination(),
            page=self._page(),
        )
        problems = self.module.problems(given) if validation.errors.errors else ""
        result = _refusal(validation, problems) or execute(self.module, task)
        return task, {**result, **_said_by(validation, task)}


def _parent() -> int:
    """Return the process that started this one, even if it has ended."""
    known = multiprocessing.parent_process()
    return known.pid if known and known.pid else os.getppid()


def _as_json(value: Any) -> str:
    """Convert a value that JSON does not support like Ansible does for a module: a date, or a string that ansible-vault encrypted."""
    return value.isoformat() if isinstance(value, date) else str(value)


def _as_received(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result as from a separate process. Ansible warns about types in variables that JSON lacks, including subclasses."""
    received: dict[str, Any] = json.loads(json.dumps(result, default=_as_json))
    return received


def _refusal(validation: Any, problems: str) -> dict[str, Any] | None:
    """Return the failure of a task with invalid options, in AnsibleModule's words, or in ours for `problems` of entries."""
    if not validation.errors.errors:
        return None
    return {"failed": True, "msg": problems or validation.errors.msg}


def _said_by(validation: Any, task: Task) -> dict[str, list[Any]]:
    """Return warnings and deprecations of a result, those of the validation in AnsibleModule's words."""
    both = [f"Both option {found['option']} and its alias {found['alias']} are set." for found in validation._warnings]
    warnings = [*both, *task.warnings]
    deprecations = [_deprecation(found) for found in validation._deprecations]
    said: dict[str, list[Any]] = {"warnings": warnings, "deprecations": deprecations}
    return {name: messages for name, messages in said.items() if messages}


def _deprecation(found: Mapping[str, Any]) -> dict[str, Any]:
    until = "version" if found.get("date") is None else "date"
    return {"msg": found["msg"], until: found.get(until), "collection_name": found.get("collection_name")}


def _wants_invocation(variables: Mapping[str, Any]) -> bool:
    """Whether a result contains the task's options: a setting from ansible-core 2.21 on, always true before."""
    return bool(_setting("INJECT_INVOCATION", variables, default=True))


def _shows_tracebacks() -> bool:
    """Whether a failed result contains a traceback: a setting from ansible-core 2.19 on, always true before."""
    return bool({"always", "error"} & set(_setting("DISPLAY_TRACEBACK", {}, default=["always"])))


def _setting(name: str, variables: Mapping[str, Any], *, default: Any) -> Any:
    """Return the value of an Ansible setting; `default` if this version does not have it."""
    try:
        return C.config.get_config_value(name, variables=variables)
    except AnsibleError:
        return default


def _is_this_python(name: str) -> bool:
    """Whether an interpreter is the one that runs Ansible. An interpreter to discover counts, because any suitable one is allowed."""
    if not name or name.startswith("auto"):
        return True
    ours, theirs = Path(sys.executable), Path(name)
    # Compare the directory as well: the interpreter of an environment is a link to a shared file.
    return ours.parent == theirs.parent and ours.resolve() == theirs.resolve()
