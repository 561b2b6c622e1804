from typing import Any

import albumentations
import numpy as np
import pytest
import torch

from competition.config.augmentation import PRESETS, AugmentConfig, Engine
from competition.errors import CompError, ConfigError
from competition.training.augmenting import checks
from competition.training.augmenting.augmenter import Augmenter
from competition.training.augmenting.checks import check_randomness

SIZE = (32, 32)


class Selfish(albumentations.ImageOnlyTransform):
    """Draws from a generator that nobody seeds."""

    def __init__(self) -> None:
        super().__init__(p=1.0)
        self.own = np.random.default_rng(0)

    def apply(self, img: Any, **_: Any) -> Any:
        return np.full_like(img, self.own.integers(256))


@pytest.mark.parametrize("engine", Engine)
@pytest.mark.parametrize("name", PRESETS)
def test_presets_pass(name: str, engine: Engine) -> None:
    config = AugmentConfig(engine=engine, pipeline=name)
    before = torch.get_rng_state()
    check_randomness(config, Augmenter(config), SIZE)
    assert torch.equal(torch.get_rng_state(), before)  # or an engine would change the first weights too


def test_a_transform_with_numbers_of_its_own_is_found() -> None:
    config = AugmentConfig()
    augment = Augmenter(config)
    assert augment._pipeline is not None
    augment._pipeline.transforms.append(Selfish())
    with pytest.raises(ConfigError, match="the same seed gave two different images"):
        check_randomness(config, augment, SIZE)


@pytest.mark.parametrize("engine", Engine)
def test_seeding_that_does_not_arrive_is_found(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if each process and each epoch started from the same state."""

    class Stuck(Augmenter):
        def __call__(self, image: Any, mask: Any, *, seed: int) -> Any:
            return super().__call__(image, mask, seed=7)

    monkeypatch.setattr(checks, "Augmenter", Stuck)
    config = AugmentConfig(engine=engine)
    with pytest.raises(CompError, match="would augment alike"):
        check_randomness(config, Augmenter(config), SIZE)
