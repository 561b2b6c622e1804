"""The tables. A change here needs a new file in migrations/versions and a new HEAD.

The migrations make the tables. What stands here is for queries, and names no database.
"""

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from competition.lifecycle import JobKind, JobState
from competition.team.roles import Role

HEAD = "0009"
"""The revision that this version of comp reads and writes."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, values: type[JobState] | type[JobKind] | type[Role]) -> CheckConstraint:
    listed = ", ".join(f"'{v.value}'" for v in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def _unique_while(condition: str, name: str, *columns: str) -> Index:
    """An index that is unique among the rows that meet a condition.

    SQLAlchemy has no word for the condition that holds for every database: the migrations have one for each, and a
    test compares them with what stands here.
    """
    return Index(name, *columns, unique=True, info={"where": condition})


competition = Table(
    "competition",
    metadata,
    Column("id", Integer, primary_key=True),
    CheckConstraint("id = 1", name="only_one"),
    Column("fingerprint", String(64), nullable=False),
    Column("locked_settings", JSON(none_as_null=True)),
    Column("created_at", Float, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("joined_at", Float, nullable=False),
    Column("usage_s", Float, nullable=False, server_default="0"),
    Column("usage_at", Float, nullable=False, server_default="0"),
)

roles = Table(
    "roles",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("member_id", ForeignKey("members.id"), nullable=False),
    Column("role", String(20), nullable=False),
    _one_of("role", Role),
    Column("granted_at", Float, nullable=False),
    Column("revoked_at", Float),
    _unique_while("revoked_at IS NULL", "uq_roles_held", "member_id", "role"),
)

splits = Table(
    "splits",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("scheme", String(32), nullable=False),
    Column("folds", Integer, nullable=False),
    CheckConstraint("folds >= 1", name="folds_positive"),
    Column("valid_fraction", Float),
    Column("seed", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("leaks_allowed", Text),
    Column("created_at", Float, nullable=False),
)

baselines = Table(
    "baselines",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("config", JSON, nullable=False),
    Column("config_sha256", String(64), nullable=False),
    Column("promoted_from", ForeignKey("experiments.id")),
    Column("member_id", ForeignKey("members.id")),
    Column("forced", Integer, nullable=False),
    CheckConstraint("forced IN (0, 1)", name="forced_is_bool"),
    Column("created_at", Float, nullable=False),
    Column("owner_id", ForeignKey("members.id")),
)

experiments = Table(
    "experiments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("member_id", ForeignKey("members.id"), nullable=False),
    Column("split_version", ForeignKey("splits.version"), nullable=False),
    Column("baseline_version", Integer, nullable=False),
    Column("config", JSON, nullable=False),
    Column("config_sha256", String(64), nullable=False),
    Column("parent_sha256", String(64)),
    Column("conditions", JSON, nullable=False),
    Column("confounded", Text),
    Column("note", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("score", Float),
    Column("class_iou", JSON(none_as_null=True)),
    Column("repeat_scores", JSON(none_as_null=True)),
    Column("seed_spread", Float),
    Column("seed_by_image", Float),
    Column("seed_df", Float),
    UniqueConstraint("config_sha256", "split_version"),
    Index("ix_experiments_ranking", "split_version", "score"),
)

comparisons = Table(
    "comparisons",
    metadata,
    Column("experiment_id", ForeignKey("experiments.id"), primary_key=True),
    Column("parent_id", ForeignKey("experiments.id"), nullable=False),
    Column("se_images", Float),
    Column("units", Integer, nullable=False),
    Column("trouble", Text),
    Column("delta", Float),
    Column("runs", Integer),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("experiment_id", ForeignKey("experiments.id"), nullable=False),
    Column("kind", String(8), nullable=False),
    _one_of("kind", JobKind),
    Column("fold", Integer, nullable=False),
    CheckConstraint("fold >= 0", name="fold_not_negative"),
    Column("repeat", Integer, nullable=False, server_default="0"),
    CheckConstraint("repeat >= 0", name="repeat_not_negative"),
    Column("state", String(12), nullable=False),
    _one_of("state", JobState),
    Column("reason", Text),
    Column("failure", String(32)),
    Column("priority", Integer, nullable=False),
    Column("queued_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("device_s", Float, nullable=False),
    Column("score", Float),
    Column("facts", JSON(none_as_null=True)),
    Column("member_id", ForeignKey("members.id")),
    Column("shape", String(16)),
    Column("memory_mib", Integer),
    Column("failures", Integer, nullable=False, server_default="0"),
    UniqueConstraint("experiment_id", "kind", "fold", "repeat"),
    Index("ix_jobs_shape", "shape", "kind", "state"),
)
"""`member_id` is the experiment's, copied here for the index `ix_jobs_claim`. Jobs of one `shape` take the same memory
and time; `memory_mib` is the peak of earlier jobs of that shape."""
Index("ix_jobs_claim", jobs.c.state, jobs.c.member_id, jobs.c.priority.desc(), jobs.c.queued_at, jobs.c.id)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", ForeignKey("jobs.id"), nullable=False),
    Column("token", String(32), nullable=False, unique=True),
    Column("host", Text, nullable=False),
    Column("boot_id", String(64), nullable=False),
    Column("worker_pid", Integer, nullable=False),
    Column("worker_started_at", Float, nullable=False),
    Column("child_pid", Integer),
    Column("child_started_at", Float),
    Column("device", String(80), nullable=False),
    Column("slot", Integer, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("heartbeat_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("outcome", String(12)),
    Column("progress", JSON(none_as_null=True)),
    Column("freed_at", Float),
    Column("failure", String(32)),
    Column("reason", Text),
    Column("log_tail", Text),
    Column("result", JSON(none_as_null=True)),
    Index("ix_attempts_job", "job_id"),
    _unique_while("ended_at IS NULL", "uq_attempts_live_job", "job_id"),
    _unique_while("freed_at IS NULL", "uq_attempts_live_slot", "host", "device", "slot"),
)
"""`ended_at` is when the token stopped counting, `freed_at` when its processes were proven gone: only then is the slot
another job's."""

pauses = Table(
    "pauses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("scope", String(12), nullable=False),
    CheckConstraint("scope IN ('queue', 'member', 'experiment')", name="scope_known"),
    Column("member_id", ForeignKey("members.id")),
    Column("experiment_id", ForeignKey("experiments.id")),
    Column("stops", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("since", Float, nullable=False),
    CheckConstraint("stops IN (0, 1)", name="stops_is_bool"),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("job_id", ForeignKey("jobs.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sha256", String(64), nullable=False),
)

ensembles = Table(
    "ensembles",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("split_version", ForeignKey("splits.version"), nullable=False),
    Column("method", String(16), nullable=False),
    Column("weights", JSON, nullable=False),
    Column("score", Float, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("postprocessing", JSON(none_as_null=True)),
)

submissions = Table(
    "submissions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", Text, nullable=False),
    Column("format", String(16), nullable=False),
    Column("path", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("images", Integer, nullable=False),
    Column("member", Text),
    Column("created_at", Float, nullable=False),
    Column("split_version", Integer),
    Column("cv", Float),
    Column("weights", JSON(none_as_null=True)),
    Column("public_score", Float),
    Column("private_score", Float),
    Column("uploaded_to", Text),
    Index("ix_submissions_sha256", "sha256"),
)

ideas = Table(
    "ideas",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("source", Text),
    Column("member_id", ForeignKey("members.id"), nullable=False),
    Column("created_at", Float, nullable=False),
)

trials = Table(
    "trials",
    metadata,
    Column("idea_id", ForeignKey("ideas.id"), primary_key=True),
    Column("experiment_id", ForeignKey("experiments.id"), primary_key=True),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("why", Text),
    Index("ix_events_subject", "subject"),
)
