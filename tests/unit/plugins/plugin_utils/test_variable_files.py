# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of variables are complete, readable only by their owner, encrypted before they exist, and never replace other files."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core import files as whole_files
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.files import FilesWanted, VariableFile
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.writers import TemplateText
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.variable_files import ControllerFiles

from unit.canaries import CANARIES, shown

SECRET = VaultSecret(b"the vault password")
OTHER = VaultSecret(b"another one")
PLAIN = VariableFile("plain.yml", {"x": [{"password": TemplateText("{{ y | string }}")}]}, ["A comment."])
VAULT = VariableFile("vault.yml", {"y": list(CANARIES)}, ["A comment."], encrypted=True)


def wanted(directory: Path, **more: Any) -> FilesWanted:
    return FilesWanted(str(directory), ("plain.yml",), ("vault.yml",), **more)


@pytest.fixture
def files() -> ControllerFiles:
    return ControllerFiles([("default", SECRET)])


def decrypted(path: Path, secret: VaultSecret = SECRET) -> str:
    return VaultLib([("default", secret)]).decrypt(path.read_bytes()).decode()


def content(directory: Path) -> dict[str, bytes]:
    """Return the content of all files, including hidden ones."""
    return {path.name: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


class TestContent:
    def test_a_written_file_is_read_back_unchanged(self, files: ControllerFiles, tmp_path: Path) -> None:
        directory = tmp_path / "host_vars" / "lab"
        paths = files.prepare(wanted(directory))([VAULT, PLAIN])
        assert paths == [str(directory / "vault.yml"), str(directory / "plain.yml")]
        loader = DataLoader()
        loader.set_vault_secrets([("default", SECRET)])
        assert loader.load_from_file(paths[0])["y"] == list(CANARIES)
        assert (directory / "plain.yml").read_text() == ('---\n# A comment.\nx:\n  - password: "{{ y | string }}"\n')

    def test_a_file_of_another_program_has_no_tag(self, tmp_path: Path) -> None:
        file = VariableFile("config", {"token": "a=b", "name": "{{ x }}"}, for_ansible=False)
        ControllerFiles(None).prepare(FilesWanted(str(tmp_path), ("config",)))([file])
        assert yaml.safe_load((tmp_path / "config").read_text()) == file.variables

    def test_a_comment_ends_with_its_line(self, tmp_path: Path) -> None:
        file = VariableFile("plain.yml", {"x": 1}, ["a\nb: c\u2028d: e"])
        ControllerFiles(None).prepare(FilesWanted(str(tmp_path), ("plain.yml",)))([file])
        assert (tmp_path / "plain.yml").read_text() == "---\n# a?b: c?d: e\nx: 1\n"


class TestEncryption:
    def test_nothing_is_written_if_the_encryption_fails(self, tmp_path: Path) -> None:
        write = ControllerFiles([("default", None)]).prepare(wanted(tmp_path))
        with pytest.raises(OptionError, match=r"^vault.yml could not be encrypted, so nothing was written: "):
            write([PLAIN, VAULT])
        assert content(tmp_path) == {}

    def test_no_credential_is_ever_in_a_file(
        self, files: ControllerFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The test sees each byte that is written to a file."""
        seen: list[bytes] = []
        fdopen = os.fdopen

        def watched(number: int, mode: str) -> Any:
            file = fdopen(number, mode)
            assert os.fstat(number).st_mode & 0o777 == 0o600
            write = file.write
            file.write = lambda data: (seen.append(data), write(data))[1]
            return file

        class Watched:
            def __getattr__(self, name: str) -> Any:
                return watched if name == "fdopen" else getattr(os, name)

        monkeypatch.setattr(whole_files, "os", Watched())
        files.prepare(wanted(tmp_path))([VAULT, PLAIN])
        assert [data.startswith(b"$ANSIBLE_VAULT;1.1;AES256\n") for data in seen] == [True, False]
        text = b"".join([*seen, *content(tmp_path).values()]).decode()
        assert [found for canary in CANARIES for found in shown(text, canary)] == []
        assert all(canary in DataLoader().load(decrypted(tmp_path / "vault.yml"))["y"] for canary in CANARIES)

    @pytest.mark.parametrize("secrets", [None, []], ids=str)
    def test_no_file_is_written_without_a_vault_password(self, secrets: Any, tmp_path: Path) -> None:
        with pytest.raises(OptionError, match="--vault-password-file"):
            ControllerFiles(secrets).prepare(wanted(tmp_path / "d"))
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(("option", "otherwise"), [("dest", "'credentials: placeholder'"), ("kubeconfig", "")])
    def test_the_error_names_the_option_and_its_alternative(self, option: str, otherwise: str, tmp_path: Path) -> None:
        with pytest.raises(OptionError) as caught:
            wanted = FilesWanted(str(tmp_path / "d"), (), ("v.yml",), option=option, otherwise=otherwise)
            ControllerFiles(None).prepare(wanted)
        assert (", or set " in str(caught.value), otherwise in str(caught.value)) == (bool(otherwise), True)
        (tmp_path / "file").write_text("")
        with pytest.raises(OptionError, match=f"option '{option}': .* is not a directory"):
            ControllerFiles(None).prepare(FilesWanted(str(tmp_path / "file"), ("p.yml",), option=option))
        with pytest.raises(OptionError, match=f"choose another '{option}'"):
            ControllerFiles(None).prepare(FilesWanted(str(tmp_path), ("file",), option=option))

    def test_a_plain_file_needs_no_vault_password(self, tmp_path: Path) -> None:
        ControllerFiles(None).prepare(FilesWanted(str(tmp_path), ("plain.yml",)))([PLAIN])
        assert list(content(tmp_path)) == ["plain.yml"]

    def test_an_encrypted_file_is_never_written_without_a_password(self, tmp_path: Path) -> None:
        write = ControllerFiles(None).prepare(FilesWanted(str(tmp_path), ("plain.yml",)))
        with pytest.raises(OptionError, match="there is no vault password"):
            write([PLAIN, VAULT])
        assert content(tmp_path) == {}

    def test_the_vault_id_chooses_one_of_several_passwords(self, tmp_path: Path) -> None:
        files = ControllerFiles([("dev", OTHER), ("prod", SECRET)])
        with pytest.raises(OptionError, match=r"several ids \(dev, prod\): name the one"):
            files.prepare(wanted(tmp_path))
        with pytest.raises(OptionError, match="no vault password for 'test', only for dev, prod"):
            files.prepare(wanted(tmp_path, vault_id="test"))
        files.prepare(wanted(tmp_path, vault_id="prod"))([VAULT, PLAIN])
        assert (tmp_path / "vault.yml").read_bytes().startswith(b"$ANSIBLE_VAULT;1.2;AES256;prod\n")
        assert decrypted(tmp_path / "vault.yml")

    def test_ansibles_setting_chooses_the_vault_password(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ANSIBLE_VAULT_ENCRYPT_IDENTITY", "prod")
        assert constants.config.get_config_value("DEFAULT_VAULT_ENCRYPT_IDENTITY") == "prod"
        ControllerFiles([("dev", OTHER), ("prod", SECRET)]).prepare(wanted(tmp_path))([VAULT, PLAIN])
        assert decrypted(tmp_path / "vault.yml")


class TestPlaces:
    def test_only_the_owner_may_read_the_files(self, files: ControllerFiles, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            files.prepare(wanted(tmp_path / "new" / "er"))([VAULT, PLAIN])
        finally:
            os.umask(before)
        directory = tmp_path / "new" / "er"
        assert directory.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}
        assert sorted(content(tmp_path)) == ["plain.yml", "vault.yml"], "no temporary file is left"

    @pytest.mark.parametrize("name", ["plain.yml", "vault.yml"])
    def test_an_existing_file_is_not_replaced(self, files: ControllerFiles, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text("theirs")
        with pytest.raises(OptionError, match=f"{name} exists already, and was not replaced"):
            files.prepare(wanted(tmp_path))
        assert content(tmp_path) == {name: b"theirs"}

    def test_the_files_of_a_killed_run_are_removed_and_those_of_a_running_one_are_kept(
        self, files: ControllerFiles, tmp_path: Path
    ) -> None:
        """It was killed between the two links: one file has its name already, and both are still staged."""
        (tmp_path / ".vault.yml.abcdefgh").write_text("half")
        (tmp_path / ".plain.yml.abcdefgh").write_text("half")
        os.link(tmp_path / ".vault.yml.abcdefgh", tmp_path / "vault.yml")
        with whole_files.stage_file(tmp_path / "plain.yml", b"") as running:
            files.prepare(wanted(tmp_path))([VAULT, PLAIN])
            assert sorted(content(tmp_path)) == sorted([running.name, "plain.yml", "vault.yml"])
        assert decrypted(tmp_path / "vault.yml")
        os.link(tmp_path / "vault.yml", tmp_path / ".vault.yml.abcdefgh")
        with pytest.raises(OptionError, match=r"plain.yml, .*vault.yml exists already"):
            files.prepare(wanted(tmp_path))

    def test_a_dangling_symlink_is_not_replaced(self, files: ControllerFiles, tmp_path: Path) -> None:
        (tmp_path / "plain.yml").symlink_to(tmp_path / "nowhere")
        with pytest.raises(OptionError, match="exists already"):
            files.prepare(wanted(tmp_path))

    def test_a_file_created_in_the_meantime_is_not_replaced(self, files: ControllerFiles, tmp_path: Path) -> None:
        write = files.prepare(wanted(tmp_path))
        (tmp_path / "plain.yml").write_text("theirs")
        with pytest.raises(
            OptionError, match=r"plain.yml cannot be written on the controller: File exists; nothing was written"
        ):
            write([VAULT, PLAIN])
        assert content(tmp_path) == {"plain.yml": b"theirs"}

    def test_force_replaces_an_existing_file(self, files: ControllerFiles, tmp_path: Path) -> None:
        (tmp_path / "plain.yml").write_text("theirs")
        (tmp_path / "plain.yml").chmod(0o644)
        files.prepare(wanted(tmp_path, force=True))([VAULT, PLAIN])
        assert b"A comment" in content(tmp_path)["plain.yml"]
        assert (tmp_path / "plain.yml").stat().st_mode & 0o777 == 0o600

    def test_a_link_is_replaced_and_not_followed(self, files: ControllerFiles, tmp_path: Path) -> None:
        theirs = tmp_path / "theirs"
        theirs.write_text("theirs")
        directory = tmp_path / "d"
        directory.mkdir()
        (directory / "plain.yml").symlink_to(theirs)
        files.prepare(wanted(directory, force=True))([VAULT, PLAIN])
        assert theirs.read_text() == "theirs"
        assert not (directory / "plain.yml").is_symlink()

    def test_a_destination_that_is_not_a_directory_is_refused(self, files: ControllerFiles, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(OptionError, match="is not a directory"):
            files.prepare(wanted(tmp_path / "file"))
        write = files.prepare(wanted(tmp_path / "file" / "below"))
        with pytest.raises(OptionError, match="cannot be written on the controller"):
            write([VAULT, PLAIN])

    @pytest.mark.parametrize("force", [False, True])
    def test_a_full_disk_is_named_with_the_file(self, files: ControllerFiles, tmp_path: Path, force: bool) -> None:
        """A file size limit fails in the same way as a full disk: the system's error does not name the file."""
        write = files.prepare(wanted(tmp_path, force=force))
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (16, limits[1]))
        try:
            with pytest.raises(OptionError) as caught:
                write([VAULT, PLAIN])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert str(caught.value) == (
            f"{tmp_path}/vault.yml cannot be written on the controller: File too large; nothing was written. "
            "Give another 'dest', or correct this one"
        )
        assert content(tmp_path) == {}

    def test_a_failure_with_force_names_the_replaced_files(self, files: ControllerFiles, tmp_path: Path) -> None:
        (tmp_path / "plain.yml").mkdir()
        with pytest.raises(OptionError, match=r"written before that: .*vault.yml"):
            files.prepare(wanted(tmp_path, force=True))([VAULT, PLAIN])
        assert sorted(content(tmp_path)) == ["vault.yml"]


@pytest.fixture(autouse=True)
def _no_identity(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("ANSIBLE_VAULT_ENCRYPT_IDENTITY", raising=False)
    yield
