# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible prints the messages of the troubleshooting guide for each mistake, and the guide's advice fixes them one by one.

The output must contain the text of a row, and the advice must lead to the next mistake, and finally to a successful run.
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
#: The command that shows the variables that Ansible reads. Without the playbook's folder it also shows files next to the inventory.
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
    """A reader with nothing installed, an inventory full of mistakes, and a vault whose password Ansible does not know."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.options = reader, ""
        self.password = reader.write(str(Path(reader.environment["HOME"]) / ".vault-password"), "the vault's")
        self.hosts = "hosts.txt~"
        reader.write(f"inventory/{self.hosts}", "all:\n  hosts:\n    my-cluster:\n")
        self.entries(
            ("private_registry_secrets", "registry_secrets"), ("- name", "  name"), ("namespaces", "namespace")
        )
        # next to the inventory instead of inside it
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
    rows = re.findall(r"^``(.+)``$", SECTION, re.MULTILINE)

    def says(part: str, status: int) -> None:
        """The output contains the row with that part, and no other row."""
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

    assert re.search(r"my-cluster : ok=2 changed=1 ", stumbling.site(0))
    assert [row for row in rows if row not in met] == []
