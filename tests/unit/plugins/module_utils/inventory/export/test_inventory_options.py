# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of pull_access_export become an export, or an error that names the invalid option."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.files import FilesWanted
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.export.inventory import (
    Export,
    from_options,
)

OTHERWISE = "'credentials: placeholder'"
DEFAULTS: dict[str, Any] = {
    "roles": ["system:image-puller"],
    "dest": None,
    "credentials": "vault",
    "vault_id": None,
    "force": False,
}


def test_no_file_is_written_without_dest() -> None:
    assert from_options(DEFAULTS) == Export(("system:image-puller",), None)


def test_credentials_are_written_to_a_separate_file() -> None:
    found = from_options({**DEFAULTS, "dest": "d", "vault_id": "prod", "force": True})
    assert found.files == FilesWanted(
        "d", ("image_pull.yml",), ("image_pull_vault.yml",), "prod", force=True, otherwise=OTHERWISE
    )


def test_placeholders_need_no_encrypted_file() -> None:
    found = from_options({**DEFAULTS, "dest": "d", "credentials": "placeholder"})
    assert found.files == FilesWanted("d", ("image_pull.yml",), otherwise=OTHERWISE)


def test_each_role_counts_once() -> None:
    assert from_options({**DEFAULTS, "roles": ["a", "b", "a"]}).roles == ("a", "b")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"roles": []}, "option 'roles' is empty"),
        ({"roles": ["a/b"]}, "option 'roles'"),
        ({"force": True}, "option 'force' is for the files that 'dest' asks for"),
        ({"vault_id": "prod"}, "option 'vault_id' is for the files that 'dest' asks for"),
        ({"dest": "d", "credentials": "placeholder", "vault_id": "prod"}, "'credentials: vault' only"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        from_options({**DEFAULTS, **options})
