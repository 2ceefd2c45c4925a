# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load plugins once that Ansible would load for every task of every host.

Ansible forks a worker for each task of each host, and imports the task's action plugin before that. A worker inherits the loaded
plugins, and loses plugins that it loads itself. With a hundred clusters, loading Ansible's filters took a quarter of a run.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

from ansible.plugins.loader import filter_loader, lookup_loader

__all__ = ["preload"]


def preload() -> None:
    """Load the plugins that the tasks of this collection use. If one cannot be loaded, the task that needs it reports the error."""
    with suppress(Exception):
        # Loading one filter loads all of them.
        filter_loader.get("default")
        lookup_loader.get("openshift_ops.image_pull.declared", class_only=True)
        # The lookup imports these when a role has declarations.
        for name in ("declared_entries", "declaration_check"):
            import_module(f"{__package__}.{name}")
