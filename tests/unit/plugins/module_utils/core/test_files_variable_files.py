# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The repr of a variable file hides the values of its variables."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.files import VariableFile


def test_the_repr_of_a_variable_file_hides_its_values() -> None:
    assert "secret-1" not in repr(VariableFile("vault.yml", {"x": "secret-1"}, encrypted=True))
