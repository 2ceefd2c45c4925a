# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check or render the documentation: manual pages of modules and roles, and the guides of docs/docsite.

usage: prepare.py docs python tests/tools/docs.py lint
       prepare.py docs python tests/tools/docs.py build [--version NAME --versions NAME ...] [--to DIRECTORY]
       prepare.py docs python tests/tools/docs.py publish DIRECTORY

`lint` runs the linter of antsibull-docs, with the references to all installed collections.
`build` renders a site as docs.ansible.com does, and prints its path. A warning is a failure, and so is a link to a page or a place of the
site that does not exist. Nothing is fetched: references to pages of other projects are links, and pictures come from this checkout.
`--versions` are the entries of the version menu, and `--version` is the entry of this site.
`publish` renders the main branch and each release into a folder of DIRECTORY. Each of them is rendered by its own `build`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import processes
import yaml
from prepare import ROOT, cache
from release import VERSION, ordered

COLLECTION = "openshift_ops.image_pull"
MAIN = "main"
#: Pages that the templates of antsibull-docs link to, in documents of Ansible that are not fetched.
ABROAD = r"""
nitpick_ignore_regex = [("std:ref", r"(?!ansible_collections\.openshift_ops\.).*"), ("any", r"ansible-[a-z-]+\(1\)")]
intersphinx_mapping = {}
"""
#: The guides link to files, because GitHub shows these links. Each pattern of such a link, and its address on the site.
ADDRESSES = (
    (r"<([a-z_]+)\.rst(#[\w-]+)?>`__", r"<\1.html\2>`__"),
    (r"<\.\./\.\./\.\./roles/([a-z_]+)/README\.md>`__", r"<../\1_role.html>`__"),
    (r"<\.\./\.\./\.\./plugins/modules/([a-z_]+)\.py>`__", r"<../\1_module.html>`__"),
    (r"(\.\. (?:image|figure):: )\.\./\.\./pictures/", r"\1pictures/"),
)
#: The kinds of generated pages, and their heading in the menu.
KINDS = {
    "_module": "Modules",
    "_role": "Roles",
    "_filter": "Plugins of the playbooks",
    "_lookup": "Plugins of the playbooks",
}
FORMS: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"`([^`\n]+)`", r"``\1``"),
    (r"^```\n(.*?)^```$", lambda block: ".. code-block:: text\n\n" + textwrap.indent(block[1], "   ")),
    (r"\[([^]]*)\]\(https://github\.com/[^)]*/docs/docsite/rst/(\w+)\.rst\)", r"`\1 <docsite/\2.html>`__"),
    (r"\[([^]]*)\]\(([^)]*)\)", r"`\1 <\2>`__"),
    (r"^> ([^\n]*)$", r"| \1"),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="docs.py")
    jobs = parser.add_subparsers(dest="job", required=True)
    jobs.add_parser("lint")
    builder = jobs.add_parser("build")
    builder.add_argument("--version", default="")
    builder.add_argument("--versions", nargs="+", default=[])
    builder.add_argument("--to", type=Path)
    jobs.add_parser("publish").add_argument("directory", type=Path)
    options = parser.parse_args()
    if options.job == "lint":
        return lint()
    if options.job == "build":
        return build(options.version, options.versions, options.to)
    return publish(options.directory)


def lint() -> int:
    options = ["--plugin-docs", "--validate-collection-refs=all", "--check-extra-docs-refs"]
    # As the command of tarball.py, it reads the collection that the tarball installs.
    collection = os.environ.get("IMAGE_PULL_INSTALLED", str(ROOT))
    return run(["antsibull-docs", "lint-collection-docs", *options, collection])


def build(version: str, versions: list[str], to: Path | None) -> int:
    # Two builds of one checkout can run at the same time, so each works in a directory of its own.
    with tempfile.TemporaryDirectory(dir=cache(), prefix="site-") as parent:
        site = Path(parent) / "site"
        site.mkdir(mode=0o755)
        status = write_pages(site, version, versions)
        if status:
            return status
        html = site / "build" / "html"
        sphinx = ["sphinx-build", "-M", "html", str(site / "rst"), str(html.parent), "-c", str(site)]
        status = run([*sphinx, "-W", "--keep-going", "-q"])
        problems = [f"{name} is missing" for name in expected_pages() if not (html / name).exists()]
        problems += sorted(set(dead_links(html)))
        if to:
            shutil.copytree(html, to)
        else:
            to = keep(html)
    print("\n".join([*problems, f"rendered: {to / 'index.html'}"]))
    return status or (1 if problems else 0)


def write_pages(site: Path, version: str, versions: list[str]) -> int:
    """Write the configuration of sphinx and the sources of all pages."""
    titles = ["--project", "image_pull", "--copyright", "The openshift_ops.image_pull authors", "--title", COLLECTION]
    options = ["--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", str(site), *titles]
    status = run(["antsibull-docs", "sphinx-init", *options, COLLECTION], quiet=True)
    if status:
        return status
    with (site / "conf.py").open("a", encoding="utf-8") as configuration:
        configuration.write(ABROAD + version_menu(version, versions))
    pages = site / "rst"
    pages.mkdir(mode=0o755, exist_ok=True)
    config = ["--config-file", str(site / "antsibull-docs.cfg")]
    options = ["--cleanup", "everything", "--fail-on-error", "--use-current", "--squash-hierarchy"]
    status = run(["antsibull-docs", *config, "collection", *options, "--dest-dir", str(pages), COLLECTION])
    if not status:
        prepare_guides(pages / "docsite")
        (pages / "index.rst").write_text(first_source(pages), encoding="utf-8")
    return status


def first_source(pages: Path) -> str:
    """The first page: the use cases of the README. Its menu has short names instead of the titles of the pages."""
    cases = re.search(
        r"^## Use cases\n(.*?)^## ", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    description = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["description"]
    sections = yaml.safe_load((ROOT / "docs" / "docsite" / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    menu = {section["title"]: [f"docsite/{name}" for name in section["toctree"]] for section in sections}
    for kind, title in KINDS.items():
        names = sorted(path.stem.removesuffix(kind) for path in pages.glob(f"*{kind}.rst"))
        menu.setdefault(title, []).extend(f"{name} <{name}{kind}>" for name in names)
    parts = [COLLECTION, "=" * len(COLLECTION), f"\n{description}.\n", as_rst(cases[1] if cases else "")]
    for title, entries in menu.items():
        parts += [".. toctree::", "   :hidden:", f"   :caption: {title}\n", *(f"   {entry}" for entry in entries), ""]
    return "\n".join(parts)


def as_rst(markdown: str) -> str:
    """The forms of Markdown in the README's use cases, as reStructuredText."""
    for pattern, form in FORMS:
        markdown = re.sub(pattern, form, markdown, flags=re.MULTILINE | re.DOTALL)
    return markdown


def keep(html: Path) -> Path:
    """Move the pages into the cache, instead of those of an earlier build. Return their new place."""
    place = cache() / f"site-{checkout_name()}"
    with suppress(FileNotFoundError):
        place.rename(html.with_name("earlier"))
    html.rename(place)
    return place


def version_menu(version: str, versions: list[str]) -> str:
    """The configuration of the version menu of the theme. The menu replaces one version by another one in the address of a page."""
    if not versions:
        return ""
    return f"html_context = {{'current_version': {version!r}, 'available_versions': {versions!r}}}\n"


def prepare_guides(guides: Path) -> None:
    """Copy the pictures to the guides, and change links to files into links to pages of the site."""
    shutil.copytree(ROOT / "docs" / "pictures", guides / "pictures")
    for page in guides.glob("*.rst"):
        page.write_text(with_addresses(page.read_text(encoding="utf-8")), encoding="utf-8")


def with_addresses(text: str) -> str:
    for pattern, address in ADDRESSES:
        text = re.sub(pattern, address, text)
    return text


def expected_pages() -> list[str]:
    """The pages of the site: one for each guide, module and role."""
    guides = (f"docsite/{path.stem}.html" for path in (ROOT / "docs" / "docsite" / "rst").glob("*.rst"))
    modules = (f"{path.stem}_module.html" for path in (ROOT / "plugins" / "modules").glob("[!_]*.py"))
    roles = (f"{path.parents[1].name}_role.html" for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"))
    return sorted(["index.html", *guides, *modules, *roles])


class Places(HTMLParser):
    """The links of a page, and the places in it that a link can name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" or (name, tag) == ("name", "a"):
                self.places.add(value or "")
            elif (name, tag) in (("href", "a"), ("src", "img")):
                self.links.append(value or "")


def dead_links(html: Path) -> Iterator[str]:
    """Links without a target, between the pages of a site and to its pictures."""
    pages = {path: Places(path.read_text(encoding="utf-8")) for path in html.rglob("*.html")}
    for path, page in pages.items():
        for link in page.links:
            address = urlsplit(link)
            if address.scheme or address.netloc or address.path.startswith("/"):
                continue
            target = Path(os.path.normpath(path.parent / unquote(address.path))) if address.path else path
            place = unquote(address.fragment)
            if not target.exists() or (place and target in pages and place not in pages[target].places):
                yield f"{path.relative_to(html)}: links to {link}, which does not exist"


def publish(directory: Path) -> int:
    """Render all versions for a web server. The first page leads to the newest release."""
    versions = [*releases(), MAIN]
    directory = directory.absolute()
    directory.mkdir(parents=True)
    for version in versions:
        revision = f"refs/tags/{version}" if version != MAIN else main_branch()
        with tempfile.TemporaryDirectory() as parent:
            checkout = Path(parent) / "checkout"
            git("worktree", "add", "--quiet", "--detach", str(checkout), revision)
            try:
                command = [sys.executable, str(checkout / "tests" / "tools" / "prepare.py"), "docs"]
                command += ["python", "tests/tools/docs.py", "build", "--to", str(directory / version)]
                status = run([*command, "--version", version, "--versions", *versions])
            finally:
                git("worktree", "remove", "--force", str(checkout))
        if status:
            return status
    (directory / "index.html").write_text(first_page(versions), encoding="utf-8")
    print(f"published: {', '.join(versions)} in {directory}")
    return 0


def releases() -> list[str]:
    """The released versions, the newest first."""
    return sorted(filter(VERSION.fullmatch, git("tag", "--list").split()), key=ordered, reverse=True)


def main_branch() -> str:
    """The main branch of the remote repository. A checkout without it is itself the main branch."""
    return next(iter(git("for-each-ref", "--format=%(refname)", f"refs/remotes/origin/{MAIN}").split()), "HEAD")


def first_page(versions: list[str]) -> str:
    items = "\n".join(f'<li><a href="{version}/index.html">{version}</a></li>' for version in versions)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{COLLECTION}</title>
<meta http-equiv="refresh" content="0; url={versions[0]}/index.html">
</head>
<body>
<h1>{COLLECTION}: versions of the documentation</h1>
<ul>
{items}
</ul>
</body>
</html>
"""


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def checkout_name() -> str:
    """The name that prepare.py gives this checkout."""
    return Path(os.environ["ANSIBLE_COLLECTIONS_PATH"]).name.rpartition("-")[2]


def run(command: list[str], *, quiet: bool = False) -> int:
    sys.stdout.flush()
    return subprocess.run(command, stdout=subprocess.DEVNULL if quiet else None, check=False).returncode


if __name__ == "__main__":
    processes.command_line(main)
