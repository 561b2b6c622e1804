"""What experiments that only predict differently gain on the same trained models."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns; the comparisons that have a value for them are made again."""
    op.add_column("comparisons", sa.Column("delta", sa.Float()))
    op.add_column("comparisons", sa.Column("runs", sa.Integer()))
    experiments = sa.table("experiments", sa.column("id", sa.Integer), sa.column("conditions", sa.JSON))
    comparisons = sa.table("comparisons", sa.column("experiment_id", sa.Integer))
    connection = op.get_bind()
    for row in connection.execute(sa.select(experiments.c.id, experiments.c.conditions)).all():
        if row.conditions and all(condition["key"].startswith("predict.") for condition in row.conditions):
            connection.execute(comparisons.delete().where(comparisons.c.experiment_id == row.id))
