"""What `comp run` says no to before anything is queued; no training happens here."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import Comp


def nothing_is_queued(comp: Comp) -> bool:
    return "Nothing runs and nothing waits" in comp.ok("queue") and "No experiment yet" in comp.ok("leaderboard")


def test_what_is_not_trained_cannot_predict_again(comp: Comp, ready: Path) -> None:
    """It would be trained instead, which nobody expects of a command that predicts."""
    comp.ok("run", "--as", "ann", "--detach")
    error = comp.error("predict", "b1", "--set", "tta=hflip", "--as", "ann")
    assert "b1 has no trained model of fold 0, 1." in error
    assert "`comp run b1` trains what is missing, `comp retry b1` what has failed." in error


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--set", "lr=1"], "Did you mean 'optimizer.lr'?"),
        (["--set", "train.epochs=many"], "'many' is wrong"),
        (["--set", "loss.dice=0.5", "--set", "seed=7"], "2 conditions at once"),
        (["--set", "augment.cutout_mask=void"], "would change nothing: augment.cutout is 0"),
        (["--set", "augment.pipeline=stret"], "did you mean 'street'?"),
        (["--set", "augment.pipeline=nowhere.yaml"], "nowhere.yaml does not exist"),
        (["--set", "mix.copy_paste=1", "--set", "sampling.rare=[disk]", "--together", "x"], "Did you mean 'disc'?"),
        (["--set", "loss.dice=0.5", "--seed", "7"], "--together REASON"),
        (["--set", "loss.class_weights=[1, 2]"], "2 weights, and the competition has 3 classes"),
        (["--set", "data.pseudo=p1"], "There is no set of pseudo-labels 'p1'"),
        (["--set", "loss.focal_gamma=3"], "would change nothing: loss.focal is 0"),
        (["--folds", "5"], "folds 0 to 1"),
        (["--folds", "a"], "not a list of fold numbers"),
        (["--from", "nobody"], "There is no experiment 'nobody'"),
        (["--devices", "tpu"], "neither `cpu` nor GPU numbers"),
        (["--dir", "nowhere"], "is not a folder"),
    ],
)
def test_a_wrong_wish_is_one_clear_error(comp: Comp, ready: Path, options: list[str], complaint: str) -> None:
    assert complaint in comp.error("run", "--as", "ann", *options)
    assert nothing_is_queued(comp)


def test_an_unknown_member_lists_the_members(comp: Comp, ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Known: ann" in comp.error("run", "--as", "anm")
    monkeypatch.setenv("COMP_MEMBER", "bob")
    assert "There is no member 'bob'" in comp.error("run")
    monkeypatch.delenv("COMP_MEMBER")
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    assert "Members: ann" in comp.error("run")
    assert nothing_is_queued(comp)


@pytest.mark.skipif(find_spec("mlflow") is not None, reason="mlflow is installed")
def test_a_tracker_that_is_not_installed_is_named_with_its_extra(comp: Comp, ready: Path) -> None:
    settings = Path("competition.yaml")
    settings.write_text(settings.read_text().replace("log: []", "log: [mlflow]"))
    assert "pip install 'competition[mlflow]'" in comp.error("run", "--as", "ann")
    assert nothing_is_queued(comp)


def test_without_a_split_it_says_so(comp: Comp, ready: Path) -> None:
    for path in Path("runs").glob("comp.db*"):
        path.unlink()
    comp.ok("init")
    comp.ok("assign", "ann", "lead")
    assert "comp split" in comp.error("run", "--as", "ann")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("model.encoder=resnet19", "resnet18"),
        ("model.encoder=tu-nothing_like_this", "tu-nothing_like_this"),
        ("model.architecture=Unett", "Unet"),
        ("model.weights=nowhere.safetensors", "nowhere.safetensors"),
        ("augment.pipeline=[{__class_fullname__: HorizontalFlop}]", "HorizontalFlip"),
        ("model.weights=offline", "tu-tf_efficientnet_lite0"),
    ],
)
def test_a_model_that_cannot_be_built_is_refused_before_anything_is_queued(
    comp: Comp, ready: Path, change: str, complaint: str
) -> None:
    assert complaint in comp.error("run", "--as", "ann", "--set", change)
    assert nothing_is_queued(comp)


@pytest.mark.slow
def test_without_the_hub_imagenet_names_the_other_choices(
    comp: Comp, ready: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "empty-hub-cache"))
    message = comp.error("run", "--as", "ann", "--set", "model.weights=imagenet")
    for choice in ("offline", "none", "safetensors"):
        assert choice in message
    assert nothing_is_queued(comp)


def test_damaged_files_are_one_clear_error(comp: Comp, ready: Path) -> None:
    Path("competition.yaml").write_text("classes: [a, b\n")
    for command in (["run", "--as", "ann"], ["leaderboard"], ["queue"], ["assign", "--list"]):
        assert "competition.yaml is not YAML" in comp.error(*command)
    Path("competition.yaml").write_text("classes\n")
    assert "must hold keys and values" in comp.error("leaderboard")


def test_a_damaged_baseline_is_one_clear_error(comp: Comp, ready: Path) -> None:
    Path("baseline.yaml").write_text("train: {epochs: 0, epoch: 3}\n")
    message = comp.error("run", "--as", "ann")
    assert "train.epochs: 0 is wrong" in message
    assert "Did you mean 'train.epochs'?" in message


def test_outside_a_competition_it_says_where_it_looked(comp: Comp) -> None:
    assert "comp init" in comp.error("leaderboard")
