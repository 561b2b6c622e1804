"""What experiments that only predict differently gain on the same trained models."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns; comparisons from before are made again, as nobody can tell which of them would have a value."""
    op.add_column("comparisons", sa.Column("delta", sa.Float()))
    op.add_column("comparisons", sa.Column("runs", sa.Integer()))
    op.execute("DELETE FROM comparisons")
