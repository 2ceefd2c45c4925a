# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the pure code: no network, no cluster, no Ansible run. They mirror the tree and run in seconds."""

from hypothesis import settings

# No deadline: two shared cores decide how long one example takes, not the code.
settings.register_profile("unit", deadline=None, database=None)
settings.load_profile("unit")
