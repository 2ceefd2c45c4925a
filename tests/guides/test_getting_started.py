# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first guide works with the tarball on a new lab."""

from __future__ import annotations


def test_the_getting_started_guide_works_as_written(reader):
    reader.follow("getting_started")
