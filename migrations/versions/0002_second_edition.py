"""The second edition: facts that know when, lists and names once, numbers of their own.

Of an archive with rows in it the program itself makes a new one (`archiver db upgrade`), since every row is rebuilt:
here the old tables are only taken away where they are empty.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

VIEWS = ("gap_log", "subtree", "action_log", "current_states", "state_spans", "event_log")
TABLES = (
    "resource_parents",
    "event_parents",
    "rejects",
    "observations",
    "events",
    "resources",
    "sessions",
    "event_states",
    "event_actions",
    "event_types",
    "receivers",
    "streams",
    "archive_properties",
)
APPLICATION_ID = 0x61726376


def upgrade() -> None:
    dialect = op.get_context().dialect.name
    if not op.get_context().as_sql:
        for table in TABLES:
            if op.get_bind().scalar(sa.text(f"SELECT 1 FROM {table} LIMIT 1")) is not None:
                raise RuntimeError(f"there are rows in {table}, which are rebuilt: run 'archiver db upgrade' instead")
    for view in VIEWS:
        op.execute(f"DROP VIEW {view}")
    for table in TABLES:
        op.drop_table(table)
    if dialect == "sqlite":
        op.execute(f"PRAGMA application_id={APPLICATION_ID}")
    for what in ("tables", "views"):
        frozen = Path(__file__).parent.parent / "sql" / f"0002_{what}_{dialect}.sql"
        for statement in frozen.read_text().split(";\n\n"):
            op.execute(sa.text(statement.strip().rstrip(";").replace(":", "\\:")))


def downgrade() -> None:
    raise NotImplementedError("an archive only ever grows; restore the backup instead")
