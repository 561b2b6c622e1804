"""Averages of the weights over many steps, which are evaluated in place of the last step's weights."""

from typing import Any, cast

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from competition.config.experiment import Average, TrainConfig
from competition.errors import ConfigError
from competition.training.network.model import Segmenter

_Tensors = tuple[Tensor, ...] | list[Tensor]


class Averaging:
    """Averages the weights of a segmenter, as `train.average` says.

    `ema` is an exponential moving average over steps, whose decay grows with the number n of steps: (1 + n) / (10 + n)
    until it is `average_decay` (TensorFlow's rule). `swa` is the plain mean over the ends of epochs, from the share
    `swa_start` of the run on (Izmailov et al., UAI 2018).

    Args:
        epochs: of the whole job.
    """

    def __init__(self, segmenter: Segmenter, config: TrainConfig, *, epochs: int) -> None:
        self._config = config
        self._first_epoch = min(int(config.swa_start * epochs), epochs - 1)
        self._decay = 0.0
        self._model: AveragedModel | None = None
        if config.average is Average.NONE:
            return
        try:
            self._model = AveragedModel(segmenter, multi_avg_fn=self._move if config.average is Average.EMA else None)
        except (
            RuntimeError
        ) as error:  # torch copies only leaf tensors, which the weights of the old weight_norm are not
            raise ConfigError(
                f"train.average={config.average}: {type(segmenter.network).__name__} cannot be copied: {error}.",
                hint="Set train.average=none, or use torch.nn.utils.parametrizations.weight_norm in the network.",
            ) from error

    @property
    def averaged(self) -> Segmenter | None:
        """The averaged segmenter; None before the first update."""
        if self._model is None or not self._model.n_averaged:
            return None
        return cast(Segmenter, self._model.module)

    def after_step(self, segmenter: Segmenter, step: int) -> None:
        """Add the weights after a step, counted from 0 over all epochs."""
        if self._model is not None and self._config.average is Average.EMA:
            # a fixed decay of 0.999 would keep the random first weights through all of a short run
            self._decay = min(self._config.average_decay, (1 + step) / (10 + step))
            self._model.update_parameters(segmenter)

    def after_epoch(self, segmenter: Segmenter, epoch: int) -> None:
        """Add the weights after an epoch, counted from 0."""
        if self._model is not None and self._config.average is Average.SWA and epoch >= self._first_epoch:
            self._model.update_parameters(segmenter)

    def state(self) -> dict[str, Any]:
        """Everything that a resume needs."""
        return self._model.state_dict() if self._model is not None else {}

    def restore(self, state: dict[str, Any]) -> None:
        """Return to the point at which `state` was taken."""
        if self._model is not None:
            self._model.load_state_dict(state)

    def _move(self, averages: _Tensors, weights: _Tensors, _updates: Tensor | int) -> None:
        torch._foreach_lerp_(list(averages), list(weights), 1 - self._decay)
