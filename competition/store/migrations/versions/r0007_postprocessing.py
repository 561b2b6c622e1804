"""What an ensemble does to its label maps."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column; ensembles from before it do nothing."""
    op.add_column("ensembles", sa.Column("postprocessing", sa.JSON(none_as_null=True)))
