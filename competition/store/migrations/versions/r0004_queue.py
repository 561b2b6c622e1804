"""The queue's order, its pauses, bounded attempts, and slots that are free once their processes are gone."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns, and fill those that follow from what is there."""
    op.add_column("members", sa.Column("usage_s", sa.Float(), server_default="0", nullable=False))
    op.add_column("members", sa.Column("usage_at", sa.Float(), server_default="0", nullable=False))
    # Alembic adds no foreign key to a table of SQLite, though SQLite can.
    op.execute("ALTER TABLE jobs ADD COLUMN member_id INTEGER CONSTRAINT fk_jobs_member_id REFERENCES members (id)")
    op.add_column("jobs", sa.Column("shape", sa.String(length=16)))
    op.add_column("jobs", sa.Column("memory_mib", sa.Integer()))
    op.add_column("jobs", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    op.add_column("attempts", sa.Column("freed_at", sa.Float()))
    op.add_column("attempts", sa.Column("failure", sa.String(length=32)))
    op.add_column("attempts", sa.Column("reason", sa.Text()))
    op.add_column("attempts", sa.Column("log_tail", sa.Text()))
    op.add_column("attempts", sa.Column("result", sa.JSON(none_as_null=True)))
    op.execute(
        "UPDATE jobs SET member_id = (SELECT member_id FROM experiments WHERE experiments.id = jobs.experiment_id)"
    )
    op.execute("UPDATE attempts SET freed_at = ended_at")
    op.drop_index("ix_jobs_state_order", "jobs")
    op.create_index("ix_jobs_order", "jobs", ["state", "member_id", "priority", "queued_at"], unique=False)
    op.create_index("ix_jobs_shape", "jobs", ["shape", "kind", "state"], unique=False)
    op.create_index("ix_attempts_job", "attempts", ["job_id"], unique=False)
    op.drop_index("uq_attempts_live_slot", "attempts")
    op.create_index(
        "uq_attempts_live_slot",
        "attempts",
        ["host", "device", "slot"],
        unique=True,
        sqlite_where=sa.text("freed_at IS NULL"),
        postgresql_where=sa.text("freed_at IS NULL"),
    )
    op.create_table(
        "pauses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=12), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("experiment_id", sa.Integer(), nullable=True),
        sa.Column("stops", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.CheckConstraint("scope IN ('queue', 'member', 'experiment')", name=op.f("ck_pauses_scope_known")),
        sa.CheckConstraint("stops IN (0, 1)", name=op.f("ck_pauses_stops_is_bool")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_pauses_member_id")),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], name=op.f("fk_pauses_experiment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pauses")),
    )
