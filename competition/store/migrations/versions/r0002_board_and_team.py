"""What the competition's board says about submissions."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


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
