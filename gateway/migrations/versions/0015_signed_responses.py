"""With which algorithm the answer to an authorization request is signed."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0015"
down_revision: Final = "0014"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add it; requests under way are answered plainly."""
    op.add_column("authorization_requests", sa.Column("response_alg", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("authorization_requests", "response_alg")
