# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the texts for users: report words and patterns that are not plain English, with their line and a replacement.

usage: prepare.py newest python tests/tools/words.py [FILE ...]

Literals, code blocks and quotations are not checked: they show the words of programs.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import processes
import yaml
from prepare import ROOT
from sanity import known_files

#: A pattern, and the words to write instead. A blank in a pattern also matches a line break.
PATTERNS = (
    (
        r"\b[Ww]hat (?:is|are|was|were|it|they|a|the|no|only|has|have|had|can|cannot|comes|others|we|fails|else|of|must|would|does|lacks)\b"
        r"(?![^.|]*\?)",
        "the noun: objects, options, secrets, failures",
    ),
    (r"\bstands? (?:in|there|at|beside|below|behind|under|with|before)\b", "is in, is stored in, contains"),
    (r"\b[Ss]o (?:many|much|long|often|few)\b(?! that| as)", "the maximum, minimum or usual number of"),
    (r"\b(?:is|are|was|were|be|being|been|not) (?:told|said)\b", "a subject with reports, returns, prints or warns"),
    (r"\btells? (?:of|whether|what|which|how|why)\b", "reports, shows"),
    (r"\bWho (?:needs|wants|has)\b(?![^.|]*\?)", "a user who, users who"),
    (r", too[.;,)]", "nothing, or also before the verb"),
    (r"\balso (?:when|where)\b", "even if, including"),
    (r"\b(?:is|are) to (?:be|get|have)\b", "must be, will be"),
    (r"(?<!here.)\b(?:is|are|was) no (?!longer\b|more\b|such\b|\w+ (?:that|of|in) )(?:\w+ )?\w+", "is not a"),
    (
        r"\b(?:[Tt]hose (?:that|which|of which)|[Tt]hat which|ones? (?:of|for|in) which|(?:that|ones?) whose)\b",
        "the noun",
    ),
    (r"\b(?:has|have|is|are|does|do|declares?|declared|needs?|exists?) no more\b", "no longer"),
    (r"\bfor want of\b", "because there is no"),
    (r"\b[Ll]est\b", "so that ... not"),
    (r"\bwhatsoever\b", "at all"),
    (r"\banew\b", "again; recreate"),
    (r"\bmend(?:s|ed|ing)?\b", "fix"),
    (r"\b(?:(?:can(?:not)?|could not) be judged|cannot judge)\b", "not known"),
    (r"\bheld against\b", "compared with"),
    (r"\bin the place of\b", "instead of"),
    (r"\b[Bb]eside\b", "next to, in addition to"),
    (r"\b(?:mis)?spelt\b", "spelled, misspelled"),
    (r"\b[Nn]obody\b", "no one, no user, or another subject"),
    (r"\b[Ss]omebody\b", "a user, another team"),
    (r";(?! (?:get|list|watch|create|update|patch|delete)\b)[^.;|:]+;", "one sentence for each idea"),
)
_COMPILED = [(re.compile(pattern.replace(" ", r"\s+")), replacement) for pattern, replacement in PATTERNS]
#: The files for users. Of YAML and Python: the texts of their documentation.
FILES = (
    "*.md",
    "docs/docsite/rst/*.rst",
    "plugins/modules/*.py",
    "plugins/doc_fragments/*.py",
    "plugins/lookup/*.py",
    "plugins/filter/*.py",
    "extensions/eda/plugins/event_source/*.py",
    "roles/*/meta/argument_specs.yml",
    "changelogs/fragments/*.yml",
)
#: Files that are not ours, are generated, or are for developers of the tests.
LEFT_OUT = ("CHANGELOG.md", "CODE_OF_CONDUCT.md", "tests/*", ".github/*")
#: Some pages repeat texts of these files, and tests compare both. Words of these texts are not a problem of the page.
DATA = "plugins/module_utils/**/*.py"
#: The keys of documentation and argument specs with texts for users.
SHOWN = {"description", "short_description", "notes", "requirements", "details", "support_details"}


class Problem(NamedTuple):
    line: int
    words: str
    replacement: str
    #: The words with some before them, and with some after them.
    contexts: tuple[str, str]


def main() -> int:
    names = sys.argv[1:] or sorted(name for name in known_files() if is_for_users(name))
    data = data_of(ROOT)
    found = [
        f"{name}:{one.line}: {one.words!r}: write {one.replacement}"
        for name in names
        for one in problems_in(name)
        if not any(context.lower() in data for context in one.contexts)
    ]
    print("\n".join(found) or f"{len(names)} files, 0 problems")
    return 1 if found else 0


def is_for_users(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in FILES) and not any(
        fnmatchcase(name, pattern) for pattern in LEFT_OUT
    )


def problems_in(name: str, root: Path = ROOT) -> list[Problem]:
    text = (root / name).read_text(encoding="utf-8")
    return sorted(
        problem._replace(line=line + problem.line)
        for line, part in PARTS[Path(name).suffix](text)
        for problem in problems_of(part)
    )


def problems_of(text: str) -> Iterator[Problem]:
    """The forbidden words of a prose text. Lines count from zero."""
    for pattern, replacement in _COMPILED:
        for match in pattern.finditer(text):
            before = re.search(r"(?:\w[\w,-]*\s+){1,3}$", text[: match.start()])
            after = re.match(r"(?:\s+\w[\w,-]*){1,3}", text[match.end() :])
            contexts = (before[0] + match[0] if before else "\1", match[0] + after[0] if after else "\1")
            yield Problem(
                text.count("\n", 0, match.start()),
                plain(match[0]),
                replacement,
                (plain(contexts[0]), plain(contexts[1])),
            )


def plain(text: str) -> str:
    return " ".join(text.split())


def data_of(root: Path) -> str:
    """The strings of the files of DATA in lower case, without docstrings."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(root.glob(DATA))]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    docstrings = {node.value for node in nodes if isinstance(node, ast.Expr)}
    strings = (node.value for node in nodes if isinstance(node, ast.Constant) and node not in docstrings)
    return "\0".join(plain(text).lower() for text in strings if isinstance(text, str))


def parts_of_markdown(text: str) -> Iterator[tuple[int, str]]:
    """The prose. Exempt text becomes blank lines, so that lines keep their numbers."""
    yield (
        1,
        blanked(
            text,
            r"(?ms)^ *```.*?^ *```",
            r"(?s)<!--.*?-->",
            r"`[^`]+`",
            r"\]\([^)\s]+\)",
            r'"[^"|]+"',
            "\u201c[^\u201d]+\u201d",
        ),
    )


def parts_of_rest(text: str) -> Iterator[tuple[int, str]]:
    yield (
        1,
        blanked(
            text,
            # A block: a directive for code, or a paragraph that ends with two colons, and the indented lines after it.
            r"(?m)^( *)\.\. (?:code-block|code|literalinclude|raw|contents|image|figure|_)[^\n]*\n(?:(?:\1 +[^\n]*)?\n)*",
            r"(?m)^( *)\.\. (?!\w+::)[^\n]*\n(?:\1 +[^\n]*\n)*",
            r"(?m)^(?P<kept>(?! *\.\. )[^\n]*::)\n\n(?:(?: +[^\n]*)?\n)*",
            r"``[^`]+``",
            r":[a-z_:]+:`[^`<]+`",
            r" <[^`>]+>`_*",
            r'"[^"]+"',
            "\u201c[^\u201d]+\u201d",
        ),
    )


def parts_of_yaml(text: str) -> Iterator[tuple[int, str]]:
    """The texts below the keys of SHOWN. Without such a key, as in a changelog fragment, every text."""
    node = yaml.compose(text, yaml.SafeLoader)
    found = list(texts_of(node, shown=False)) or list(texts_of(node, shown=True))
    for line, part in found:
        yield line + 1, blanked(part, r"\b(?:C|V|O|RV|E|I|M|P|L|R|U|B|SECRET)\([^)]*\)", r"``[^`]+``", r'"[^"]+"')


def texts_of(node: yaml.Node | None, *, shown: bool) -> Iterator[tuple[int, str]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from texts_of(value, shown=shown or (key.value in SHOWN and not isinstance(value, yaml.MappingNode)))
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from texts_of(item, shown=shown)
    elif isinstance(node, yaml.ScalarNode) and shown:
        yield node.start_mark.line, node.value


def parts_of_python(text: str) -> Iterator[tuple[int, str]]:
    """The documentation: the strings of variables such as DOCUMENTATION, RETURN, or a fragment's OPTIONS."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            name = node.targets[0]
            if isinstance(name, ast.Name) and name.id.isupper() and name.id != "EXAMPLES" and "\n" in node.value.value:
                for line, part in parts_of_yaml(node.value.value):
                    yield node.value.lineno - 1 + line, part


PARTS: dict[str, Callable[[str], Iterator[tuple[int, str]]]] = {
    ".md": parts_of_markdown,
    ".rst": parts_of_rest,
    ".yml": parts_of_yaml,
    ".py": parts_of_python,
}


def blanked(text: str, *patterns: str) -> str:
    """Replace each match by a dot and its line breaks, but keep its group `kept`. No pattern of words matches across a dot."""

    def blank(match: re.Match[str]) -> str:
        kept = match.groupdict().get("kept", "")
        return f"{kept}·" + "\n" * match[0].count("\n")

    for pattern in patterns:
        text = re.sub(pattern, blank, text)
    return text


if __name__ == "__main__":
    processes.command_line(main)
