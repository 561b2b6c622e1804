"""Repeats of a job with other seeds, what they say about a score, and comparisons with the parent."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add them; a job that is there already is its experiment's first."""
    for column in ("seed_spread", "seed_by_image", "seed_df"):
        op.add_column("experiments", sa.Column(column, sa.Float(), nullable=True))
    op.add_column("experiments", sa.Column("repeat_scores", sa.JSON(none_as_null=True), nullable=True))
    with op.batch_alter_table("jobs", copy_from=_jobs()) as jobs:
        jobs.add_column(sa.Column("repeat", sa.Integer(), nullable=False, server_default="0"))
        jobs.create_check_constraint(op.f("ck_jobs_repeat_not_negative"), "repeat >= 0")
        jobs.drop_constraint(op.f("uq_jobs_experiment_id_kind_fold"), type_="unique")
        jobs.create_unique_constraint(
            op.f("uq_jobs_experiment_id_kind_fold_repeat"), ["experiment_id", "kind", "fold", "repeat"]
        )
    op.create_table(
        "comparisons",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=False),
        sa.Column("se_images", sa.Float(), nullable=True),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], name=op.f("fk_comparisons_experiment_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["experiments.id"], name=op.f("fk_comparisons_parent_id")),
        sa.PrimaryKeyConstraint("experiment_id", name=op.f("pk_comparisons")),
    )


def _jobs() -> sa.Table:
    """The table as the first revision made it: SQLite builds it anew, and cannot be asked for its checks."""
    table = sa.Table(
        "jobs",
        sa.MetaData(),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("fold", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("failure", sa.String(length=32), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("queued_at", sa.Float(), nullable=False),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.Column("device_s", sa.Float(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint("kind IN ('debug', 'fold')", name=op.f("ck_jobs_kind_known")),
        sa.CheckConstraint(
            "state IN ('waiting', 'queued', 'running', 'suspect', 'succeeded', 'failed', 'lost', 'cancelled')",
            name=op.f("ck_jobs_state_known"),
        ),
        sa.CheckConstraint("fold >= 0", name=op.f("ck_jobs_fold_not_negative")),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], name=op.f("fk_jobs_experiment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("experiment_id", "kind", "fold", name=op.f("uq_jobs_experiment_id_kind_fold")),
    )
    sa.Index("ix_jobs_state_order", table.c.state, table.c.priority, table.c.queued_at)
    return table
