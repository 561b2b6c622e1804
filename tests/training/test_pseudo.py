"""Training on test images with pseudo-labels: which, with which labels, and never in another fold's."""

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from competition.config.experiment import with_overrides
from competition.config.settings import IGNORE_INDEX
from competition.data.images import resize_image, resize_labels
from competition.data.load import open_loader
from competition.data.manifest import Manifest
from competition.data.pseudo import PseudoLabels
from competition.data.rare_classes import find_rare_classes
from competition.data.split.folds import Split
from competition.ensemble.inputs import BlendedExperiment
from competition.ensemble.pseudo import write_pseudo_labels
from competition.errors import ConfigError, DataError, RefusedError
from competition.jobspec import JobSpec
from competition.lifecycle import JobKind
from competition.paths import Paths
from competition.predictions.probabilities import ShardWriter
from competition.predictions.shards import Shard
from competition.training.job_data import load_job_data
from competition.training.reporting import StoppedError
from competition.training.sampling import Sampling
from tests.training.conftest import SETTINGS, Listener, Specs, run
from tests.training.test_dataset import PLAIN, batches_of
from tests.training.test_recipe import assert_same_job

TESTS = ("test:g0_0", "test:g0_1")


@pytest.fixture(scope="module")
def labels(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PseudoLabels]:
    """In fold 0 both test images are discs, unsure in their upper halves; in fold 1 they are squares all over."""
    folder = tmp_path_factory.mktemp("shards")
    fingerprint = next(p.name for p in (root / "runs" / "data").iterdir() if p.is_dir())
    paths = Paths(root)
    manifest = Manifest.read(paths.manifest(fingerprint))
    split = Split.read(paths.folds(fingerprint, 1))
    disc, square = (np.zeros((3, 48, 48), np.float32) for _ in range(2))
    disc[2], square[1] = 1, 1
    disc[:, :24] = 1 / 3
    oof, test = [], []
    for fold, of_fold in enumerate((disc, square)):
        for shards, part, ids in ((oof, "oof", split.valid_ids(fold)), (test, "test", [i.id for i in manifest.test])):
            place = folder / f"{part}{fold}"
            facts = {"split_hash": split.hash, "fingerprint": fingerprint}
            with ShardWriter(place, classes=SETTINGS.classes, part=part, **facts) as shard:
                for image_id in ids:
                    shard.add(image_id, of_fold)
            shards.append(place)
    name = uuid.uuid4().hex
    members = [BlendedExperiment("a", tuple(oof), tuple(test))]
    yield write_pseudo_labels(name, paths.pseudo(name), members, manifest, source="a", threshold=0.9).labels
    shutil.rmtree(paths.pseudo(name).folder)


def with_pseudo(spec: JobSpec, labels: PseudoLabels) -> JobSpec:
    return replace(spec, config=with_overrides(spec.config, [f"data.pseudo={labels.pinned}"]))


def test_the_test_images_are_trained_on_with_the_folds_own_labels(spec_of: Specs, labels: PseudoLabels) -> None:
    spec = with_pseudo(spec_of(), labels)
    data, other = (load_job_data(replace(spec, fold=fold), Listener().reporter) for fold in (0, 1))
    plain = load_job_data(spec_of(), Listener().reporter)
    assert data.train == [*plain.train, *TESTS]
    loader = open_loader(spec.settings, spec.root)
    for item in plain.test:
        image, mask = data.cache.pair(f"test:{item.id}")
        assert np.array_equal(image, resize_image(loader.image(item), (32, 32)))
        assert (mask[:16] == IGNORE_INDEX).all()
        assert (mask[16:] == 2).all()
        assert (other.cache.pair(f"test:{item.id}")[1] == 1).all()
    labelled = plain.train_items[0]
    image, mask = data.cache.pair(labelled.id)
    assert np.array_equal(image, resize_image(loader.image(labelled), (32, 32)))
    assert np.array_equal(mask, resize_labels(loader.labels(labelled), (32, 32)))


def test_validation_images_stay_what_they_were(spec_of: Specs, labels: PseudoLabels) -> None:
    for kind in JobKind:
        data = load_job_data(with_pseudo(spec_of(kind=kind), labels), Listener().reporter)
        assert not [item.id for item in data.valid if item.id.startswith("test:")]
        assert {item.id for item in data.valid} <= set(
            Split.read(spec_of().paths.folds(spec_of().fingerprint, 1)).valid_ids(0)
        )


def test_a_fold_reads_no_other_folds_labels(spec_of: Specs, labels: PseudoLabels) -> None:
    spec = with_pseudo(spec_of("data.size=64x64"), labels)
    hidden = labels.paths.folder / "hidden"
    labels.paths.labels(1).rename(hidden)
    try:
        assert load_job_data(spec, Listener().reporter).train[-2:] == list(TESTS)
        with pytest.raises(DataError, match=r"g0_\d\.png cannot be read"):
            load_job_data(replace(spec, fold=1), Listener().reporter)
    finally:
        hidden.rename(labels.paths.labels(1))


def test_batches_hold_them_like_any_other_image(spec_of: Specs, labels: PseudoLabels) -> None:
    spec = with_pseudo(spec_of(*PLAIN), labels)
    cache = load_job_data(spec, Listener().reporter).cache
    seen = []
    for batch in batches_of(spec, workers=2):
        for place, image_id in enumerate(batch.plan.ids):
            seen.append(image_id)
            image, mask = cache.pair(image_id)
            assert torch.equal(batch.images[place], torch.from_numpy(image.copy()))
            assert torch.equal(batch.masks[place], torch.from_numpy(mask.copy()))
    assert [seen.count(image_id) for image_id in TESTS] == [2, 2]  # once in each of two epochs


def test_weights_balance_and_rarity_count_their_pixels(spec_of: Specs, labels: PseudoLabels) -> None:
    spec = with_pseudo(spec_of("loss.class_weights=inverse", "sampling.order=balanced"), labels)
    data, plain = (load_job_data(s, Listener().reporter) for s in (spec, spec_of("loss.class_weights=inverse")))
    pixels = np.sum([*(item.pixels for item in plain.train_items), (0, 0, 2 * 24 * 48)], axis=0)
    assert data.class_weights == pytest.approx(pixels.sum() / (3 * pixels))
    assert data.class_weights != plain.class_weights
    sampling = Sampling.of(spec.config.sampling, data.train_items, (32, 32), same_epochs=False)
    assert {len(data.train) - 2, len(data.train) - 1} <= set(sampling.holders[2].tolist())
    assert set(TESTS) <= set(find_rare_classes(data.train_items, SETTINGS.classes, ["disc"]).images)


def test_a_job_learns_from_them_and_resumes_to_the_same_bytes(
    spec_of: Specs, labels: PseudoLabels, whole: JobSpec
) -> None:
    one, other = (with_pseudo(spec_of(), labels) for _ in range(2))
    done = run(one)
    assert done.facts["pseudo_images"] == 2
    assert Shard.open(one.job_paths.oof).ids == Shard.open(whole.job_paths.oof).ids
    assert one.job_paths.oof.read_bytes() != whole.job_paths.oof.read_bytes()
    with pytest.raises(StoppedError):
        run(other, stop_at=("train", 2))
    run(other)
    assert_same_job(one, other)


def test_labels_that_have_changed_are_another_condition(spec_of: Specs, labels: PseudoLabels) -> None:
    spec = with_pseudo(spec_of(), labels)
    stale = with_overrides(spec.config, [f"data.pseudo={labels.name}@{'0' * 12}"])
    assert stale.sha256 != spec.config.sha256 != spec_of().config.sha256
    with pytest.raises(ConfigError, match=f"{labels.name}@0+ was asked for, but now they are {labels.pinned}"):
        load_job_data(replace(spec, config=stale), Listener().reporter)


def test_labels_of_another_split_are_refused(spec_of: Specs, labels: PseudoLabels) -> None:
    facts = labels.paths.facts
    content = facts.read_text()
    facts.write_text(content.replace(labels.facts.split_hash, "0" * 64))
    try:
        unpinned = with_overrides(spec_of().config, [f"data.pseudo={labels.name}"])
        with pytest.raises(RefusedError, match="another split"):
            load_job_data(replace(spec_of(), config=unpinned), Listener().reporter)
    finally:
        facts.write_text(content)
