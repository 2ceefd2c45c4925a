# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run all of `ansible-test sanity` of the ansible-core that runs this, without containers.

usage: prepare.py newest|oldest python tests/tools/sanity.py [OPTION OF ansible-test sanity ...] [FILE ...]

ansible-test requires a collection under its real path, so it gets a copy of the files that git knows or would add. As the command of
tarball.py, it gets the files that the tarball installs. It makes a virtual environment for each test, with the packages that it pins
itself. They are kept in the cache. Configuration files set up pip, because ansible-test does not pass PIP_ variables on.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import processes
from prepare import ROOT, cache

#: ansible-test downloads get-pip.py for its environments. This replacement uses Python's own pip to install the pinned version.
GET_PIP = '''\
"""Stands in for get-pip.py: the pip that comes with Python installs the versions that ansible-test asks for."""

import subprocess
import sys

packages = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
for command in (["ensurepip"], ["pip", "install", "--quiet", *packages]):
    subprocess.run([sys.executable, "-m", *command], check=True)
'''


def main() -> int:
    version = "{}.{}".format(*sys.version_info)
    command = ["ansible-test", "sanity", "--color", "no", "--python", version, *sys.argv[1:]]
    with copied() as collection:
        return processes.run(command, collection, {"HOME": str(home())})


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the collection under its real path, until the end of the block."""
    with tempfile.TemporaryDirectory() as directory:
        collection = Path(directory) / "ansible_collections" / "openshift_ops" / "image_pull"
        copy_to(collection)
        yield collection


def copy_to(collection: Path) -> None:
    if "IMAGE_PULL_INSTALLED" in os.environ:
        shutil.copytree(os.environ["IMAGE_PULL_INSTALLED"], collection)
        return
    for name in known_files():
        (collection / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, collection / name)


def known_files() -> set[str]:
    """The existing files that git knows or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in filter(None, listed.split("\0")) if (ROOT / name).is_file()}


def home() -> Path:
    """A home for ansible-test, with the user's pip configuration. Its cached files are for this collection only."""
    found, user = cache() / "ansible-test", Path.home()
    script = found / ".ansible" / "test" / "cache" / f"get_pip_{pip_version().replace('.', '_')}.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(GET_PIP, encoding="utf-8")
    for name in (".config/pip", ".pip", ".cache/pip"):
        link = found / name
        link.parent.mkdir(parents=True, exist_ok=True)
        if (user / name).is_dir() and not link.exists():
            link.symlink_to(user / name)
    return found


def pip_version() -> str:
    """The pip version that this ansible-test installs in its environments."""
    spec = find_spec("ansible_test._internal")
    source = Path(spec.submodule_search_locations[0]) / "python_requirements.py"  # type: ignore[union-attr,index]
    found = re.search(r"\bpip='([0-9.]+)'", source.read_text(encoding="utf-8"))
    if not found:
        sys.exit(f"sanity.py: {source} does not contain the version of pip")
    return found[1]


if __name__ == "__main__":
    processes.command_line(main)
