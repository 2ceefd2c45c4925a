# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site: links to files become links to pages, dead links are found, and every version is published."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.github_pages import ROOT, read_rst

import docs

GUIDES = sorted((ROOT / "docs/docsite/rst").glob("*.rst"))
#: The playbooks of the README's questions.
QUESTIONS = ("site", "explain", "audit", "what_if", "rotate")
WORKFLOWS = ROOT / ".github" / "workflows"
SITE = "https://openshift-ops.github.io/image_pull/"


class TestAddresses:
    @pytest.mark.parametrize(
        ("link", "address"),
        [
            ("`a <many_teams.rst>`__", "many_teams.html"),
            ("`a\n<many_teams.rst#an-owner>`__", "many_teams.html#an-owner"),
            ("`a <../../../roles/private_registry/README.md>`__", "../private_registry_role.html"),
            ("`a <../../../plugins/modules/sa_link.py>`__", "../sa_link_module.html"),
            (".. image:: ../../pictures/pull.svg", "pictures/pull.svg"),
        ],
    )
    def test_a_link_to_a_file_becomes_a_link_to_a_page(self, link: str, address: str) -> None:
        assert [one.target for one in read_rst(docs.with_addresses(f"{link}\n")).links] == [address]

    @pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
    def test_every_link_of_a_guide_has_an_address_on_the_site(self, path: Path) -> None:
        pages = {
            *docs.expected_pages(),
            *(f"docsite/pictures/{picture.name}" for picture in (ROOT / "docs/pictures").iterdir()),
        }
        links = {link.target.partition("#")[0] for link in read_rst(docs.with_addresses(path.read_text())).links}
        places = {str(Path("docsite", link)) for link in links if link and "://" not in link}
        assert {re.sub(r"^docsite/\.\./", "", place) for place in places} <= pages


class TestFirstPage:
    def test_the_forms_of_the_readme_become_rst(self) -> None:
        guide = "https://github.com/openshift-ops/image_pull/blob/main/docs/docsite/rst/explain.rst"
        text = f"**Why?** With `oc`\n([guide]({guide}), [site](https://example.com/)):\n\n```\na -i b\nc\n```\n\n> 1 of 1\n"
        assert docs.as_rst(text) == (
            "**Why?** With ``oc``\n(`guide <docsite/explain.html>`__, `site <https://example.com/>`__):\n\n"
            ".. code-block:: text\n\n   a -i b\n   c\n\n\n| 1 of 1\n"
        )

    def test_it_has_the_questions_and_short_names_for_every_page(self, tmp_path: Path) -> None:
        for page in docs.expected_pages():
            (tmp_path / Path(page).name).with_suffix(".rst").touch()
        source = docs.first_source(tmp_path)
        assert source.count(".. code-block:: text\n\n   ansible-playbook openshift_ops.image_pull.") == len(QUESTIONS)
        entries = re.findall(r"^   (?:\w+ <)?(\w+|docsite/\w+)>?$", source.partition(".. toctree::")[2], re.MULTILINE)
        assert sorted(f"{entry}.html" for entry in entries) == [
            page for page in docs.expected_pages() if page != "index.html"
        ]
        assert "\n   sa_link <sa_link_module>\n" in source


class TestDeadLinks:
    def test_missing_pages_places_and_pictures_are_found(self, tmp_path: Path) -> None:
        links = (
            "b.html",
            "b.html#there",
            "#here",
            "b.html#not",
            "#not",
            "c.html",
            "https://example.com/c.html",
            "/c.html",
            "%62.html",
        )
        text = "".join(f'<a href="{link}">x</a>' for link in links)
        (tmp_path / "a.html").write_text(f'<p id="here">{text}<img src="c.svg"></p>')
        (tmp_path / "b.html").write_text('<a name="there">x</a>')
        assert list(docs.dead_links(tmp_path)) == [
            f"a.html: links to {link}, which does not exist" for link in ("b.html#not", "#not", "c.html", "c.svg")
        ]


class TestPublish:
    @pytest.fixture
    def repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Three revisions, two of which are released. Their `prepare.py` writes its arguments into a page."""
        program = "import pathlib, sys\npage = pathlib.Path(sys.argv[sys.argv.index('--to') + 1])\npage.mkdir()\n"
        program += "(page / 'index.html').write_text(REVISION + ' '.join(sys.argv[1:]))\n"
        root = tmp_path / "repository"
        tool = root / "tests" / "tools" / "prepare.py"
        tool.parent.mkdir(parents=True)
        monkeypatch.setattr(docs, "ROOT", root)
        docs.git("init", "--quiet")
        for tag in ("1.9.0", "1.10.0", "not-a-release"):
            tool.write_text(program.replace("REVISION", repr(f"{tag}: ")))
            docs.git("add", ".")
            docs.git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", tag)
            docs.git("tag", tag)
        return root

    def test_each_version_is_rendered_by_itself(self, repository: Path, tmp_path: Path) -> None:
        site = tmp_path / "site"
        assert docs.publish(site) == 0
        pages = {path.parent.name: path.read_text() for path in site.glob("*/index.html")}
        menu = "--versions 1.10.0 1.9.0 main"
        command = "docs python tests/tools/docs.py build"
        assert pages == {
            name: f"{revision}: {command} --to {site / name} --version {name} {menu}"
            for name, revision in (("1.9.0", "1.9.0"), ("1.10.0", "1.10.0"), ("main", "not-a-release"))
        }
        assert 'content="0; url=1.10.0/index.html"' in (site / "index.html").read_text()
        assert len(docs.git("worktree", "list").splitlines()) == 1

    def test_a_version_that_fails_ends_the_run(self, repository: Path, tmp_path: Path) -> None:
        (repository / "tests" / "tools" / "prepare.py").write_text("raise SystemExit(3)\n")
        docs.git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--all", "--message", "x")
        assert docs.publish(tmp_path / "site") == 3
        assert not (tmp_path / "site" / "index.html").exists()
        assert len(docs.git("worktree", "list").splitlines()) == 1


class TestWorkflow:
    def steps(self) -> list[dict[str, Any]]:
        workflow = yaml.safe_load((WORKFLOWS / "pages.yml").read_text(encoding="utf-8"))
        return [step for job in workflow["jobs"].values() for step in job["steps"]]

    def test_it_runs_a_command_of_this_repository(self) -> None:
        (command,) = [step["run"] for step in self.steps() if "run" in step]
        _python, prepare, environment, _python, program, job, _directory = command.split()
        assert (ROOT / prepare).exists()
        assert (ROOT / "tests" / "requirements" / f"{environment}.txt").exists()
        assert (program, job) == ("tests/tools/docs.py", "publish")

    def test_it_has_the_whole_history(self) -> None:
        """Releases are found by their tags."""
        (checkout,) = [step for step in self.steps() if step.get("uses", "").startswith("actions/checkout@")]
        assert checkout["with"] == {"fetch-depth": 0}

    def test_only_its_last_job_writes(self) -> None:
        workflow = yaml.safe_load((WORKFLOWS / "pages.yml").read_text(encoding="utf-8"))
        assert workflow["permissions"] == {"contents": "read"}
        assert {name: job.get("permissions") for name, job in workflow["jobs"].items()} == {
            "render": None,
            "publish": {"pages": "write", "id-token": "write"},
        }
        assert workflow["jobs"]["publish"]["needs"] == "render"

    def test_workflows_use_one_version_of_each_action_of_github(self) -> None:
        used = [use for path in WORKFLOWS.glob("*.yml") for use in re.findall(r"uses: (\S+)", path.read_text())]
        assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", use) for use in used)
        assert len({use.partition("@")[0] for use in used}) == len(set(used))

    def test_readme_and_galaxy_lead_to_the_site(self) -> None:
        assert f"({SITE})" in (ROOT / "README.md").read_text(encoding="utf-8")
        assert yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["documentation"] == SITE
