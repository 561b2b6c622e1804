from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from competition.ensemble.inputs import BlendedExperiment, open_experiments
from competition.errors import DataError, RefusedError
from competition.paths import header_of
from competition.predictions.probabilities import Part
from tests.ensemble.conftest import CLASSES, Makes, noisy, random_truth

Folds = list[Mapping[str, np.ndarray]]


@pytest.fixture
def folds() -> Folds:
    truth = random_truth("a", "b", "c", size=(3, 4))
    seen = noisy(truth, seed=1, noise=1)
    return [{"a": seen["a"], "b": seen["b"]}, {"c": seen["c"]}]


@pytest.fixture
def test_folds() -> Folds:
    return [noisy(random_truth("t1", "t2", size=(5, 2)), seed=seed, noise=1) for seed in range(2)]


def refusal(experiments: list[BlendedExperiment]) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        open_experiments(experiments)
    assert caught.value.hint
    return caught.value


def test_members_that_belong_together(experiment: Makes, folds: Folds, test_folds: Folds) -> None:
    opened = open_experiments([experiment("b1", folds, test_folds), experiment("dice", folds, test_folds)])
    assert opened.names == ("b1", "dice")
    assert opened.classes == CLASSES
    assert opened.ids == ("a", "b", "c")
    assert opened.fold_of == {"a": 0, "b": 0, "c": 1}
    assert opened.test_ids == ("t1", "t2")
    assert [view.shape for view in opened.oof_views("c")] == [(3, 3, 4)] * 2


def test_no_members() -> None:
    assert "at least one experiment" in refusal([]).message


def test_a_member_twice(experiment: Makes, folds: Folds) -> None:
    made = experiment("b1", folds)
    assert refusal([made, made]).message == "Named twice: b1."


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"classes": ("background", "glass", "paper")}, "has the classes background, glass, paper"),
        ({"fingerprint": "e" * 16}, "ran on other data (eeeeeeeeeeeeeeee)"),
        ({"split_hash": "r" * 64}, "ran on another split (rrrrrrrrrrrr)"),
    ],
)
def test_another_origin(experiment: Makes, folds: Folds, header: dict[str, object], why: str) -> None:
    error = refusal([experiment("b1", folds), experiment("other", folds, **header)])
    assert error.message.startswith(f"other {why}")
    assert "`comp run --from other`" in (error.hint or "")


def test_test_shards_are_checked_for_their_origin_too(experiment: Makes, folds: Folds, test_folds: Folds) -> None:
    first = experiment("b1", folds, test_folds)
    second = experiment("stale", [], test_folds, fingerprint="e" * 16)
    mixed = BlendedExperiment("b2", first.oof, second.test)
    assert refusal([first, mixed]).message.startswith("b2 ran on other data")


def test_missing_folds(experiment: Makes, folds: Folds) -> None:
    error = refusal([experiment("b1", folds), experiment("short", folds[:1])])
    assert error.message == "short has 1 folds, and b1 has 2."
    assert "comp run short" in (error.hint or "")
    assert "comp run short" in (refusal([experiment("short", folds[:1]), experiment("b1", folds)]).hint or "")


def test_an_image_in_two_folds(experiment: Makes, folds: Folds) -> None:
    leaking = [folds[0], {**folds[1], "a": folds[0]["a"]}]
    assert refusal([experiment("leaky", leaking)]).message.startswith("leaky predicted a in two folds")


def test_other_images(experiment: Makes, folds: Folds) -> None:
    error = refusal([experiment("b1", folds), experiment("b2", [folds[0], {}])])
    assert error.message.startswith("b2, fold 1, covers other oof images than b1")
    assert error.message.endswith("such as c.")


def test_the_same_images_in_other_folds(experiment: Makes, folds: Folds) -> None:
    assert "b2, fold 0," in refusal([experiment("b1", folds), experiment("b2", folds[::-1])]).message


def test_other_sizes(experiment: Makes, folds: Folds) -> None:
    turned = [{i: p.transpose(0, 2, 1) for i, p in fold.items()} for fold in folds]
    assert "or at other sizes: 2 differ" in refusal([experiment("b1", folds), experiment("b2", turned)]).message


def test_other_test_images(experiment: Makes, folds: Folds, test_folds: Folds) -> None:
    fewer = [test_folds[0], {"t1": test_folds[1]["t1"]}]
    error = refusal([experiment("b1", folds, test_folds), experiment("b2", folds, fewer)])
    assert error.message.startswith("b2, fold 1, covers other test images than b1")


def test_test_predictions_of_some_only(experiment: Makes, folds: Folds, test_folds: Folds) -> None:
    error = refusal([experiment("b1", folds, test_folds), experiment("b2", folds)])
    assert error.message.startswith("No test predictions from b2")


def test_a_shard_of_the_other_part(experiment: Makes, folds: Folds, test_folds: Folds) -> None:
    made = experiment("b1", folds, test_folds)
    with pytest.raises(DataError, match="holds test predictions, not oof"):
        open_experiments([BlendedExperiment("b1", made.test)])


def test_a_truncated_shard_and_a_missing_header(experiment: Makes, folds: Folds) -> None:
    made = experiment("b1", folds)
    made.oof[1].write_bytes(made.oof[1].read_bytes()[:-1])
    with pytest.raises(DataError, match=r"fold1/oof\.u8 has 35 bytes, and its header says 36"):
        open_experiments([made])
    header_of(made.oof[0]).unlink()
    with pytest.raises(DataError, match="never finished"):
        open_experiments([made])


@pytest.mark.parametrize("part", ["oof", "test"])
def test_an_altered_shard_is_found_and_mended(experiment: Makes, folds: Folds, test_folds: Folds, part: Part) -> None:
    first, second = experiment("b1", folds, test_folds), experiment("dice", folds, test_folds)
    path = (second.oof if part == "oof" else second.test)[1]
    data = bytearray(path.read_bytes())
    data[5] ^= 1
    path.write_bytes(data)
    opened = open_experiments([first, second])
    with pytest.raises(DataError, match="checksum is another") as caught:
        opened.verify(part)
    assert caught.value.hint == "`comp retry dice --folds 1 --finished-too` runs the job that writes it again."
    opened.verify("test" if part == "oof" else "oof")


def test_what_is_missing_is_named_with_the_job_that_writes_it(experiment: Makes, folds: Folds) -> None:
    first, second = experiment("b1", folds), experiment("dice", folds)
    second.oof[1].unlink()
    with pytest.raises(DataError, match=r"fold1/oof\.u8 does not exist") as caught:
        open_experiments([first, second])
    assert "comp retry dice --folds 1" in (caught.value.hint or "")


def test_archived_members_blend_like_others(experiment: Makes, folds: Folds) -> None:
    first, second = experiment("b1", folds), experiment("dice", folds)
    before = [np.array(view) for view in open_experiments([first, second]).oof_views("b")]
    for shard in open_experiments([second]).oof[0]:
        shard.archive()
    opened = open_experiments([first, second])
    opened.verify("oof")
    assert all(np.array_equal(a, b) for a, b in zip(opened.oof_views("b"), before, strict=True))


def test_classes_that_are_no_longer_the_competition_s(experiment: Makes, folds: Folds) -> None:
    made = experiment("b1", folds)
    open_experiments([replace(made, classes=CLASSES)])
    refused = refusal([replace(made, classes=("background", "glass", "paper"))])
    assert "the competition's are now background, glass, paper" in refused.message
    assert "comp run --from b1" in str(refused.hint)
