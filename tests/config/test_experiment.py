from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from competition.config import yamlfile
from competition.config.conditions import conditions_between
from competition.config.experiment import Config, Precision, config_from, read_config, with_overrides
from competition.config.optimisation import LOSS_TERMS, ClassWeights
from competition.errors import ConfigError


def test_the_baseline_is_unet_with_efficientnet_b0_and_seed_42() -> None:
    leaves = Config().leaves()
    assert leaves["seed"] == 42
    assert (leaves["model.architecture"], leaves["model.encoder"], leaves["model.weights"]) == (
        "Unet",
        "efficientnet-b0",
        "imagenet",
    )
    assert (leaves["optimizer.name"], leaves["schedule.name"]) == ("adamw", "cosine")


def test_overrides_read_values_as_yaml_with_scientific_numbers() -> None:
    config = with_overrides(Config(), ["optimizer.lr=3e-4", "train.precision=bf16", "data.size=192x256"])
    assert config.optimizer.lr == 0.0003
    assert config.train.precision is Precision.BF16
    assert config.data.size == (192, 256)


def test_overrides_name_every_problem_at_once_with_the_nearest_key() -> None:
    with pytest.raises(ConfigError) as caught:
        with_overrides(Config(), ["lr=1", "trian.epochs=3", "oops", "seed=1", "seed=2"])
    message = str(caught.value)
    assert "Did you mean 'optimizer.lr'?" in message
    assert "Did you mean 'train.epochs'?" in message
    assert "oops: write KEY=VALUE" in message
    assert "seed: is set twice" in message
    assert "4 problems" in message


@pytest.mark.parametrize(
    ("assignment", "complaint"),
    [
        ("train.epochs=many", "train.epochs: 'many' is wrong"),
        ("train.epochs=true", "train.epochs: True is wrong"),
        ("train.epochs=0", "train.epochs: 0 is wrong"),
        ("train.epochs=2.5", "train.epochs: 2.5 is wrong"),
        ("optimizer.lr=-1", "optimizer.lr: -1 is wrong"),
        ("optimizer.lr=.nan", "optimizer.lr: nan is wrong"),
        ("schedule.name=cosin", "'cosine', 'linear', 'poly'"),
        ("data.size=100x100", "multiples of 32"),
        ("data.size=big", "HEIGHTxWIDTH"),
        ("data.size=96", "HEIGHTxWIDTH"),
        ("model.channels=4", "model.channels: 4 is wrong"),
        ("model.encoder=", "model.encoder: None is wrong"),
        ("augment.horizontal_flip=1.5", "augment.horizontal_flip: 1.5 is wrong"),
        ("seed=[1", "not a YAML value"),
        ("sampling.crop=100x100", "multiples of 32"),
        ("data.pseudo=a@b", "data.pseudo: 'a@b' is wrong"),
    ],
)
def test_a_wrong_value_names_its_key(assignment: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=r".*") as caught:
        with_overrides(Config(), [assignment])
    assert complaint in str(caught.value)


def test_a_loss_without_any_term_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one term"):
        config_from({"loss": {"dice": 0.0, "cross_entropy": 0.0}}, source="test")


def test_equal_values_have_equal_hashes_whatever_the_spelling() -> None:
    assert with_overrides(Config(), ["optimizer.lr=0.001"]).sha256 == Config().sha256
    assert with_overrides(Config(), ["optimizer.lr=0.002"]).sha256 != Config().sha256


@given(
    lr=st.floats(min_value=1e-8, max_value=10, allow_nan=False),
    epochs=st.integers(min_value=1, max_value=10_000),
    sides=st.tuples(st.integers(1, 64), st.integers(1, 64)),
    encoder=st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1),
)
@example(lr=1.0, epochs=1, sides=(1, 1), encoder="1E0")
def test_what_is_dumped_is_read_back_equal(lr: float, epochs: int, sides: tuple[int, int], encoder: str) -> None:
    raw = {
        "data": {"size": f"{sides[0] * 32}x{sides[1] * 32}"},
        "optimizer": {"lr": lr},
        "train": {"epochs": epochs},
        "model": {"encoder": encoder},
    }
    config = config_from(raw, source="test")
    path = Path("config.yaml")
    path.write_text(yamlfile.dump(config), encoding="utf-8")
    assert read_config(path) == config
    assert read_config(path).sha256 == config.sha256


def test_an_unknown_key_in_the_file_suggests_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "baseline.yaml"
    path.write_text("train: {epoch: 3}\nsead: 1\n")
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert "train.epoch: no such key. Did you mean 'train.epochs'?" in str(caught.value)
    assert "sead: no such key. Did you mean 'seed'?" in str(caught.value)


@pytest.mark.parametrize("text", ["a: [1", "", "- 1\n", "\t"])
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "baseline.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"baseline\.yaml"):
        read_config(path)


def test_a_binary_file_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "baseline.yaml"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(path)


def test_a_pipelines_file_is_part_of_the_identity(tmp_path: Path) -> None:
    (tmp_path / "baseline.yaml").write_text("augment: {pipeline: own.yaml}", encoding="utf-8")
    (tmp_path / "own.yaml").write_text("[{__class_fullname__: HorizontalFlip, p: 0.5}]", encoding="utf-8")
    before = read_config(tmp_path / "baseline.yaml")
    assert before.augment.pipeline == [{"__class_fullname__": "HorizontalFlip", "p": 0.5}]
    assert before.leaves()["augment.pipeline"] == before.augment.pipeline
    assert config_from(before.model_dump(mode="json"), source="test") == before
    (tmp_path / "own.yaml").write_text("[{__class_fullname__: HorizontalFlip, p: 0.6}]", encoding="utf-8")
    assert read_config(tmp_path / "baseline.yaml").sha256 != before.sha256
    (tmp_path / "own.yaml").write_text("{pipeline: 3}", encoding="utf-8")
    with pytest.raises(ConfigError, match="must hold a list"):
        read_config(tmp_path / "baseline.yaml")


def test_class_weights_are_a_rule_or_a_list() -> None:
    assert with_overrides(Config(), ["loss.class_weights=median"]).loss.class_weights is ClassWeights.MEDIAN
    given = with_overrides(Config(), ["loss.class_weights=[1, 2.5]"])
    assert given.loss.class_weights == (1.0, 2.5)
    assert config_from(given.model_dump(mode="json"), source="test") == given
    assert read_config_of(given) == given


def read_config_of(config: Config) -> Config:
    path = Path("config.yaml")
    path.write_text(yamlfile.dump(config), encoding="utf-8")
    return read_config(path)


@pytest.mark.parametrize("value", ["often", "[]", "[1, -1]", "[1, true]", "[.inf, 1]", "3"])
def test_wrong_class_weights_are_one_problem(value: str) -> None:
    with pytest.raises(ConfigError, match=r"1 problem\n  loss\.class_weights: .*none, inverse, median or one positive"):
        with_overrides(Config(), [f"loss.class_weights={value}"])


@pytest.mark.parametrize("term", LOSS_TERMS)
def test_a_term_of_the_loss_is_one_condition(term: str) -> None:
    changed = with_overrides(Config(), [f"loss.{term}=0.25"])
    assert [str(c).partition(":")[0] for c in conditions_between(Config(), changed)] == [f"loss.{term}"]


def test_what_training_sees_is_the_image_or_a_part_of_it() -> None:
    assert with_overrides(Config(), ["data.size=192x256"]).train_size == (192, 256)
    assert with_overrides(Config(), ["data.size=192x256", "sampling.crop=64x512"]).train_size == (64, 256)
    with pytest.raises(ConfigError, match="give one of the two"):
        with_overrides(Config(), ["sampling.crop=64x64", "sampling.sizes=[96x96]"])


def test_a_value_that_is_none_has_the_hash_of_the_default() -> None:
    plain = with_overrides(Config(), ["data.pseudo=none", "sampling.crop=none", "predict.window=none"])
    assert plain.sha256 == Config().sha256
    assert plain.leaves()["data.pseudo"] == "none"
