# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our registries.conf and policy.json agree with those of the lab, as read by containers/image in `lab oracle`.

`IMAGE_PULL_REGISTRY_CASES` sets the number of generated clusters. Their mirrors, blocked and allowed registries and image policies touch
each other often.
"""

from __future__ import annotations

import os
import random
from collections import Counter

from support.node_files import copies_in, generate_rules, image_names, judge
from support.oracle import Oracle

#: The words of the operator, and of what it renders.
REACHED = {
    "rendered",
    "for a wildcard scope",
    "canonical",
    "conflicting",
    "one of the mirrors",
    "only one of",
    "not nested",
    "nested inside",
    'registries ""',
    'mirror ""',
    "blocked mirror",
}
CASES = int(os.environ.get("IMAGE_PULL_REGISTRY_CASES", "1500"))


def test_the_files_of_the_nodes_agree_with_those_of_the_operator(oracle: Oracle) -> None:
    seed = random.randrange(2**32)
    cases = list(generate_rules(seed, CASES))
    reached: Counter[str] = Counter()
    wrong = []
    for case in cases:
        (answer,) = oracle.rules([case.question(image_names(case))])
        reached.update(text for text in REACHED if text in answer.get("problem", "rendered"))
        copies = copies_in(answer)
        (places,) = oracle.rules([case.question(copies)]) if copies else ({"images": ()},)
        blocked = [name for name, place in zip(copies, places["images"], strict=True) if place["blocked"]]
        reached.update(["blocked mirror"] if blocked else [])
        wrong += [f"{text}: {case}" for text in judge(case, answer, blocked)]
    assert wrong[:5] == [], f"{len(wrong)} of {CASES}, seed {seed}"
    assert reached["rendered"] > CASES / 4
    assert {*reached} == REACHED
