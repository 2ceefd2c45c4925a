# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply the declarations of the inventory with the modules of the collection, in one task.

Ansible forks a worker for each task of each host, also to skip one. With many clusters, one task for all steps takes half the time of one for each.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.executor import module_common
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

from ..module_utils.clients.kube.connection import SharedConnections
from ..modules.declared_access import MODULE
from ..plugin_utils.declared_access import USUAL, AccessStep, DeclaredAccess, refuse
from ..plugin_utils.in_process import display
from ..plugin_utils.known_variables import (
    is_collection_task,
    playbook_of,
    problems_of,
    problems_of_command_line,
    refusal_of,
)
from ..plugin_utils.role_entries import DeclarationError

# Loaded here, in Ansible's main process: a worker would lose them.
# pylint: disable-next=unused-import
from . import image_puller_grant, pull_access_prune, pull_secret, registry_auth_info, sa_link, sa_wait  # noqa: F401


class ActionModule(ActionBase):  # type: ignore[misc]
    _supports_check_mode = True
    _supports_async = False
    module = MODULE

    def run(self, tmp: Any = None, task_vars: Any = None) -> Any:
        super().run(tmp, task_vars)
        options = self.validate_argument_spec(argument_spec=self.module.arguments)[1]
        is_plan = options["state"] == "planned"
        if is_plan:
            self._task.check_mode, self._task.diff = True, False
        problems = problems_of(task_vars, self._templar) if is_collection_task(self._task) else []
        if playbook := playbook_of(self._task):
            problems += problems_of_command_line(playbook, load_extra_vars(self._loader), task_vars, self._templar)
        if problems:
            return refuse(refusal_of(problems), plan=is_plan)

        def run(step: AccessStep, given: dict[str, Any]) -> dict[str, Any]:
            return self._run_step(step, given, task_vars)

        try:
            access = DeclaredAccess(
                options["roles"],
                task_vars,
                self._templar,
                run,
                state=None if is_plan else options["state"],
                check_mode=self._task.check_mode,
                plan=is_plan,
            )
            with ExitStack() as stack:
                directory = stack.enter_context(tempfile.TemporaryDirectory(dir=C.DEFAULT_LOCAL_TMP))
                self._shared = SharedConnections(stack, directory)
                access.apply()
        except DeclarationError as error:
            return refuse(refusal_of([str(error)]), plan=is_plan)
        host = task_vars["inventory_hostname"]
        for note in () if self._task.no_log else access.notes:
            display(f"[{host}] {note}")
        return access.result(host)

    def _run_step(self, step: AccessStep, options: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """Run the action plugin of a module like a task with these options."""
        name = f"openshift_ops.image_pull.{step.module}"
        task = self._task.copy(exclude_parent=True)
        task._parent = self._task._parent
        task.action, task.args = name, self._with_defaults(name, options, variables)
        action = self._shared_loader_obj.action_loader.get(
            name,
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        action.open_connection = self._shared.connect
        try:
            result: dict[str, Any] = action.run_step(variables, {**USUAL, **step.settings})
        except AnsibleConnectionFailure:
            raise
        except AnsibleError as error:  # the results of the steps before are kept
            return {"failed": True, "msg": str(error)}
        return result

    def _with_defaults(self, name: str, options: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """Return the options with the `module_defaults` of the play, such as the connection."""
        if hasattr(module_common, "_apply_action_arg_defaults"):  # from ansible-core 2.19 on
            found = module_common._apply_action_arg_defaults(name, self._task, options, self._templar)
        else:
            groups = self._task._parent._play._action_groups
            found = module_common.get_action_args_with_defaults(
                name, options, self._task.module_defaults, self._templar, action_groups=groups
            )
        omitted = variables.get("omit")
        return {option: value for option, value in found.items() if value is not omitted and value != omitted}
