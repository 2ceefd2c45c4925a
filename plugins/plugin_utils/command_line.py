# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extra variables of the command line. In AWX, these are the variables of a launch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.utils.vars import load_extra_vars

__all__ = ["extra_variables"]


def extra_variables(loader: Any) -> Mapping[str, Any]:
    """Return the extra variables of the run, unevaluated. `loader` is the data loader of a task or lookup.

    Ansible keeps them from its start, so a file that has changed since is not read again.
    """
    return load_extra_vars(loader)  # type: ignore[no-any-return]
