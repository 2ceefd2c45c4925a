# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write files of variables on the controller. Credentials are encrypted in memory, with Ansible's own library and vault passwords."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, match_encrypt_secret

from ..module_utils.core.errors import OptionError
from ..module_utils.core.files import FilesWanted, VariableFile, Write, leftovers, stage_file
from ..module_utils.core.writers import as_comments, as_yaml

_HOW_TO_GIVE = "give one with --vault-password-file, --vault-id or --ask-vault-pass"


class ControllerFiles:
    """Files on the host that runs Ansible. `secrets` are the vault passwords of the run, as pairs of ID and password."""

    def __init__(self, secrets: Sequence[tuple[str, Any]] | None) -> None:
        self._secrets = list(secrets or ())

    def prepare(self, wanted: FilesWanted) -> Write:
        """Check that the files can be written, and return a function that writes them. See `Destination`."""
        directory = Path(wanted.directory)
        vault = self._vault(wanted) if wanted.encrypted else None
        paths = [directory / name for name in (*wanted.plain, *wanted.encrypted)]
        unfinished = _find_unfinished(paths)
        _check(directory, [path for path in paths if path not in unfinished], wanted)

        def write(files: Sequence[VariableFile]) -> Sequence[str]:
            contents = {directory / file.name: _content(file, vault) for file in files}
            for path in _find_unfinished(paths):
                path.unlink()
            _write(directory, contents, wanted.option, force=wanted.force)
            return [str(path) for path in contents]

        return write

    def _vault(self, wanted: FilesWanted) -> tuple[str, Any]:
        """Return the vault ID and the password for the encryption, chosen in the same way as ansible-vault does."""
        how = f"give one with --vault-id {wanted.vault_id}@prompt" if wanted.vault_id else _HOW_TO_GIVE
        how += f", or set {wanted.otherwise}" if wanted.otherwise else ""
        if not self._secrets:
            asked = f" {wanted.vault_id!r}, as option 'vault_id' asks" if wanted.vault_id else ""
            raise OptionError(
                f"no credential can be written, because there is no vault password{asked}: {how}. Nothing was written"
            )
        vault_id = wanted.vault_id or C.config.get_config_value("DEFAULT_VAULT_ENCRYPT_IDENTITY")
        names = list(dict.fromkeys(name for name, _secret in self._secrets))
        if not vault_id and len(names) > 1:
            raise OptionError(
                f"there are vault passwords for several ids ({', '.join(names)}): name the one to encrypt with in option 'vault_id'"
            )
        if vault_id and vault_id not in names:
            raise OptionError(
                f"option 'vault_id': there is no vault password for {vault_id!r}, only for {', '.join(names)}; {how}"
            )
        found: tuple[str, Any] = match_encrypt_secret(self._secrets, encrypt_vault_id=vault_id or names[0])
        return found


def _content(file: VariableFile, vault: tuple[str, Any] | None) -> bytes:
    """Return the content of a file. :raises OptionError: if it cannot be encrypted, and never returns it in clear text then."""
    variables = as_yaml(file.variables, for_ansible=file.for_ansible)
    text = f"---\n{as_comments(file.comment)}{variables}".encode()
    if not file.encrypted:
        return text
    if vault is None:
        raise OptionError(f"{file.name} holds credentials, and there is no vault password: {_HOW_TO_GIVE}")
    vault_id, secret = vault
    try:
        encrypted: bytes = VaultLib(None).encrypt(text, secret, vault_id if vault_id != "default" else None)
    except AnsibleError as error:
        raise OptionError(f"{file.name} could not be encrypted, so nothing was written: {error}") from None
    return encrypted


def _check(directory: Path, paths: Sequence[Path], wanted: FilesWanted) -> None:
    there = [str(path) for path in paths if os.path.lexists(path)]
    if there and not wanted.force:
        raise OptionError(
            f"{', '.join(there)} exists already, and was not replaced: move it away, choose another {wanted.option!r}, or set 'force: true'"
        )
    if os.path.lexists(directory) and not directory.is_dir():
        raise OptionError(f"option {wanted.option!r}: {directory} is not a directory")


def _find_unfinished(paths: Sequence[Path]) -> list[Path]:
    """Return the files of a run that was killed before it had written all of them. Each is still linked to the file that it was staged in."""
    there = [path for path in paths if os.path.lexists(path)]
    return [path for path in there if len(there) < len(paths) and any(map(path.samefile, leftovers(path)))]


def _write(directory: Path, contents: Mapping[Path, bytes], option: str, *, force: bool) -> None:
    """Write each file atomically and only for its owner. If one cannot be written, remove the earlier ones, except with `force`."""
    made: list[Path] = []
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as stack:
            staged = {path: stack.enter_context(stage_file(path, content)) for path, content in contents.items()}
            for path, temporary in staged.items():
                # Unlike a move, a link never replaces an existing file.
                (os.replace if force else os.link)(temporary, path)
                made.append(path)
    except OSError as error:
        for path in () if force else made:
            with suppress(OSError):
                path.unlink()
        left = f"; written before that: {', '.join(map(str, made))}" if made and force else "; nothing was written"
        raise OptionError(
            f"{error.filename2 or error.filename} cannot be written on the controller: {error.strerror}{left}. "
            f"Give another {option!r}, or correct this one"
        ) from None
