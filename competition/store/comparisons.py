"""Comparisons of experiments with their parents: the bootstrap's results, stored so that a listing draws no images."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, insert, select

from competition.store import experiments, schema
from competition.store.engine import Store
from competition.store.experiments import Experiment
from competition.store.scores import scores_by_repeat


@dataclass(frozen=True)
class Comparison:
    """The bootstrap over images of an experiment and the experiment with its parent's configuration.

    Args:
        se_images: standard error of the difference of their scores, a fraction, from a paired bootstrap over images;
            None if there are too few images, or if the comparison failed.
        units: number of images, or of groups of images, that the bootstrap drew from.
        trouble: the reason why the comparison failed; None if it did not.
        delta: the gain on the same trained models, over the `runs` seeds that both have, a fraction; None if the two
            have different models, because their scores are then means over other seeds.
    """

    se_images: float | None
    units: int
    trouble: str | None
    delta: float | None = None
    runs: int | None = None


def pending(store: Store, *, most: int | None = None) -> list[tuple[Experiment, Experiment]]:
    """Scored experiments that are not compared with their scored parent yet, each with its parent.

    The newest first, at most `most`.
    """
    child, parent, made = schema.experiments.alias("child"), schema.experiments.alias("parent"), schema.comparisons
    same = and_(parent.c.config_sha256 == child.c.parent_sha256, parent.c.split_version == child.c.split_version)
    query = (
        select(child.c.name, parent.c.name.label("parent"))
        .join(parent, same)
        .outerjoin(made, made.c.experiment_id == child.c.id)
        .where(child.c.score.is_not(None), parent.c.score.is_not(None), made.c.experiment_id.is_(None))
        .order_by(child.c.id.desc())
        .limit(most)
    )
    with store.read() as tx:
        names = tx.execute(query).all()
    return [(experiments.find(store, row.name), experiments.find(store, row.parent)) for row in names]


def save(store: Store, experiment: Experiment, parent: Experiment, comparison: Comparison) -> None:
    """Store a comparison.

    Nothing is stored if another worker was quicker, or if the score or the seeds of one of the two have changed since
    it was read.
    """
    table, made = schema.experiments, schema.comparisons
    compared = {e.id: e.repeat_scores for e in (experiment, parent)}
    with store.write() as tx:
        scored: Select[Any] = select(table.c.id, table.c.score, table.c.repeat_scores)
        now = {row.id: scores_by_repeat(row) for row in tx.execute(scored.where(table.c.id.in_(compared)))}
        existing = tx.scalar(select(made.c.parent_id).where(made.c.experiment_id == experiment.id))
        if now == compared and all(now.values()) and existing is None:
            ids = {"experiment_id": experiment.id, "parent_id": parent.id}
            tx.execute(insert(made).values(**ids, **comparison.__dict__))
