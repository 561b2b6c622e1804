"""Seeds and verdicts with real training on tiny images."""

import json
from pathlib import Path

import pytest

from competition.config.experiment import Config, repeated
from competition.files import sha256_of
from competition.paths import Paths
from tests.conftest import Comp


def test_a_repeat_has_a_seed_of_its_own_that_never_changes() -> None:
    assert repeated(Config(), 0) == Config()
    seeds = [repeated(Config(), repeat).seed for repeat in range(4)]
    assert len(set(seeds)) == 4
    assert seeds == [repeated(Config(), repeat).seed for repeat in range(4)]
    assert repeated(Config(), 1).sha256 != Config().sha256
    assert repeated(Config(seed=1), 1).seed != seeds[1]


@pytest.mark.slow
def test_seeds_tell_luck_from_progress(comp: Comp, ready: Path) -> None:
    baseline = json.loads(comp.ok("run", "--as", "ann", "--seeds", "2", "--json"))
    assert (baseline["rank"], baseline["state"], len(baseline["seed_scores"])) == (1, "complete", 2)
    assert baseline["score"] == pytest.approx(sum(baseline["seed_scores"]) / 2)
    jobs = [Paths(ready).job("b1", fold, repeat) for fold in range(2) for repeat in range(2)]
    assert [job.folder.name for job in jobs] == ["fold0", "fold0-repeat1", "fold1", "fold1-repeat1"]
    assert len({sha256_of(job.model) for job in jobs}) == 4

    child = json.loads(comp.ok("run", "--as", "ann", "--set", "loss.dice=0.5", "--json"))
    assert child["verdict"]["against"] == "b1"
    assert child["verdict"]["seeds"] == [2, 1]
    assert child["verdict"]["seeds_from"] == ["b1"]
    assert child["verdict"]["units"] == 4
    assert child["verdict"]["se_images"] > 0

    more = json.loads(comp.ok("run", "b1", "--as", "ann", "--seeds", "3", "--json"))
    assert more["seed_scores"][:2] == baseline["seed_scores"]
    assert len(more["seed_scores"]) == 3
    rows = {row["name"]: row for row in json.loads(comp.ok("leaderboard", "--json"))}
    assert rows["dice-0.5"]["verdict"]["seeds"] == [3, 1]

    compared = json.loads(comp.ok("compare", "b1", "dice-0.5", "--json"))
    assert compared["score"]["delta"] == pytest.approx(compared["verdict"]["delta"])
    for key in ("low", "high", "p", "detectable"):
        assert compared["verdict"][key] == pytest.approx(rows["dice-0.5"]["verdict"][key])
    assert set(compared["verdict"]["class_half"]) == {"background", "square", "disc"}
    assert {image["id"] for image in compared["verdict"]["images"]} <= {f"g{n // 3}_{n}" for n in range(12)}
    text = comp.ok("compare", "b1", "dice-0.5", "b1")
    assert max(map(len, text.splitlines()[:20])) <= 80
    assert "Verdict: dice-0.5 against b1" in text
    assert "The same configuration." in text

    confusion = Paths(ready).job("b1", 1, 2).confusion
    confusion.write_bytes(b"damaged")
    ran = comp("compare", "b1", "dice-0.5")
    assert ran.code == 0
    assert "is damaged" in ran.err
