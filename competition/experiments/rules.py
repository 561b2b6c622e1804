"""The rules that every requested experiment has to keep: each takes values and gives a problem, or None."""

from collections.abc import Sequence

from competition.config.conditions import Condition
from competition.config.experiment import OF_EXPERIMENT, Config
from competition.data import pseudo
from competition.errors import CompError, ConfigError, RefusedError, UnknownNameError, together
from competition.experiments.resolve import Candidate, Source
from competition.names import bad_name
from competition.store.plans import name_taken
from competition.store.splits import SplitVersion


def check(candidate: Candidate) -> None:
    """Check a requested experiment against all rules.

    Raises:
        CompError: a rule is broken; if several are, one error lists all, each with its hint.
    """
    problems = problems_of(candidate)
    if problems:
        raise together(problems)


def problems_of(candidate: Candidate) -> list[CompError]:
    """The broken rules and missing files of a candidate; empty if it may be queued."""
    request, split, facts = candidate.request, candidate.split, candidate.facts
    parent, config, conditions = candidate.parent, candidate.config, candidate.conditions
    classes = candidate.settings.classes
    checked = [
        usable_name(request.name),
        free_name(request.name, is_taken=facts.name_is_taken),
        split_of_this_data(split, facts.fingerprint),
        known_folds(request.folds, split.folds),
        one_condition(conditions, reason=request.together),
        *(has_effect(condition, parent, config) for condition in conditions),
        known_classes(config.sampling.rare, classes),
        weight_per_class(config, classes),
        source_on_this_split(facts.source, split.version),
        source_with_all_folds(facts.source),
        labels_of_this_split(config, facts.pseudo, split, classes),
        weights_of_no_fold(config, facts.weights_owner),
    ]
    return [*facts.problems, *(problem for problem in checked if problem is not None)]


def usable_name(name: str | None) -> CompError | None:
    """The name can name a folder."""
    return None if name is None else bad_name("an experiment", name)


def free_name(name: str | None, *, is_taken: bool) -> CompError | None:
    """The name belongs to no other configuration."""
    return name_taken(name) if name is not None and is_taken else None


def split_of_this_data(split: SplitVersion, fingerprint: str) -> CompError | None:
    """The split was made from the data as it is indexed now."""
    if split.fingerprint == fingerprint:
        return None
    return RefusedError(
        f"The data was indexed again after split v{split.version} was made, so the split does not cover it.",
        hint="`comp split` splits it again.",
    )


def known_folds(folds: Sequence[int] | None, available: int) -> CompError | None:
    """The folds to train are folds of the split."""
    unknown = sorted({fold for fold in folds or () if not 0 <= fold < available})
    if not unknown:
        return None
    return RefusedError(f"There is no fold {', '.join(map(str, unknown))}: the split has folds 0 to {available - 1}.")


def one_condition(conditions: Sequence[Condition], *, reason: str | None) -> CompError | None:
    """An experiment differs from its parent in one key, unless a reason is given."""
    if len(conditions) <= 1 or reason:
        return None
    listed = "\n".join(f"  {condition}" for condition in conditions)
    return RefusedError(
        f"{len(conditions)} conditions at once, so nobody could say which of them helped:\n{listed}",
        hint="Run them one by one, or give --together REASON (the result is marked as confounded).",
    )


def has_effect(condition: Condition, parent: Config, config: Config) -> CompError | None:
    """A condition changes something: its key is in use, and a crop or window is smaller than the image."""
    why = config.unused_keys.get(condition.key)
    if condition.key in parent.whole_image_keys & config.whole_image_keys:
        why = f"data.size is {config.leaves()['data.size']}, so this covers the whole image"
    if why is None:
        return None
    return RefusedError(
        f"{condition} would change nothing: {why}.",
        hint="Change that first, or both with --together REASON.",
    )


def known_classes(rare: Sequence[str], classes: Sequence[str]) -> CompError | None:
    """Rare classes are classes of the competition."""
    unknown = next((name for name in rare if name not in classes), None)
    return None if unknown is None else UnknownNameError.among("class", unknown, classes)


def weight_per_class(config: Config, classes: Sequence[str]) -> CompError | None:
    """A list of class weights has one for each class."""
    weights = config.loss.class_weights
    if not isinstance(weights, tuple) or len(weights) == len(classes):
        return None
    return ConfigError(
        f"loss.class_weights has {len(weights)} weights, and the competition has {len(classes)} classes: "
        f"{', '.join(classes)}.",
        hint="Give one weight for each class in that order, or let comp find them: loss.class_weights=median.",
    )


def source_on_this_split(source: Source | None, version: int) -> CompError | None:
    """Models that folds start from were trained on the same split, so they know no image that is validated on."""
    if source is None or source.split_version == version:
        return None
    return RefusedError(
        f"model.weights={OF_EXPERIMENT}{source.name}: {source.name} was trained on split v{source.split_version}, and "
        f"this is v{version}: its models have seen images that this split validates on.",
        hint="Take an experiment on the same split; `comp leaderboard` lists them.",
    )


def source_with_all_folds(source: Source | None) -> CompError | None:
    """Each fold starts from the same fold of the source, which has all of them."""
    if source is None or not source.missing_folds:
        return None
    missing = ", ".join(map(str, source.missing_folds))
    return RefusedError(
        f"model.weights={OF_EXPERIMENT}{source.name}: {source.name} has no model of fold {missing}.",
        hint=f"`comp run {source.name}` trains what is missing.",
    )


def labels_of_this_split(
    config: Config, labels: pseudo.PseudoFacts | None, split: SplitVersion, classes: tuple[str, ...]
) -> CompError | None:
    """Pseudo-labels of a fold come from models that never saw its validation images: from those of the same split."""
    if labels is None:
        return None
    if (labels.fingerprint, labels.split_hash, labels.classes) == (split.fingerprint, split.hash, classes):
        return None
    return RefusedError(
        f"data.pseudo={config.data.pseudo}: the models that gave these labels ran on other data or another split "
        f"than v{split.version}, so they have seen images that it validates on.",
        hint="Make a set from experiments on this split: `comp pseudo ENSEMBLE`.",
    )


def weights_of_no_fold(config: Config, owner: tuple[str, str] | None) -> CompError | None:
    """A file of weights is not the model of one fold, which has seen what the other folds validate on."""
    if owner is None:
        return None
    experiment, job = owner
    return RefusedError(
        f"model.weights={config.model.weights}: that file is the model of {experiment}, {job}. As the start of "
        "every fold, it would have seen what other folds validate on.",
        hint=f"--set model.weights={OF_EXPERIMENT}{experiment} starts each fold from the model of the same fold.",
    )
