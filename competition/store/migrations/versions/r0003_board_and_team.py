"""What the competition's board says about submissions; ideas and the experiments that try them; lineages."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what was not known before; older submissions know none of it."""
    for column in (
        sa.Column("split_version", sa.Integer(), nullable=True),
        sa.Column("cv", sa.Float(), nullable=True),
        sa.Column("weights", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("public_score", sa.Float(), nullable=True),
        sa.Column("private_score", sa.Float(), nullable=True),
        sa.Column("uploaded_to", sa.Text(), nullable=True),
    ):
        op.add_column("submissions", column)
    op.create_index("ix_submissions_sha256", "submissions", ["sha256"], unique=False)
    op.create_table(
        "ideas",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_ideas_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ideas")),
    )
    op.create_table(
        "trials",
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], name=op.f("fk_trials_experiment_id")),
        sa.ForeignKeyConstraint(["idea_id"], ["ideas.id"], name=op.f("fk_trials_idea_id")),
        sa.PrimaryKeyConstraint("idea_id", "experiment_id", name=op.f("pk_trials")),
    )
    # Alembic cannot add a column with a foreign key to SQLite, which can do it, as PostgreSQL does.
    op.execute(
        "ALTER TABLE baselines ADD COLUMN owner_id INTEGER CONSTRAINT fk_baselines_owner_id REFERENCES members (id)"
    )
