# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks or renders the documentation: manual pages of modules and roles, and the guides of docs/docsite.

usage: prepare.py docs python tests/tools/docs.py lint
       prepare.py docs python tests/tools/docs.py build

`lint` is antsibull-docs' own, with the references to all collections that are here. `build` renders a site as docs.ansible.com
does, into the cache, and prints where it is; a warning is a failure. Nothing is fetched: references to other projects' pages are
links, and pictures are taken from this checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import processes
from prepare import ROOT, cache

COLLECTION = "openshift_ops.image_pull"
#: Where the guides say that the pictures are, since antsibull-docs takes only their text along.
PICTURES = "https://raw.githubusercontent.com/openshift-ops/image_pull/main/docs/pictures/"
#: Pages that antsibull-docs' own templates name, in documents of Ansible that are not fetched.
ABROAD = r"""
nitpick_ignore_regex = [("std:ref", r"(?!ansible_collections\.openshift_ops\.).*"), ("any", r"ansible-[a-z-]+\(1\)")]
intersphinx_mapping = {}
"""


def main() -> int:
    wanted = sys.argv[1:]
    if wanted == ["lint"]:
        return lint()
    if wanted == ["build"]:
        return build()
    sys.exit("usage: docs.py lint|build")


def lint() -> int:
    options = ["--plugin-docs", "--validate-collection-refs=all", "--check-extra-docs-refs"]
    return run(["antsibull-docs", "lint-collection-docs", *options, str(ROOT)])


def build() -> int:
    site = cache() / f"site-{checkout_name()}"
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(mode=0o755)
    titles = ["--project", "image_pull", "--copyright", "The openshift_ops.image_pull authors", "--title", COLLECTION]
    options = ["--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", str(site), *titles]
    status = run(["antsibull-docs", "sphinx-init", *options, COLLECTION], quiet=True)
    if status:
        return status
    with (site / "conf.py").open("a", encoding="utf-8") as configuration:
        configuration.write(ABROAD)
    pages = site / "rst"
    pages.mkdir(mode=0o755, exist_ok=True)
    config = ["--config-file", str(site / "antsibull-docs.cfg")]
    options = ["--cleanup", "everything", "--fail-on-error", "--use-current", "--squash-hierarchy"]
    status = run(["antsibull-docs", *config, "collection", *options, "--dest-dir", str(pages), COLLECTION])
    if status:
        return status
    take_pictures(pages)
    sphinx = [
        "sphinx-build",
        "-M",
        "html",
        str(pages),
        str(site / "build"),
        "-c",
        str(site),
        "-W",
        "--keep-going",
        "-q",
    ]
    status = run(sphinx)
    print(f"rendered: {site / 'build' / 'html' / 'index.html'}")
    return status


def take_pictures(pages: Path) -> None:
    """Puts the pictures beside the guides, and names them there."""
    source = ROOT / "docs" / "pictures"
    if not source.is_dir():
        return
    shutil.copytree(source, pages / "docsite" / "pictures")
    for page in (pages / "docsite").glob("*.rst"):
        page.write_text(page.read_text(encoding="utf-8").replace(PICTURES, "pictures/"), encoding="utf-8")


def checkout_name() -> str:
    """The name that prepare.py gives this checkout."""
    return Path(os.environ["ANSIBLE_COLLECTIONS_PATH"]).name.rpartition("-")[2]


def run(command: list[str], *, quiet: bool = False) -> int:
    sys.stdout.flush()
    return subprocess.run(command, stdout=subprocess.DEVNULL if quiet else None, check=False).returncode


if __name__ == "__main__":
    processes.command_line(main)
