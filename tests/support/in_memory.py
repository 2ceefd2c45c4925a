# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module on an API server in memory. The module's own argument spec validates the options, as in a playbook."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Task, execute

from support.certificates import loopback_certificate
from support.fake_api import FakeApi
from support.returns import assert_documented

__all__ = ["InMemory", "in_memory"]


@dataclass
class InMemory:
    """Runs modules on one server."""

    api: FakeApi
    host: str
    directory: str

    def run(self, module_name: str, /, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Return the module's result with its warnings, including `failed`. The module's page must describe the result."""
        module = importlib.import_module(
            f"ansible_collections.openshift_ops.image_pull.plugins.modules.{module_name}"
        ).MODULE
        given = {"host": self.host, "api_key": "token", "ca_cert": loopback_certificate(), **options}
        validation = ArgumentSpecValidator(module.arguments, **module.all_rules).validate(given)
        if validation.error_messages:
            return {"failed": True, "msg": module.problems(given, validation.errors) or validation.errors.msg}
        task = Task(module_name, validation.validated_parameters, check, True, self.directory, set())
        result = {"failed": False, **execute(module, task), "warnings": task.warnings}
        assert_documented(module_name, result)
        return result


@contextmanager
def in_memory(api: FakeApi) -> Iterator[InMemory]:
    with api.served() as host, tempfile.TemporaryDirectory() as directory:
        yield InMemory(api, host, directory)
