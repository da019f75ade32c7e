"""Builds strong customer authentication on the bank's database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.sca.codes import SystemCodes
from bank_backend.sca.enrolment import Enrolment
from bank_backend.sca.method_store import SqlMethodStore
from bank_backend.sca.passkeys import Passkeys
from bank_backend.sca.secrets import TotpSecrets
from bank_backend.sca.service import ScaMethods
from bank_backend.sca.store import SqlChallengeStore, SqlWrongCodeStore
from chassis.sealing import KeyFile, Seal

if TYPE_CHECKING:
    from bank_backend.database import Connection
    from bank_backend.foundation import Foundation
    from psd2.ids import TenantId


def create_sca(base: Foundation) -> tuple[ScaMethods, Enrolment]:
    """Build the methods that each bank's personality allows, and the way to set them up; authenticators go by the real time."""
    methods, passkeys = SqlMethodStore(), Passkeys(base.settings.front_url)
    totp_secrets = TotpSecrets(Seal(KeyFile(base.settings.home_path / "var" / "bank-sca.key")))

    def allowed(connection: Connection, tenant: TenantId) -> tuple[str, ...]:
        return base.personalities.of(tenant, connection).sca_methods

    sca = ScaMethods(
        challenges=SqlChallengeStore(),
        wrong_codes=SqlWrongCodeStore(),
        methods=methods,
        secrets=totp_secrets,
        passkeys=passkeys,
        inbox=base.inbox,
        codes=SystemCodes(),
        allowed=allowed,
        device_clock=base.real,
    )
    return sca, Enrolment(
        database=base.database, methods=methods, secrets=totp_secrets, passkeys=passkeys, device_clock=base.real
    )
