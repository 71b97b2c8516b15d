"""The first schema"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("remote", sa.String(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("wanted", sa.String(), nullable=True),
        sa.Column("keep", sa.Boolean(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("path"),
    )
    op.create_table(
        "runners",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("section_id", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("engine_address", sa.String(), nullable=False),
        sa.Column("container", sa.JSON(), nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("launched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("task_id", sa.String(), nullable=True),
        sa.Column("waits_for", sa.String(), nullable=True),
        sa.Column("waits_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("keep", sa.Boolean(), nullable=False),
        sa.Column("ports", sa.JSON(), nullable=False),
        sa.Column("unlimited", sa.JSON(), nullable=False),
        sa.Column("database", sa.JSON(), nullable=True),
        sa.Column("events_taken", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.String(), nullable=True),
        sa.Column("result", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_runners_project_id", "runners", ["project_id"], unique=False)
    op.create_index("ix_runners_token_hash", "runners", ["token_hash"], unique=False)
    op.create_index(
        "one_runner_per_section",
        "runners",
        ["project_id", "section_id"],
        unique=True,
        sqlite_where=sa.text("role = 'section' AND status NOT IN ('stopped', 'lost')"),
        postgresql_where=sa.text("role = 'section' AND status NOT IN ('stopped', 'lost')"),
    )
    op.create_index(
        "one_single_runner_per_project",
        "runners",
        ["project_id"],
        unique=True,
        sqlite_where=sa.text("role = 'single' AND status NOT IN ('stopped', 'lost')"),
        postgresql_where=sa.text("role = 'single' AND status NOT IN ('stopped', 'lost')"),
    )
