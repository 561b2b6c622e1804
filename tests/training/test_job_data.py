import numpy as np
import pytest

from competition.data.manifest import Manifest
from competition.data.split.folds import Split
from competition.jobspec import JobSpec
from competition.lifecycle import JobKind
from competition.training.job_data import load_job_data
from tests.training.conftest import Listener, Specs


def weights_of(spec: JobSpec) -> tuple[float, ...] | None:
    return load_job_data(spec, Listener().reporter).class_weights


def test_class_weights_come_from_the_pixels_of_the_training_part(spec_of: Specs) -> None:
    spec = spec_of("loss.class_weights=inverse")
    manifest = Manifest.read(spec.paths.manifest(spec.fingerprint))
    train = Split.read(spec.paths.folds(spec.fingerprint, 1)).train_ids(0)
    pixels = np.array([manifest.item(i).pixels for i in train]).sum(axis=0)
    assert weights_of(spec) == pytest.approx(pixels.sum() / (3 * pixels))


def test_class_weights_may_be_given_or_left_out(spec_of: Specs) -> None:
    assert weights_of(spec_of()) is None
    assert weights_of(spec_of("loss.class_weights=[1, 2, 3]")) == (1.0, 2.0, 3.0)


def test_a_debug_job_has_the_weights_of_the_whole_part(spec_of: Specs) -> None:
    setting = "loss.class_weights=median"
    assert weights_of(spec_of(setting, kind=JobKind.DEBUG)) == weights_of(spec_of(setting))
