# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows the progress of a module that works on many namespaces, while it runs.

The action plugins of the modules that do are this one: a redirect in meta/runtime.yml would make ansible-lint ask users for
its name instead of the module's. A module's output reaches the controller only at its
end; so it appends its progress to a file in the task's temporary directory, which is read here as long as it runs. That works
where both are on one machine, as they are for a cluster's API; elsewhere nothing is shown.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.ansible_module import PROGRESS_FILE

#: Seconds between two looks at the file.
_LOOK = 0.5


class ActionModule(NormalAction):  # type: ignore[misc]
    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Any:
        if self._connection.transport != "local":
            return super().run(tmp, task_vars)
        if self._connection._shell.tmpdir is None:
            self._make_tmp_path()
        over = threading.Event()
        path = Path(self._connection._shell.tmpdir) / PROGRESS_FILE
        shower = threading.Thread(target=_show, args=(path, str((task_vars or {}).get("inventory_hostname", "")), over))
        shower.start()
        try:
            return super().run(tmp, task_vars)
        finally:
            over.set()
            shower.join()


def _show(path: Path, host: str, over: threading.Event) -> None:
    """Displays each line that is added to the file, until the task is over."""
    shown = 0
    while not over.wait(_LOOK):
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        for line in lines[shown:]:
            Display().display(f"[{host}] {line}")
        shown = len(lines)
