# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lab oracle`: the code of the kubelet and of containers/image, asked by JSON lines."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from typing import Any


class Oracle:
    """One `lab oracle` process for the whole run."""

    def __init__(self) -> None:
        command = [os.environ["IMAGE_PULL_LAB"], "oracle"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", errors="surrogateescape"
        )
        self.asked = 0

    def ask(self, file: Any, images: Iterable[str]) -> list[dict[str, Any]]:
        return self._ask([json.dumps({"auth_file": file, "image": image}) for image in images])

    def ask_about(self, text: str, image: str) -> dict[str, Any]:
        """Ask about a file that is given as text. A file of JSON on one line may contain bytes that are not UTF-8."""
        one_line = text if "\udc80" <= max(text, default="") <= "\udcff" else json.dumps(text)
        (answer,) = self._ask([f'{{"image": {json.dumps(image)}, "auth_file": {one_line}}}'])
        return answer

    def keys(self, keys: list[str]) -> list[dict[str, str] | None]:
        """Return the host and path that the kubelet compares with images for each key, or None for a key that it ignores."""
        (answer,) = self._ask([json.dumps({"keys": keys})])
        found: list[dict[str, str] | None] = answer["keys"]
        return found

    def present(self, questions: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Ask the kubelet's pull manager about images that are present. Each question has `image` and `present` (tests/lab/README.md)."""
        return [answer["present"] for answer in self._ask([json.dumps(question) for question in questions])]

    def rules(self, questions: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Ask for the nodes' files that settings of registries make, and for the places of images by them."""
        return [answer["rules"] for answer in self._ask([json.dumps({"rules": question}) for question in questions])]

    def configuration_problems(self, fields: dict[str, Any]) -> list[str]:
        """Return the reasons why a kubelet does not start with these fields of its configuration."""
        (answer,) = self._ask([json.dumps({"configuration": fields})])
        found: list[str] = answer.get("problems", [])
        return found

    def provider_problems(self, config: Any) -> list[str]:
        """Return why a kubelet does not start with a configuration of credential providers, whose programs exist."""
        (answer,) = self._ask([json.dumps({"providers": config})])
        found: list[str] = answer.get("problems", [])
        return found

    def _ask(self, lines: list[str]) -> list[dict[str, Any]]:
        self.asked += len(lines)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n".join(lines) + "\n")
        self.process.stdin.flush()
        return [json.loads(self.process.stdout.readline()) for _line in lines]

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(timeout=20) == 0
