"""Scores of experiments and of their seeds."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from competition.lifecycle import FoldStates, JobKind, JobState, repeats_asked_for
from competition.scoring.verdicts import SeedBand
from competition.store import events, schema
from competition.store.engine import Store


def set_score(
    store: Store,
    experiment_id: int,
    *,
    score: float,
    class_iou: list[float | None],
    repeat_scores: dict[int, float] | None = None,
    band: SeedBand | None = None,
) -> bool:
    """Record the cross-validated score and each class's IoU (None for a class that never occurs).

    Args:
        score: the mean over the seeds.
        repeat_scores: the score of each repeat (seed); None for the first alone.
        band: the seed deviation, from several seeds.

    Returns:
        False if it was not recorded, because further seeds were queued meanwhile or another worker was quicker.
    """
    table, jobs = schema.experiments, schema.jobs
    repeat_scores = repeat_scores or {0: score}
    with store.write() as tx:
        folds = select(jobs).where(jobs.c.experiment_id == experiment_id, jobs.c.kind == JobKind.FOLD)
        if set(repeats_asked_for(fold_states(tx.execute(folds).all()))) - set(repeat_scores):
            return False
        row = tx.execute(select(table).where(table.c.id == experiment_id)).one()
        if set(scores_by_repeat(row)) == set(repeat_scores):
            return False
        forget_score(tx, experiment_id)
        tx.execute(
            update(table)
            .where(table.c.id == experiment_id)
            .values(
                score=score,
                class_iou=class_iou,
                repeat_scores={str(repeat): value for repeat, value in repeat_scores.items()},
                seed_spread=band.spread if band else None,
                seed_by_image=band.by_image if band else None,
                seed_df=band.df if band else None,
            )
        )
        seeds = f", mean of {len(repeat_scores)} seeds" if len(repeat_scores) > 1 else ""
        why = f"score {score:.4f}{seeds}"
        events.record(tx, actor=events.SYSTEM, subject=row.name, action="complete", why=why)
    return True


def class_ious(store: Store) -> dict[str, tuple[float | None, ...]]:
    """The IoU of each class (None: it occurs nowhere) of every experiment that has a score, by name."""
    table = schema.experiments
    with store.read() as tx:
        rows = tx.execute(select(table.c.name, table.c.class_iou).where(table.c.class_iou.is_not(None)))
        return {row.name: tuple(row.class_iou) for row in rows}


def forget_score(tx: Connection, experiment_id: int) -> None:
    """Remove an experiment's score and every comparison with it."""
    table, comparisons = schema.experiments, schema.comparisons
    nothing = dict.fromkeys(("score", "class_iou", "repeat_scores", "seed_spread", "seed_by_image", "seed_df"))
    tx.execute(update(table).where(table.c.id == experiment_id).values(nothing))
    about = (comparisons.c.experiment_id == experiment_id) | (comparisons.c.parent_id == experiment_id)
    tx.execute(comparisons.delete().where(about))


def scores_by_repeat(row: Row[Any]) -> dict[int, float]:
    """The score of each repeat (seed) of an experiment's row."""
    if row.repeat_scores is not None:
        return {int(repeat): score for repeat, score in row.repeat_scores.items()}
    return {} if row.score is None else {0: row.score}  # rows of versions without repeats have the first alone


def band_of(row: Row[Any]) -> SeedBand | None:
    """The seed band of an experiment's row."""
    return None if row.seed_df is None else SeedBand(row.seed_spread, row.seed_by_image, row.seed_df)


def fold_states(fold_jobs: Sequence[Row[Any]]) -> FoldStates:
    """The state of each fold job, by fold and repeat."""
    return {(job.fold, job.repeat): JobState(job.state) for job in fold_jobs}
