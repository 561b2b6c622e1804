"""The images that a job trains on, validates on and predicts."""

from collections.abc import Sequence
from dataclasses import dataclass

from competition.config.experiment import Config
from competition.config.optimisation import ClassWeights
from competition.data.cache import Cache, open_cache
from competition.data.eda.classes import class_facts, inverse_frequency, median_frequency
from competition.data.load import Loader, open_loader
from competition.data.manifest import Item, Manifest
from competition.data.pseudo import PseudoLabels, find_pinned
from competition.data.sample import sample_images
from competition.data.split.folds import Split
from competition.errors import DataError, RefusedError
from competition.jobspec import JobSpec, Progress
from competition.lifecycle import JobKind
from competition.training.reporting import Reporter

DEBUG_EPOCHS = 2
DEBUG_SHARE = 0.05
DEBUG_BATCHES = 2


@dataclass(frozen=True)
class JobData:
    """The images of one job.

    Args:
        train_items: the images to train on, those with pseudo-labels last.
        valid: labelled images that the model is not trained on.
        test: test images; empty for a debug job.
        loader: reads labels at their own size, and an annotation file only once.
        class_weights: one per class, for the loss; None for equal weights.
        same_epochs: True if every epoch repeats the first, so that their losses can be compared.
    """

    cache: Cache
    train_items: Sequence[Item]
    valid: Sequence[Item]
    test: Sequence[Item]
    epochs: int
    loader: Loader
    class_weights: tuple[float, ...] | None
    same_epochs: bool = False

    @property
    def train(self) -> list[str]:
        """The ids of the images to train on."""
        return [item.id for item in self.train_items]

    @property
    def pseudo_images(self) -> int:
        """Number of training images with pseudo-labels."""
        return len(self.cache.pseudo.rows.keys() & set(self.train)) if self.cache.pseudo else 0


def load_job_data(spec: JobSpec, reporter: Reporter) -> JobData:
    """The job's images, decoded and resized, from the cache; builds the cache if it is missing.

    A debug job trains for 2 epochs on 5 % of the fold's training images (at least 2 batches) and validates on 1 batch.
    Both epochs see the same batches with the same augmentation. Test images with pseudo-labels are trained on, and
    never validated on.

    Raises:
        DataError: the manifest, the split, an image or a mask is missing, damaged or has changed.
        RefusedError: the data or the split is not the one that the job was made for.
        StoppedError: the job was asked to stop.
    """
    manifest = Manifest.read(spec.paths.manifest(spec.fingerprint))
    split = Split.read(spec.paths.folds(spec.fingerprint, spec.split_version))
    _check(spec, manifest, split)
    pseudo = _pseudo_labels(spec)
    pseudo_items = pseudo.items(spec.fold) if pseudo else ()
    known = Manifest((*manifest.items, *pseudo_items))
    train = [*split.train_ids(spec.fold), *(item.id for item in pseudo_items)]
    valid = split.valid_ids(spec.fold)
    # before the debug sample is drawn: a debug job must try the very weights that the fold jobs will use
    weights = _class_weights(spec, [known.item(image_id) for image_id in train])
    if spec.kind is JobKind.DEBUG:
        train, valid = _debug_part(spec.config, known, train, valid)
    cache = open_cache(
        manifest,
        spec.settings,
        spec.root,
        spec.paths.cache(spec.fingerprint),
        spec.config.data.size,
        progress=lambda done, total: _report(reporter, done, total),
    )
    if pseudo:
        cache = pseudo.extend(cache, spec.fold, progress=lambda done, total: _report(reporter, done, total))
    train_items, valid_items = ([known.item(image_id) for image_id in ids] for ids in (train, valid))
    loader = open_loader(spec.settings, spec.root)
    if spec.kind is JobKind.DEBUG:
        return JobData(cache, train_items, valid_items, (), DEBUG_EPOCHS, loader, weights, same_epochs=True)
    return JobData(cache, train_items, valid_items, manifest.test, spec.config.train.epochs, loader, weights)


def _pseudo_labels(spec: JobSpec) -> PseudoLabels | None:
    if spec.config.data.pseudo is None:
        return None
    pseudo = find_pinned(spec.paths, spec.config.data.pseudo)
    if pseudo.facts.split_hash != spec.split_hash:
        raise RefusedError(
            f"{pseudo.pinned} was made on another split: its models may have seen images that this job validates on.",
            hint="Make pseudo-labels from experiments on this split: `comp pseudo`.",
        )
    return pseudo


def _debug_part(config: Config, manifest: Manifest, train: list[str], valid: list[str]) -> tuple[list[str], list[str]]:
    batch = config.train.images_per_step
    sample = sample_images(manifest, train, share=DEBUG_SHARE, at_least=DEBUG_BATCHES * batch, seed=config.seed)
    return sample, sample_images(manifest, valid, share=0.0, at_least=batch, seed=config.seed)


def _class_weights(spec: JobSpec, train: Sequence[Item]) -> tuple[float, ...] | None:
    rule = spec.config.loss.class_weights
    if not isinstance(rule, ClassWeights):
        return rule
    facts = class_facts(Manifest(tuple(train)), spec.settings.classes)
    match rule:
        case ClassWeights.NONE:
            return None
        case ClassWeights.INVERSE:
            return tuple(inverse_frequency(facts).tolist())
        case ClassWeights.MEDIAN:
            return tuple(median_frequency(facts).tolist())


def _check(spec: JobSpec, manifest: Manifest, split: Split) -> None:
    if manifest.fingerprint != spec.fingerprint:
        raise RefusedError(
            f"The indexed images have the fingerprint {manifest.fingerprint}, and the job is for {spec.fingerprint}."
        )
    if split.hash != spec.split_hash:
        raise RefusedError(f"The folds on disk have the hash {split.hash}, and the job is for {spec.split_hash}.")
    if not split.train_ids(spec.fold) or not split.valid_ids(spec.fold):
        raise DataError(f"Fold {spec.fold} has no image to train on, or none to validate on.")


def _report(reporter: Reporter, done: int, total: int) -> None:
    reporter.raise_if_stopping()
    if reporter.is_due:
        reporter.send_progress(Progress(1, 1, done, total, None, None, 0.0, 0.0, "cache"))
