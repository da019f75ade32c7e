"""Builds strong customer authentication on the bank's database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.sca.codes import SystemCodes
from bank_backend.sca.enrolment import Enrolment
from bank_backend.sca.method_store import SqlMethodStore
from bank_backend.sca.passkeys import Passkeys
from bank_backend.sca.sealing import KeyFile, Seal
from bank_backend.sca.secrets import TotpSecrets
from bank_backend.sca.service import ScaMethods
from bank_backend.sca.store import SqlChallengeStore, SqlWrongCodeStore

if TYPE_CHECKING:
    from bank_backend.config import BankSettings
    from bank_backend.database import Connection, Database
    from bank_backend.inbox.service import Inbox
    from bank_backend.personalities.service import Personalities
    from bank_backend.sca.codes import CodeSource
    from psd2.clock import Clock
    from psd2.ids import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaParts:
    """What SCA is built of besides its own stores. `clock` tells the real time, by which authenticators go."""

    settings: BankSettings
    database: Database
    inbox: Inbox
    personalities: Personalities
    clock: Clock
    codes: CodeSource | None


def create_sca(parts: ScaParts) -> tuple[ScaMethods, Enrolment]:
    """Build the methods that each bank's personality allows, and the way to set them up."""
    methods, passkeys = SqlMethodStore(), Passkeys(parts.settings.front_url)
    totp_secrets = TotpSecrets(Seal(KeyFile(parts.settings.home_path / "var" / "bank-sca.key")))

    def allowed(connection: Connection, tenant: TenantId) -> tuple[str, ...]:
        return parts.personalities.of(tenant, connection).sca_methods

    sca = ScaMethods(
        challenges=SqlChallengeStore(),
        wrong_codes=SqlWrongCodeStore(),
        methods=methods,
        secrets=totp_secrets,
        passkeys=passkeys,
        inbox=parts.inbox,
        codes=parts.codes or SystemCodes(),
        allowed=allowed,
        device_clock=parts.clock,
    )
    return sca, Enrolment(
        database=parts.database, methods=methods, secrets=totp_secrets, passkeys=passkeys, device_clock=parts.clock
    )
