"""Which project this is, wherever it is moved"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "identity",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("project_id"),
    )
    op.add_column("attempts", sa.Column("runner_id", sa.String(), nullable=True))
