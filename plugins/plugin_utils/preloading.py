# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load plugins once that Ansible would load for every task of every host.

Ansible forks a worker for each task of each host, and imports the task's action plugin before that. A worker has the plugins that
were loaded by then, and loses those that it loads itself. With a hundred clusters, loading Ansible's filters took a quarter of a run.
"""

from __future__ import annotations

from contextlib import suppress

from ansible.plugins.loader import filter_loader, lookup_loader

__all__ = ["preload"]


def preload() -> None:
    """Load the plugins that our tasks use. Plugins that cannot be loaded are left to the task that needs them, which reports the error."""
    with suppress(Exception):
        # One filter loads all of them.
        filter_loader.get("default")
        lookup_loader.get("openshift_ops.image_pull.declared", class_only=True)
