"""Experiments that have run, as far as the database knows."""

from competition.config.conditions import conditions_between
from competition.config.experiment import Config, with_overrides
from competition.jobspec import Succeeded
from competition.scoring.verdicts import SeedBand
from competition.store import baselines, comparisons, experiments
from competition.store.comparisons import Comparison
from competition.store.engine import Store
from competition.store.queue import attempts
from competition.store.queue.attempts import Process
from competition.store.scores import set_score
from tests.conftest import submitted

WORKER = Process("host", "boot", 1, 1.0)
BAND = SeedBand(spread=0.004, by_image=0.002, df=4)


def finish(
    store: Store, name: str, score: float, *, scores: list[float] | None = None, band: SeedBand | None = None
) -> None:
    """Play the worker: run every queued job, then record the score."""
    while taken := attempts.claim(store, WORKER, device="cpu", slot=0, experiment=name):
        attempts.succeed(store, Succeeded(taken.token, score, 2.0, 1.0, 1.0, {}))
    set_score(
        store,
        experiments.find(store, name).id,
        score=score,
        class_iou=[score, None],
        repeat_scores=dict(enumerate(scores)) if scores else None,
        band=band,
    )


def baseline(store: Store, score: float = 0.44, *, band: SeedBand | None = BAND) -> Config:
    """`b1`, run with three seeds that say what a seed does (or with one)."""
    baselines.record_first(store, Config(), actor="ann")
    submitted(store, seeds=3 if band else 1)
    finish(store, "b1", score, scores=[score - 0.002, score, score + 0.002] if band else None, band=band)
    return Config()


def child(
    store: Store,
    assignment: str,
    score: float,
    *,
    parent: Config,
    of: str = "b1",
    member_id: int = 1,
    found: Comparison = Comparison(0.003, 240, None),  # noqa: B008 - it is frozen
) -> Config:
    """An experiment with one condition, complete and compared with its parent; its name is the condition's."""
    config = with_overrides(parent, [assignment])
    conditions = conditions_between(parent, config)
    name = conditions[0].slug if of == "b1" else f"{conditions[0].slug}-{of}"
    submitted(store, config, name=name, parent_sha256=parent.sha256, conditions=conditions, member_id=member_id)
    finish(store, name, score)
    comparisons.save(store, *(experiments.find(store, n) for n in (name, of)), found)
    return config
