"""Making an ensemble: choose experiments, blend and score them, and keep the result in files and in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from competition.config.settings import Settings
from competition.data.load import Loader, open_loader
from competition.data.manifest import Item, Manifest
from competition.data.parallel import StepProgress, of_step
from competition.ensemble.budget import BudgetPlan, plan_budget, seconds_of
from competition.ensemble.build import ScoredBlend, build
from competition.ensemble.crossfit import parts_of, units_of
from competition.ensemble.explain import ChangedImage, Explanation, changed_images, explain
from competition.ensemble.inputs import BlendedExperiment, open_experiments
from competition.ensemble.methods import Method
from competition.ensemble.predict import WrittenPredictions, check_replaceable, write_pngs, write_predictions
from competition.ensemble.source import Blend, stored_experiment
from competition.errors import RefusedError
from competition.experiments.leaderboard import leaderboard
from competition.files import write_json
from competition.names import check_name
from competition.paths import Paths
from competition.predictions import retention
from competition.scoring import confusion
from competition.scoring.confusion import Labels
from competition.store import competition, ensembles, experiments, splits
from competition.store.engine import Store
from competition.store.experiments import Experiment


@dataclass(frozen=True)
class EnsembleRequest:
    """One call of `comp ensemble`.

    Args:
        experiments: the names of complete experiments; empty for all on the current split that still have their
            probabilities.
        name: None for the first free one of e1, e2, ….
        method: the name of a `Method`.
        postprocess: also tune thresholds and what is done to regions.
        budget_s: choose experiments whose inference takes at most this many seconds.
        images: for how many images the budget is; None for the test images, or the labelled ones where there are none.
        explain: also leave out each experiment in turn, and compare images under the blend and the best experiment.
    """

    experiments: tuple[str, ...] = ()
    name: str | None = None
    method: str = "auto"
    postprocess: bool = False
    budget_s: float | None = None
    images: int | None = None
    explain: bool = False


@dataclass(frozen=True)
class MadeEnsemble:
    """An ensemble that was made.

    Args:
        blend: the weights and scores.
        pruned: experiments that were left out because their probabilities were removed from disk.
        test: its test predictions; None where the competition has no test images.
        budget: how the experiments were chosen; None without a budget. `budget_images` is what it was for.
        explanation: what each experiment does for the blend; None where it was not asked for.
        changed: the images that the blend changed most; empty without an explanation.
    """

    name: str
    blend: ScoredBlend
    pruned: tuple[str, ...] = ()
    test: WrittenPredictions | None = None
    budget: BudgetPlan | None = None
    budget_images: int | None = None
    explanation: Explanation | None = None
    changed: tuple[ChangedImage, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `comp ensemble --json` prints them."""
        return {
            "name": self.name,
            **({} if self.budget is None else {"budget": self.budget.to_json()}),
            "test_images": 0 if self.test is None else self.test.images,
            "test_doubtful_share": None if self.test is None else self.test.undecided_share,
            **self.blend.to_json(),
            **({} if self.explanation is None else {"explanation": self.explanation.to_json()}),
        }


@dataclass(frozen=True)
class LabelledImages:
    """The labelled images of a split, by id."""

    items: Mapping[str, Item]
    loader: Loader

    @cached_property
    def groups(self) -> dict[str, str]:
        """The group of each image; empty where it has none."""
        return {image_id: item.group for image_id, item in self.items.items()}

    def truth(self, image_id: str) -> Labels:
        """The labels of an image, uint8 (H, W)."""
        return self.loader.labels(self.items[image_id])


def make_ensemble(
    store: Store, settings: Settings, request: EnsembleRequest, *, actor: str, progress: StepProgress | None = None
) -> MadeEnsemble:
    """Blend experiments, score the blend on out-of-fold pixels, predict the test images, and record it.

    An ensemble of the same name is replaced. See `report.ensemble.write_pictures` for the pictures.

    Args:
        actor: who makes it, for the history.

    Raises:
        UnknownNameError: there is no such method or experiment.
        RefusedError: experiments are not complete or do not belong together, or nothing fits the budget.
        DataError: stored probabilities are missing or damaged, or labels have changed.
    """
    method = Method.named(request.method)
    if request.budget_s is None and request.images is not None:
        raise RefusedError("--images applies only to --budget.", hint="Give --budget SECONDS too.")
    if request.name is not None:
        check_name("an ensemble", request.name)
    chosen, pruned = _choose(store, request.experiments)
    blended: Sequence[BlendedExperiment] = [stored_experiment(store, settings, experiment) for experiment in chosen]
    name = request.name or _free_name(store)
    images = _labelled_images(store, settings, chosen[0])
    budget, budget_images = None, None
    if request.budget_s is not None:
        budget_images = request.images or _test_images(store) or len(images.items)
        budget = _plan(store.paths, settings, blended, images, request.budget_s, budget_images, progress)
        blended = [experiment for experiment in blended if experiment.name in budget.chosen.experiments]
    made = build(
        blended,
        truth=images.truth,
        metric=settings.metric,
        method=method,
        groups=images.groups,
        postprocess=request.postprocess,
        progress=of_step(progress, "Blending"),
    )
    test = _write_test_predictions(store.paths, name, blended, made, progress)
    _write_files(store.paths, name, made, budget)
    ensembles.save(store, _record(name, chosen[0], made, budget), actor=actor)
    explanation: Explanation | None = None
    changed: tuple[ChangedImage, ...] = ()
    if request.explain:
        explanation = explain(
            blended, made, truth=images.truth, metric=settings.metric, progress=of_step(progress, "Explaining")
        )
        write_json(store.paths.ensemble(name).explanation, explanation.to_json())
        changed = changed_images(blended, made, explanation, images.loader, images.items)
    return MadeEnsemble(name, made, pruned, test, budget, budget_images, explanation, changed)


def _choose(store: Store, names: Sequence[str]) -> tuple[list[Experiment], tuple[str, ...]]:
    """The experiments of these names, or all that rank; and the names of those left out because they were pruned."""
    pruned: tuple[str, ...] = ()
    if not names:
        ranked = [row.name for row in leaderboard(store) if row.rank]
        stored = {kept.experiment for kept in retention.find(store)}
        names = [name for name in ranked if name in stored]
        pruned = tuple(name for name in ranked if name not in stored)
    chosen = [experiments.find(store, name) for name in dict.fromkeys(names)]
    if not chosen:
        raise RefusedError("No experiment is complete yet.", hint="`comp leaderboard` says what is missing.")
    if len({experiment.split_version for experiment in chosen}) > 1:
        listed = ", ".join(f"{experiment.name} (v{experiment.split_version})" for experiment in chosen)
        oldest = min(chosen, key=lambda experiment: experiment.split_version)
        raise RefusedError(
            f"These experiments ran on different splits: {listed}. One was trained on images that another validates "
            "on, so a score of their blend would be too good.",
            hint=f"`comp run --from {oldest.name}` runs it again on the current split; or blend those of one split.",
        )
    return chosen, pruned


def _free_name(store: Store) -> str:
    taken = {ensemble.name for ensemble in ensembles.every(store)}
    number = 1
    while f"e{number}" in taken:
        number += 1
    return f"e{number}"


def _labelled_images(store: Store, settings: Settings, experiment: Experiment) -> LabelledImages:
    """The images of the experiment's split."""
    split = splits.of_version(store, experiment.split_version)
    manifest = Manifest.read(store.paths.manifest(split.fingerprint))
    return LabelledImages({item.id: item for item in manifest.items}, open_loader(settings, store.paths.root))


def _test_images(store: Store) -> int:
    return len(Manifest.read(store.paths.manifest(competition.fingerprint(store))).test)


def _plan(
    paths: Paths,
    settings: Settings,
    blended: Sequence[BlendedExperiment],
    images: LabelledImages,
    limit_s: float,
    number: int,
    progress: StepProgress | None,
) -> BudgetPlan:
    """Choose experiments whose inference on `number` images fits into the limit."""
    seconds = {
        experiment.name: seconds_of(
            experiment.name, [paths.job(experiment.name, fold) for fold in range(len(experiment.oof))], images=number
        )
        for experiment in blended
    }
    opened = open_experiments(blended)
    opened.verify("oof")
    return plan_budget(
        opened,
        seconds,
        limit_s=limit_s,
        parts=parts_of(opened, units_of(opened.ids, images.groups), seed=0),
        truth=images.truth,
        metric=settings.metric,
        progress=of_step(progress, "Choosing experiments"),
    )


def _write_test_predictions(
    paths: Paths, name: str, blended: Sequence[BlendedExperiment], made: ScoredBlend, progress: StepProgress | None
) -> WrittenPredictions | None:
    if not blended[0].test:
        return None
    folder = paths.ensemble(name).label_maps
    check_replaceable(folder)
    return write_predictions(
        Blend(blended, made.weights, made.method, made.postprocessing),
        lambda label_maps: write_pngs(label_maps, folder),
        unfinished=paths.unfinished_blend(name),
        progress=of_step(progress, "Writing test predictions"),
    )


def _write_files(paths: Paths, name: str, made: ScoredBlend, budget: BudgetPlan | None) -> None:
    files = paths.ensemble(name)
    write_json(files.weights, made.weights)
    write_json(files.scores, made.to_json() | ({} if budget is None else {"budget": budget.to_json()}))
    confusion.save(files.confusion, made.ids, made.confusion)


def _record(name: str, experiment: Experiment, made: ScoredBlend, budget: BudgetPlan | None) -> ensembles.Ensemble:
    """The row of the database."""
    # With a budget, the experiments were chosen on the images that `made.score` is of: only the plan's is honest.
    score = made.score if budget is None else budget.cross_fitted
    stored = None if made.postprocessing is None else made.postprocessing.to_json(made.classes)
    return ensembles.Ensemble(name, experiment.split_version, made.method, made.weights, score, 0.0, stored)
