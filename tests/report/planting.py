"""A competition with many experiments, as far as the database and the histories know."""

import numpy as np
from sqlalchemy import update

from competition.config.settings import DataSettings, Settings
from competition.files import write_json
from competition.paths import Paths
from competition.store import ensembles, events, ideas, schema
from competition.store.engine import Store, create_store
from competition.store.ensembles import Ensemble
from tests.benchmarks.bench_leaderboard import fill

CLASSES = tuple(f"class {n}" for n in range(11))
SETTINGS = Settings(name="many", classes=CLASSES, data=DataSettings(images="i", masks="m"))
EPOCHS, FOLDS = 100, 5


def plant(paths: Paths, experiments: int) -> Store:
    """Complete experiments `e0`, `e1`, … with IoUs by class and five histories each; an idea, a blend, many events."""
    store = create_store(paths)
    fill(store, experiments)
    generator = np.random.default_rng(0)
    table = schema.experiments
    with store.write() as tx:
        for number in range(experiments):
            ious = [None, *generator.uniform(0.2, 0.9, len(CLASSES) - 1).tolist()]
            tx.execute(update(table).where(table.c.name == f"e{number}").values(class_iou=ious))
        for number in range(500):
            events.record(tx, actor="ann", subject=f"e{number}", action="complete", why="score 0.5")
    for number in range(experiments):
        for fold in range(FOLDS):
            _write_history(paths, f"e{number}", fold, generator)
    ideas.add(store, "lovasz loss", source="https://example.org", member_id=1, member="ann")
    ensembles.save(store, Ensemble("both", 1, "mean", {"e1": 0.5, "e2": 0.5}, 0.52, 0.0), actor="ann")
    explanation = {"contribution": {"e1": 0.01, "e2": None}, "disagreement": [[0.0, 0.1], [0.1, 0.0]]}
    write_json(paths.ensemble("both").explanation, explanation)
    return store


def _write_history(paths: Paths, name: str, fold: int, generator: np.random.Generator) -> None:
    path = paths.job(name, fold).history
    path.parent.mkdir(parents=True)
    noise = generator.normal(0, 0.01, EPOCHS)
    rows = [f"{n + 1},{3 / (n + 1):.6g},{0.5 - 0.4 / (n + 1) + noise[n]:.6g},0.001,40,10" for n in range(EPOCHS)]
    path.write_text("epoch,train_loss,score,lr,seconds,images_per_s\n" + "\n".join(rows) + "\n")
