import csv
import json
import uuid
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from competition.config import owncode, weightfile
from competition.config.settings import Metric
from competition.data.load import open_loader
from competition.data.manifest import Manifest
from competition.errors import ConfigError, DataError, RefusedError
from competition.files import sha256_of
from competition.jobspec import JobSpec, Succeeded
from competition.lifecycle import JobKind
from competition.predictions.shards import Shard
from competition.scoring import confusion, metrics
from competition.training import batchnorm, checkpoint, recipe
from competition.training.dataset import Batch
from competition.training.failures import GateError, NotFiniteError
from competition.training.learner import Learner
from competition.training.reporting import StoppedError
from tests.training.conftest import SETTINGS, Listener, Specs, run
from tests.training.test_dataset import MUCH

ARTIFACTS = {
    "model.safetensors",
    "history.csv",
    "confusion.npz",
    "oof.u8",
    "oof.u8.json",
    "test.u8",
    "test.u8.json",
}
"""What a finished fold job leaves."""


def manifest_of(spec: JobSpec) -> Manifest:
    return Manifest.read(spec.paths.manifest(spec.fingerprint))


def weights_of(spec: JobSpec) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = load_file(spec.job_paths.model)
    return weights


def assert_same_job(one: JobSpec, other: JobSpec) -> None:
    """Both left the same weights, bit for bit, and the same predictions."""
    first, second = weights_of(one), weights_of(other)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert one.job_paths.oof.read_bytes() == other.job_paths.oof.read_bytes()
    assert one.job_paths.test.read_bytes() == other.job_paths.test.read_bytes()


def test_a_fold_job_leaves_its_files_and_their_hashes(finished: tuple[JobSpec, Succeeded]) -> None:
    spec, done = finished
    folder = spec.job_paths.folder
    assert {p.name for p in folder.iterdir()} == {*ARTIFACTS, "record.json", "result.json"}
    assert done.artifacts == {name: sha256_of(folder / name) for name in ARTIFACTS}
    assert json.loads(spec.job_paths.result.read_text()) == done.to_json()
    assert done.token == "token"
    assert done.facts["epochs"] == done.facts["epoch"] == done.facts["stopped_after"] == 2
    assert (done.facts["checkpoint"], done.facts["batch_norm"], done.facts["micro_batch"]) == ("last", "measured", 4)
    assert done.facts["precision"] in ("fp32", "bf16")
    assert done.facts["parameters"] == sum(p.numel() for p in _trainable(spec))
    assert 0 <= done.facts["uncertain_share"] <= 1
    assert 0 < done.facts["inference_ms"] < 10_000


def _trainable(spec: JobSpec) -> list[torch.Tensor]:
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    return [tensor for name, tensor in weights_of(spec).items() if not name.endswith(buffers)]


def test_the_score_is_that_of_the_out_of_fold_predictions(whole: JobSpec) -> None:
    manifest, shard = manifest_of(whole), Shard.open(whole.job_paths.oof)
    ids, matrices = confusion.load(whole.job_paths.confusion)
    expected = [
        confusion.count(
            shard[i].argmax(0).astype(np.uint8),
            open_loader(whole.settings, whole.root).labels(manifest.item(i)),
            classes=3,
        )
        for i in ids
    ]
    done = json.loads(whole.job_paths.result.read_text())
    assert tuple(ids) == shard.ids
    assert done["score"] == metrics.score(Metric.MIOU, matrices)
    # Bytes tie where floats do not, so that single pixels may differ.
    assert np.abs(np.stack(expected) - matrices).sum() <= 2 * done["facts"]["uncertain_share"] * matrices.sum() + 2


def test_predictions_have_the_size_of_the_images(whole: JobSpec) -> None:
    oof, test = Shard.open(whole.job_paths.oof), Shard.open(whole.job_paths.test)
    assert oof.classes == test.classes == SETTINGS.classes
    assert (oof.part, test.part) == ("oof", "test")
    assert oof.split_hash == whole.split_hash
    assert {oof[i].shape for i in oof.ids} == {(3, 48, 48)}
    assert {test[i].shape for i in test.ids} == {(3, 48, 48)}
    assert set(test.ids) == {item.id for item in manifest_of(whole).test}


def test_history_has_a_row_for_each_epoch(whole: JobSpec) -> None:
    rows = list(csv.DictReader(whole.job_paths.history.read_text().splitlines()))
    done = json.loads(whole.job_paths.result.read_text())
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[0]["train_loss"]) == pytest.approx(done["first_loss"], rel=1e-5)
    assert float(rows[-1]["score"]) == pytest.approx(done["score"], rel=1e-5)


def test_the_model_learns(spec_of: Specs) -> None:
    """For so long that the seeds and precisions tried come to 0.92: after 12 epochs they lie between 0.51 and 0.72."""
    done = run(spec_of("train.epochs=30", "optimizer.lr=1e-2"))
    assert done.last_loss < done.first_loss / 4
    assert done.score is not None
    assert done.score > 0.8


def test_running_it_again_gives_the_same_bytes(spec_of: Specs, whole: JobSpec) -> None:
    again = spec_of()
    run(again)
    assert_same_job(whole, again)


def test_another_seed_gives_other_weights(spec_of: Specs, whole: JobSpec) -> None:
    other = spec_of("seed=43")
    run(other)
    first, second = weights_of(whole), weights_of(other)
    assert any(not torch.equal(first[name], second[name]) for name in first)


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # more workers than cores
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_loader_workers_change_nothing(workers: int, spec_of: Specs, whole: JobSpec) -> None:
    apart = spec_of(f"train.workers={workers}")
    run(apart)
    assert_same_job(whole, apart)


@pytest.mark.parametrize(
    ("phase", "number"),
    [("train", 1), ("train", 2), ("train", 3), ("validate", 2), ("validate", 5), ("measure", 1), ("predict", 1)],
)
def test_a_job_stopped_anywhere_goes_on_to_the_same_bytes(
    phase: str, number: int, spec_of: Specs, whole: JobSpec, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = spec_of()
    with pytest.raises(StoppedError):
        run(spec, stop_at=(phase, number))
    assert spec.job_paths.checkpoint.is_file()
    assert not spec.job_paths.result.exists()
    capsys.readouterr()
    done = run(spec)
    assert "Resuming at epoch" in capsys.readouterr().out
    assert_same_job(whole, spec)
    assert not spec.job_paths.checkpoint.exists()
    assert done.first_loss == json.loads(whole.job_paths.result.read_text())["first_loss"]


def assert_resume_changes_nothing(one: JobSpec, other: JobSpec, *, stop_at: tuple[str, int]) -> None:
    """Run the first from start to end, and stop and resume the second: both leave the same bytes."""
    run(one)
    with pytest.raises(StoppedError):
        run(other, stop_at=stop_at)
    run(other)
    assert_same_job(one, other)


def test_dropout_is_the_same_after_a_resume(spec_of: Specs) -> None:
    settings = ("model.encoder=efficientnet-b0", "train.epochs=1", "train.batch_size=3")
    assert_resume_changes_nothing(spec_of(*settings), spec_of(*settings), stop_at=("train", 1))


def test_mixing_and_sampling_are_the_same_after_a_resume(spec_of: Specs) -> None:
    assert_resume_changes_nothing(spec_of(*MUCH), spec_of(*MUCH), stop_at=("train", 3))


def test_a_resume_goes_on_instead_of_starting_anew(spec_of: Specs) -> None:
    spec = spec_of("train.epochs=3")
    with pytest.raises(StoppedError):
        run(spec, stop_at=("train", 3))
    listener = Listener()
    recipe.train(spec, listener.reporter)
    trained = [(p.epoch, p.batch) for p in listener.messages if p.phase == "train"]
    assert trained == [(2, 2), (3, 1), (3, 2)]


def test_a_checkpoint_of_another_config_is_left_out(spec_of: Specs, capsys: pytest.CaptureFixture[str]) -> None:
    spec = spec_of(name="changed")
    with pytest.raises(StoppedError):
        run(spec, stop_at=("train", 3))
    changed = spec_of("optimizer.lr=5e-4", name="changed")
    listener = Listener()
    recipe.train(changed, listener.reporter)
    assert [p.epoch for p in listener.messages if p.phase == "train"] == [1, 1, 2, 2]
    assert "made with another config" in capsys.readouterr().out


def test_a_debug_job_is_small_and_leaves_its_history_alone(spec_of: Specs) -> None:
    spec = spec_of("train.epochs=9", kind=JobKind.DEBUG)
    listener = Listener()
    done = recipe.train(spec, listener.reporter)
    assert {p.name for p in spec.job_paths.folder.iterdir()} == {"history.csv", "record.json", "result.json"}
    assert done.score is None
    assert done.last_loss < done.first_loss
    assert done.artifacts.keys() == {"history.csv"}
    assert done.facts["epochs"] == 2
    assert {p.phase for p in listener.messages} <= {"cache", "train", "measure", "validate"}


def test_a_debug_job_remembers_what_the_untrained_model_lost(spec_of: Specs) -> None:
    settings = ("data.size=64x64", "optimizer.lr=3e-3")
    whole, stopped = (spec_of(*settings, kind=JobKind.DEBUG) for _ in range(2))
    done = run(whole)
    with pytest.raises(StoppedError):
        run(stopped, stop_at=("train", 3))
    assert run(stopped).last_loss == done.last_loss


def test_a_debug_job_whose_loss_does_not_fall_fails(spec_of: Specs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Learner, "learning_rate", lambda _self, _epoch, _step: -0.003)  # uphill
    spec = spec_of("optimizer.name=sgd", kind=JobKind.DEBUG)
    with pytest.raises(GateError, match=r"debug sample: \d+\.\d{4} in epoch 1, \d+\.\d{4} in the last"):
        run(spec)
    assert not spec.job_paths.result.exists()


def test_a_loss_that_is_no_number_names_the_images(spec_of: Specs) -> None:
    spec = spec_of("optimizer.name=sgd", "optimizer.lr=1e30", "schedule.warmup_epochs=0")
    with pytest.raises(NotFiniteError, match=r"in epoch 1, batch 2, on the images g\d_\d+, g\d_\d+"):
        run(spec)
    assert not spec.job_paths.checkpoint.exists()


def test_a_job_for_another_split_is_refused(spec_of: Specs) -> None:
    with pytest.raises(RefusedError, match="the job is for 0000"):
        run(replace(spec_of(), split_hash="0000"))


def test_a_batch_larger_than_the_training_part(spec_of: Specs) -> None:
    done = run(spec_of("train.batch_size=64", "train.epochs=1"))
    assert done.score is not None


def test_what_predicts_differently_uses_the_trained_weights(spec_of: Specs, whole: JobSpec) -> None:
    again = replace(spec_of("predict.tta=d4"), trained=whole.job_paths.model)
    listener = Listener()
    done = recipe.train(again, listener.reporter)
    assert {p.phase for p in listener.messages} == {"validate", "predict"}
    assert done.train_s == 0
    assert done.first_loss is done.last_loss is None
    assert done.artifacts.keys() == ARTIFACTS - {"history.csv"}
    before, after = weights_of(whole), weights_of(again)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert again.job_paths.oof.read_bytes() != whole.job_paths.oof.read_bytes()


def test_it_predicts_as_if_it_had_trained(spec_of: Specs, whole: JobSpec) -> None:
    trained, again = spec_of("predict.tta=hflip"), replace(spec_of("predict.tta=hflip"), trained=whole.job_paths.model)
    run(trained)
    run(again)
    assert_same_job(trained, again)
    assert json.loads(trained.job_paths.result.read_text())["score"] == run(again).score


def test_to_predict_again_needs_no_first_weights(spec_of: Specs, whole: JobSpec, root: Path) -> None:
    """Those may be gone by now, or say another normalisation than the one that the model was trained with."""
    first = root / "first.safetensors"
    halves = {"normalisation": json.dumps(((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)))}
    save_file(weights_of(whole), first, metadata=halves)
    trained = spec_of("model.weights=first.safetensors", "train.epochs=1")
    run(trained)
    first.unlink()
    again = replace(spec_of("model.weights=first.safetensors"), trained=trained.job_paths.model)
    run(again)
    assert trained.job_paths.oof.read_bytes() == again.job_paths.oof.read_bytes()
    assert trained.job_paths.model.read_bytes() == again.job_paths.model.read_bytes()


def test_weights_that_have_changed_since_are_refused(spec_of: Specs, whole: JobSpec, root: Path) -> None:
    file = root / "enc.safetensors"
    save_file(weights_of(whole), file)
    pinned = weightfile.pinned("enc.safetensors", root)
    assert run(spec_of(f"model.weights={pinned}", "train.epochs=1")).score is not None
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(ConfigError, match=r"enc\.safetensors has changed"):
        run(spec_of(f"model.weights={pinned}", "train.epochs=1"))


def test_windows_as_large_as_the_image_change_nothing(spec_of: Specs, whole: JobSpec) -> None:
    again = replace(spec_of("predict.window=32x32"), trained=whole.job_paths.model)
    run(again)
    one, other = Shard.open(whole.job_paths.oof), Shard.open(again.job_paths.oof)
    assert all(np.abs(one[i].astype(int) - other[i].astype(int)).max() <= 1 for i in one.ids)


def test_relative_weights_start_at_the_competition(spec_of: Specs, whole: JobSpec, root: Path) -> None:
    path = whole.job_paths.model.relative_to(root)
    done = run(spec_of(f"model.weights={path}", "train.epochs=1"))
    fresh = json.loads(whole.job_paths.result.read_text())
    assert done.first_loss < fresh["first_loss"]


TOOLBOX = {
    "averaged over steps": (
        "train.average=ema",
        "train.accumulate=2",
        "train.batch_size=2",
        "optimizer.name=nadamw",
        "optimizer.clip_norm=1",
        "optimizer.encoder_lr=1e-4",
        "schedule.name=plateau",
        "schedule.plateau_patience=1",
    ),
    "averaged over epochs": (
        "train.epochs=3",
        "train.average=swa",
        "train.swa_start=0.4",
        "train.checkpoint=best",
        "train.patience=3",
        "model.freeze_epochs=1",
        "optimizer.name=sgd",
        "schedule.name=one-cycle",
        "loss.lovasz=1",
        "loss.class_weights=median",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("settings", TOOLBOX.values(), ids=TOOLBOX)
def test_the_whole_toolbox_resumes_to_the_same_bytes(settings: tuple[str, ...], spec_of: Specs) -> None:
    undisturbed = spec_of(*settings)
    done = run(undisturbed)
    for stop_at in (("train", 3), ("measure", 3), ("predict", 1)):
        spec = spec_of(*settings)
        with pytest.raises(StoppedError):
            run(spec, stop_at=stop_at)
        assert run(spec).score == done.score
        assert_same_job(undisturbed, spec)


def scores_of(spec: JobSpec) -> list[float]:
    return [float(row["score"]) for row in csv.DictReader(spec.job_paths.history.read_text().splitlines())]


def test_the_facts_are_about_the_epoch_that_was_kept(spec_of: Specs, monkeypatch: pytest.MonkeyPatch) -> None:
    """As below, the best epoch is not the last, the only one here whose statistics are not measured."""
    monkeypatch.setattr(batchnorm, "needs_measuring", lambda *_, steps, **__: steps < 12)
    spec = spec_of("train.checkpoint=best", "train.epochs=4", "schedule.warmup_epochs=9", "optimizer.lr=0.5")
    done = run(spec)
    assert done.facts["epoch"] < 4
    assert done.facts["batch_norm"] == "measured"


def test_the_best_epoch_is_kept_where_it_is_asked_for(spec_of: Specs) -> None:
    """The rate grows until the model breaks, so that the best epoch is not the last."""
    spec = spec_of("train.checkpoint=best", "train.epochs=4", "schedule.warmup_epochs=9", "optimizer.lr=0.5")
    done = run(spec)
    scores = scores_of(spec)
    assert done.score == pytest.approx(max(scores), rel=1e-5)
    assert (done.facts["checkpoint"], done.facts["epoch"]) == ("best", scores.index(max(scores)) + 1)
    assert done.facts["epoch"] < 4
    _, matrices = confusion.load(spec.job_paths.confusion)
    assert metrics.score(Metric.MIOU, matrices) == done.score
    manifest, shard = manifest_of(spec), Shard.open(spec.job_paths.oof)
    loader = open_loader(spec.settings, spec.root)
    wrong = sum(int((shard[i].argmax(0) != loader.labels(manifest.item(i))).sum()) for i in shard.ids)
    assert wrong == pytest.approx(matrices.sum() - np.einsum("nii->", matrices), rel=0.02)


def test_a_job_stops_when_it_gets_no_better(spec_of: Specs) -> None:
    spec = spec_of("train.patience=1", "train.epochs=9", "optimizer.lr=1e-12", "optimizer.weight_decay=0")
    done = run(spec)
    assert scores_of(spec) == [scores_of(spec)[0]] * 2
    assert (done.facts["stopped_after"], done.facts["epoch"], done.facts["checkpoint"]) == (2, 2, "last")
    assert Shard.open(spec.job_paths.oof).ids
    assert Shard.open(spec.job_paths.test).ids


def test_weights_of_another_experiment_are_those_of_the_same_fold(spec_of: Specs, whole: JobSpec) -> None:
    setting = f"model.weights=experiment:{whole.experiment}"
    done = run(spec_of(setting, "train.epochs=1"))
    assert done.first_loss < json.loads(whole.job_paths.result.read_text())["first_loss"]
    with pytest.raises(ConfigError, match=rf"{whole.experiment}/fold1/model\.safetensors"):
        run(replace(spec_of(setting), fold=1))


def test_a_model_of_the_teams_own_is_trained_and_its_code_pinned(spec_of: Specs, root: Path) -> None:
    code = root / f"net_{uuid.uuid4().hex}.py"
    code.write_text("from torch import nn\ndef build(classes):\n    return nn.Conv2d(3, classes, 3, padding=1)\n")
    target = owncode.pinned(f"{code.stem}:build", root, what="model.target")
    spec = spec_of(f"model.target={target}")
    assert run(spec).facts["parameters"] == 3 * 3 * 3 * 3 + 3
    code.write_text(code.read_text() + "# changed\n")
    with pytest.raises(ConfigError, match="has changed"):
        run(replace(spec, experiment="again"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("def build(classes):\n    return 1\n", "returned a int, which is no torch.nn.Module"),
        ("def build(classes):\n    return 1 / 0\n", "failed: ZeroDivisionError"),
        ("def build():\n    return 1\n", "failed: TypeError"),
    ],
)
def test_what_is_wrong_with_the_teams_own_model(text: str, complaint: str, spec_of: Specs, root: Path) -> None:
    code = root / f"net_{uuid.uuid4().hex}.py"
    code.write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        run(spec_of(f"model.target={code.stem}:build"))


def test_a_step_that_ruins_the_weights_leaves_the_checkpoint_before_it(
    spec_of: Specs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its loss was finite; the checkpoint after it would fail for ever."""
    step = Learner.step

    def ruin(self: Learner, batch: Batch) -> torch.Tensor:
        loss = step(self, batch)
        if (batch.plan.epoch, batch.plan.step) == (1, 2):
            with torch.no_grad():
                next(self.segmenter.network.parameters()).mul_(float("nan"))
        return loss

    spec = spec_of("train.epochs=2", "train.batch_size=3")
    with monkeypatch.context() as patch:
        patch.setattr(Learner, "step", ruin)
        with pytest.raises(NotFiniteError, match=r"no longer finite after epoch 2, batch 3, on the images g\d_\d+,"):
            run(spec)
    undisturbed = spec_of("train.epochs=2", "train.batch_size=3")
    run(spec)
    run(undisturbed)
    assert_same_job(spec, undisturbed)


def test_a_loss_that_is_no_number_leaves_the_checkpoint_before_it(spec_of: Specs) -> None:
    spec = spec_of("optimizer.name=sgd", "optimizer.lr=1e30", "schedule.warmup_epochs=0")
    with pytest.raises(StoppedError):
        run(spec, stop_at=("train", 1))
    before = spec.job_paths.checkpoint.read_bytes()
    with pytest.raises(NotFiniteError, match=r"in epoch 1, batch 2, on the images g\d_\d+, g\d_\d+"):
        run(spec)
    assert spec.job_paths.checkpoint.read_bytes() == before


def test_a_damaged_checkpoint_gives_way_to_the_one_before(spec_of: Specs, whole: JobSpec) -> None:
    spec = spec_of()
    with pytest.raises(StoppedError):
        run(spec, stop_at=("train", 3))
    spec.job_paths.checkpoint.write_bytes(spec.job_paths.checkpoint.read_bytes()[:-1])
    listener = Listener()
    recipe.train(spec, listener.reporter)
    assert next((p.epoch, p.phase) for p in listener.messages) == (1, "measure")  # the first epoch is trained already
    assert_same_job(whole, spec)


def test_a_mask_that_changes_under_a_running_job_is_named(spec_of: Specs, root: Path) -> None:
    mask = sorted((root / "masks").iterdir())[0]  # of the first image, which fold 0 validates on
    content = mask.read_bytes()
    spec = spec_of()
    with pytest.raises(StoppedError):
        run(spec, stop_at=("train", 1))
    mask.write_bytes(content[:60])
    try:
        with pytest.raises(DataError, match=mask.stem):
            run(spec)
    finally:
        mask.write_bytes(content)
    assert spec.job_paths.checkpoint.is_file()


def test_a_job_asked_to_stop_does_not_finish_a_large_image_first(spec_of: Specs, whole: JobSpec) -> None:
    """Each of its windows, in each of its views, is a chance to stop."""
    settings = ("predict.window=32x32", "predict.overlap=0", "predict.tta=d4", "data.size=64x64", "train.batch_size=2")
    spec = replace(spec_of(*settings), trained=whole.job_paths.model)
    listener = Listener(stop_at=("validate", 4))
    with pytest.raises(StoppedError):
        recipe.train(spec, listener.reporter)
    assert [(p.phase, p.batch) for p in listener.messages if p.phase != "cache"] == [("validate", 0)] * 4


def test_parts_train_and_windows_predict(spec_of: Specs) -> None:
    settings = ("data.size=64x64", "sampling.crop=32x32", "sampling.rare_crop=0.5", "predict.window=32x32")
    assert_resume_changes_nothing(spec_of(*settings), spec_of(*settings), stop_at=("measure", 2))


def test_float16_scales_its_loss_and_resumes_to_the_same_bytes(spec_of: Specs) -> None:
    one, other = spec_of("train.precision=fp16"), spec_of("train.precision=fp16")
    assert run(one).facts["precision"] == "fp16"
    with pytest.raises(StoppedError):
        run(other, stop_at=("train", 2))
    saved = checkpoint.load(other.job_paths, identity=checkpoint.identity_of(other))
    assert saved is not None
    assert saved.learner["scaler"]["scale"] > 1
    run(other)
    assert_same_job(one, other)


def test_an_image_that_cannot_be_read_is_named(spec_of: Specs, root: Path) -> None:
    image = next((root / "images").iterdir())
    content = image.read_bytes()
    image.write_bytes(content[:100])
    try:
        with pytest.raises(DataError, match=image.stem):
            run(spec_of("data.size=96x96"))  # a size that nobody has cached
    finally:
        image.write_bytes(content)
