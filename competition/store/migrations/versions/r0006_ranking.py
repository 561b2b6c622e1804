"""The index that the order of a leaderboard is read from, without the experiments' configurations."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make it."""
    op.create_index("ix_experiments_ranking", "experiments", ["split_version", "score"], unique=False)
