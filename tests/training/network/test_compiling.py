import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from competition.config.experiment import Config, with_overrides
from competition.errors import ConfigError
from tests.training.test_learner import batch, learner_of, weights

FALLS_BACK = """
from tests.training.test_learner import batch, learner_of
learner = learner_of("train.compile=true")
print(learner.is_compiled, learner.step(batch()).item() == learner_of().step(batch()).item())
"""


@pytest.mark.slow
def test_without_a_compiler_the_steps_run_as_they_are(tmp_path: Path) -> None:
    """In a process of its own: torch looks for the compiler once, and keeps what it compiled."""
    environment = {**os.environ, "CXX": "/nowhere/c++", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}
    program = [sys.executable, "-c", FALLS_BACK]
    root = Path(__file__).parents[3]
    done = subprocess.run(program, capture_output=True, text=True, env=environment, cwd=root, check=True)
    message, outcome = done.stdout.splitlines()
    assert message.startswith("train.compile: nothing can compile for cpu here, so the steps run as they are (")
    assert "/nowhere/c++" in message
    assert outcome == "False True"


def test_it_is_a_condition_that_is_off_by_default() -> None:
    assert with_overrides(Config(), ["train.compile=false"]).sha256 == Config().sha256
    assert with_overrides(Config(), ["train.compile=true"]).sha256 != Config().sha256


@torch.library.custom_op("comp_tests::twice", mutates_args=())  # without what the compiler would have to know of it
def twice(x: Tensor) -> Tensor:
    return 2 * x


class Opaque(nn.Module):
    """A network with an operation that only runs; PyTorch cannot compile it."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Conv2d(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.last(twice(x))
        return logits


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="there is no C++ compiler")
def test_a_network_that_cannot_be_compiled_is_the_users_to_change() -> None:
    learner_of(network=Opaque()).step(batch())
    learner = learner_of("train.compile=true", network=Opaque())
    assert learner.is_compiled
    with pytest.raises(ConfigError, match="cannot compile this network") as raised:
        learner.step(batch())
    assert "train.compile=false" in str(raised.value.hint)


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="there is no C++ compiler")
def test_compiled_steps_learn_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    torch._dynamo.reset()
    plain, fast = learner_of("train.average=ema"), learner_of("train.average=ema", "train.compile=true")
    assert fast.is_compiled
    for step in range(2):
        assert fast.step(batch(step=step)).item() == pytest.approx(plain.step(batch(step=step)).item(), rel=1e-5)
    torch.testing.assert_close(weights(fast), weights(plain), rtol=1e-4, atol=1e-6)
    assert fast.state()["network"].keys() == plain.state()["network"].keys()
    assert isinstance(fast.evaluated.network, nn.Sequential)
