# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guide by symptom says that Ansible says: a reader makes every mistake of the table, and fixes one after the other as it advises.

The text of a row has to be what is printed, and its advice has to lead on to the next mistake, and in the end to a run.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.guides import GUIDES, Reader

pytestmark = pytest.mark.slow

SECTION = (
    (GUIDES / "troubleshooting.rst")
    .read_text(encoding="utf-8")
    .partition("\nMessages from Ansible\n---")[2]
    .partition("\n---")[0]
)
#: What the reader types to see which variables are read. Without the folder of the playbook it also shows what stands beside the inventory.
INVENTORY = "ansible-inventory -i inventory --playbook-dir inventory --host my-cluster"
VARIABLES = "inventory/group_vars/all"
ENTRIES = """private_registry_secrets:
  - name: team-registry
    namespaces: [default]
    registries:
      - registry: registry.example.com
        username: developer@example.com
        password: "{{ vaulted_registry_password }}"
"""


class Stumbling:
    """A reader with nothing installed, an inventory full of mistakes, and a vault whose password Ansible is not told."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.options = reader, ""
        self.password = reader.write(str(Path(reader.environment["HOME"]) / ".vault-password"), "the vault's")
        self.hosts = "hosts.txt~"
        reader.write(f"inventory/{self.hosts}", "all:\n  hosts:\n    my-cluster:\n")
        self.entries(
            ("private_registry_secrets", "registry_secrets"), ("- name", "  name"), ("namespaces", "namespace")
        )
        # beside the inventory instead of in it
        reader.write("group_vars/all/vault.yml", "vaulted_registry_password: the password of the registry\n")
        reader.write(f"{VARIABLES}/other.yml", "other: value\n")
        self.type(
            f"ansible-vault encrypt --vault-password-file {self.password} {VARIABLES}/other.yml group_vars/all/vault.yml"
        )

    def type(self, command: str, status: int = 0) -> str:
        return " ".join(self.reader.type("troubleshooting.rst", command, [], status).split())

    def site(self, status: int) -> str:
        return self.type(f"ansible-playbook openshift_ops.image_pull.site --check {self.options}", status)

    def entries(self, *mistakes: tuple[str, str]) -> None:
        text = ENTRIES
        for good, bad in mistakes:
            text = text.replace(good, bad)
        self.reader.write(f"{VARIABLES}/registries.yml", text)


@pytest.fixture
def stumbling(reader: Reader) -> Stumbling:
    return Stumbling(reader)


def test_ansible_prints_each_documented_message_and_the_advice_fixes_it(stumbling: Stumbling) -> None:
    rows = re.findall(r"^   \* - ``(.+)``$", SECTION, re.MULTILINE)

    def says(part: str, status: int) -> None:
        """The row with that part is what is printed now, and no other row is."""
        (wanted,) = [row for row in rows if part in row]
        said = stumbling.site(status)
        assert [row for row in rows if all(piece in said for piece in row.split("..."))] == [wanted], said
        met.add(wanted)

    met: set[str] = set()
    says("could not be found", 1)
    stumbling.type("ansible-galaxy collection install openshift_ops.image_pull")
    assert "ansible_collections" in stumbling.type("ansible-galaxy collection list openshift_ops.image_pull")
    says("no hosts matched", 0)
    stumbling.options = "-i inventory"
    says("no hosts matched", 0)
    folder = stumbling.reader.folder / "inventory"
    (folder / stumbling.hosts).rename(folder / "hosts.yml")

    says("Attempting to decrypt", 4)
    other = stumbling.reader.write("other-password", "another vault's")
    stumbling.type(f"export ANSIBLE_VAULT_PASSWORD_FILE={other}")
    says("Decryption failed", 4)
    stumbling.options += f" --vault-id team@{stumbling.password}"

    says("Nothing is declared", 0)
    stumbling.entries(("private_registry_secrets", "private_registry_secret"))
    says("variable private_registry_secret is unknown", 2)
    stumbling.entries(("- name", "  name"), ("namespaces", "namespace"))
    says("is undefined", 2)
    assert INVENTORY in SECTION
    inventory = INVENTORY.replace("-i inventory", stumbling.options)
    assert '"vaulted_registry_password":' not in stumbling.type(inventory)
    (stumbling.reader.folder / "group_vars/all/vault.yml").rename(stumbling.reader.folder / VARIABLES / "vault.yml")
    assert '"vaulted_registry_password":' in stumbling.type(inventory)
    says("is not a list of entries", 2)
    stumbling.entries(("namespaces", "namespace"))
    says("namespace is unknown", 2)
    stumbling.entries()

    assert re.search(r"my-cluster : ok=3 changed=2 ", stumbling.site(0))
    assert [row for row in rows if row not in met] == []
