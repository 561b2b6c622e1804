"""The index that a claim finds its job in: every member's queued jobs, in the order in which they start."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Replace the index that ascends in priority, which a claim had to look up twice."""
    op.drop_index("ix_jobs_order", "jobs")
    columns: list[str | sa.TextClause] = ["state", "member_id", sa.text("priority DESC"), "queued_at", "id"]
    op.create_index("ix_jobs_claim", "jobs", columns, unique=False)
