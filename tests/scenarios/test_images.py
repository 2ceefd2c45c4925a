# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""images.yml prints the images with their owners, and writes a file of each kind for each cluster."""

from __future__ import annotations

from pathlib import Path

import yaml
from support.lab import Lab
from support.playbooks import play


def test_the_images_of_a_path_are_printed_and_written(lab: Lab, namespace: str, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.dump({"all": {"hosts": {"east": {"image_pull_kubeconfig": lab.kubeconfig}}}}))
    image = lab.registry("private")["image"]
    lab.pod(namespace, "app", image)
    directory = tmp_path / "images"
    options = {
        "of": image.rpartition(":")[0],
        "to": "quay.io/acme/app",
        "namespaces": namespace,
        "directory": directory,
    }
    found = play(
        "images", inventory, *(part for item in options.items() for part in ("-e", "=".join(map(str, item))))
    ).succeeded()
    assert f": {namespace} Pod app, spec.containers[app].image (1 pod)" in found.output
    assert "1 image in 1 object of 1 namespace, written: " in found.output
    assert {path.name for path in directory.iterdir()} == {"east.json", "east.csv", "east.kustomize.yml"}
    assert found.recap["changed"] >= 1
