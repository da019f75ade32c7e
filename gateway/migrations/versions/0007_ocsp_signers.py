"""Who has signed an OCSP answer, so that one by a signer that is revoked later is believed no longer."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Forget the answers whose signer nobody noted: responders are asked again. Revocations stay."""
    op.add_column("ocsp_answers", sa.Column("signer", sa.Text(), nullable=False, server_default=""))
    op.execute("DELETE FROM ocsp_answers WHERE verdict <> 'revoked'")


def downgrade() -> None:
    """Forget who has signed."""
    op.drop_column("ocsp_answers", "signer")
