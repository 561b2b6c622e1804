"""An older database comes through an upgrade with everything that it held."""

import copy
import json
import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig

from competition.config.experiment import Config, config_from
from competition.files import sha256_of_json
from competition.paths import Paths
from competition.store import baselines, engine, experiments, ideas, submissions
from competition.store.engine import Store, open_store
from competition.store.migrations.versions import r0005_identities
from competition.store.queue import jobs

FIRST = """
INSERT INTO competition (id, fingerprint, created_at) VALUES (1, 'f', 0);
INSERT INTO members (id, name, joined_at) VALUES (1, '지우 <b>', 0);
INSERT INTO splits (version, fingerprint, scheme, folds, seed, hash, created_at)
  VALUES (1, 'f', 'kfold', 1, 42, 'h', 0);
INSERT INTO experiments (id, name, member_id, split_version, baseline_version, config, config_sha256, conditions, note,
  created_at, score) VALUES (1, 'b1', 1, 1, 1, '{}', 'c', '[]', '', 0, 0.5);
INSERT INTO jobs (id, experiment_id, kind, fold, state, priority, queued_at, device_s, score)
  VALUES (7, 1, 'fold', 0, 'succeeded', 0, 1.5, 60, 0.5);
INSERT INTO attempts (job_id, token, host, boot_id, worker_pid, worker_started_at, device, slot, started_at,
  heartbeat_at, ended_at) VALUES (7, 't', 'h', 'b', 1, 0, 'cpu', 0, 0, 0, 1);
INSERT INTO artifacts (job_id, name, sha256) VALUES (7, 'confusion.npz', 'abc');
INSERT INTO submissions (source, format, path, sha256, images, member, created_at)
  VALUES ('b1', 'png', 'p', 'a', 2, '지우 <b>', 86400);
"""


def first_revision(paths: Paths) -> None:
    """A database as the first release left it."""
    paths.runs.mkdir()
    store = Store(engine._engine(paths.database), paths)
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(engine.__file__).parent / "migrations"))
    with store.write() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "0001")
    store.close()
    with sqlite3.connect(paths.database) as raw:
        raw.executescript(FIRST)
        config = Config()
        baseline = (config.model_dump_json(), config.sha256)
        raw.execute(
            "INSERT INTO baselines (version, config, config_sha256, forced, created_at) VALUES (1, ?, ?, 0, 0)",
            baseline,
        )


def test_jobs_with_attempts_and_artifacts_survive_the_second_revision(tmp_path: Path) -> None:
    first_revision(Paths(tmp_path))
    store = open_store(Paths(tmp_path))
    job = jobs.of_experiment(store, "b1")[0]
    assert (job.id, job.repeat, job.label, job.device_s, job.member) == (7, 0, "fold 0", 60, "지우 <b>")
    assert experiments.find(store, "b1").repeat_scores == {0: 0.5}
    assert experiments.find(store, "b1").band is None
    with store.read() as tx:
        assert tx.exec_driver_sql("SELECT job_id FROM artifacts").scalars().all() == [7]
        assert tx.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
        assert tx.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        checks = tx.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'jobs'").scalar_one()
    assert "ck_jobs_state_known" in checks
    assert "ck_jobs_repeat_not_negative" in checks
    store.close()


def test_submissions_and_baselines_survive_the_third_revision(tmp_path: Path) -> None:
    first_revision(Paths(tmp_path))
    store = open_store(Paths(tmp_path))
    (old,) = submissions.every(store)
    assert (old.source, old.day, old.cv, old.split_version, old.weights) == ("b1", "1970-01-02", None, None, {})
    assert submissions.set_score(store, 1, actor="ann", public=0.5).public_score == 0.5
    found = baselines.current(store)
    assert found is not None
    assert (found.name, found.owner, found.config) == ("b1", None, Config())
    assert ideas.every(store) == []
    store.close()


def test_the_fifth_revision_gives_old_configurations_the_identity_they_have_now(tmp_path: Path) -> None:
    first_revision(Paths(tmp_path))
    parent = copy.deepcopy(r0005_identities.DEFAULTS)
    child = copy.deepcopy(parent)
    child["optimizer"]["lr"] = 0.01
    hashes = [sha256_of_json(parent), sha256_of_json(child)]
    with sqlite3.connect(Paths(tmp_path).database) as raw:
        raw.execute("UPDATE experiments SET config = ?, config_sha256 = ?", (json.dumps(parent), hashes[0]))
        raw.execute("UPDATE baselines SET config = ?, config_sha256 = ?", (json.dumps(parent), hashes[0]))
        raw.execute(
            "INSERT INTO experiments (id, name, member_id, split_version, baseline_version, config, config_sha256,"
            " parent_sha256, conditions, note, created_at) VALUES (2, 'lr', 1, 1, 1, ?, ?, ?, '[]', '', 0)",
            (json.dumps(child), hashes[1], hashes[0]),
        )
    store = open_store(Paths(tmp_path))
    for name, stored in (("b1", parent), ("lr", child)):
        config = config_from(stored, source="a test")
        found = experiments.of_config(store, config.sha256, 1)
        assert found is not None
        assert (found.name, found.config) == (name, config)
    assert experiments.find(store, "lr").parent_sha256 == Config().sha256
    with store.read() as tx:
        assert tx.exec_driver_sql("SELECT config_sha256 FROM baselines").scalars().all() == [Config().sha256]
    store.close()
