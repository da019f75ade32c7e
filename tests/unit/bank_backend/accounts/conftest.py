"""The account resources over the web, behind a consent that a test decides."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from bank_backend.accounts.model import AccessKind, AccountKind, AccountRights, GrantedAccess
from bank_backend.accounts.wiring import create_account_services
from bank_backend.app import create_app
from bank_backend.errors import ConsentInvalid, ResourceUnknown
from bank_backend.ledger.statement_store import SqlStatementStore
from bank_backend.ledger.statements import Statements
from psd2.ids import ConsentId
from tests.support.bank_core import ANNA, NOW, TENANT, SeededBank

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from bank_backend.accounts.standing_orders import StandingOrder
    from bank_backend.calls import TppCall
    from bank_backend.database import Connection
    from psd2.ids import AccountId, PsuId

CONSENT = ConsentId("4d1cf32e-3a39-4a1b-9a5d-0c1f7c2c9f10")
REQUEST_ID = "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"


@dataclass
class FakeAccess:
    """A consent with rights that a test sets; it notes what it was asked."""

    psu: PsuId
    rights: tuple[AccountRights, ...]
    accounts: set[AccountId]
    asked: list[tuple[AccessKind, str | None, str | None]] = field(default_factory=list)
    now: datetime = NOW
    counted: list[GrantedAccess] = field(default_factory=list)

    def require_access(
        self,
        connection: Connection,  # noqa: ARG002 - a protocol's
        call: TppCall,
        *,
        consent_id: str,
        access: AccessKind,
        account_id: str | None,
        page: str | None = None,
        listed: AccountKind = AccountKind.PAYMENT,  # noqa: ARG002 - a protocol's
    ) -> GrantedAccess:
        self.asked.append((access, account_id, page))
        if call.tenant != TENANT or consent_id != CONSENT:
            raise ConsentInvalid("not this consent")
        granted = GrantedAccess(consent_id=CONSENT, tenant=TENANT, psu=self.psu, rights=self.rights, now=self.now)
        if account_id is not None:
            self._require(granted, access, account_id)
        return granted

    def count(self, granted: GrantedAccess) -> None:
        self.counted.append(granted)

    def _require(self, granted: GrantedAccess, access: AccessKind, account_id: str) -> None:
        if account_id not in self.accounts:
            raise ResourceUnknown("no such account")
        right = granted.on(account_id)
        if right is None or not {"accounts": True, "balances": right.balances, "transactions": right.transactions}[access]:
            raise ConsentInvalid("not covered")


@dataclass(frozen=True)
class Web:
    """A TPP's view of the bank."""

    bank: SeededBank
    access: FakeAccess
    client: FlaskClient

    def get(self, path: str, **headers: str) -> TestResponse:
        """GET with the usual headers; a header given as the empty text is left out."""
        usual = {
            "X-Request-ID": REQUEST_ID,
            "Consent-ID": CONSENT,
            "X-Sandbox-Tpp": TENANT,
            "X-Sandbox-Roles": "PSP_AI",
            "X-Sandbox-Client": "client-1",
            "X-Sandbox-Listener": "edge",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(path, headers={name: value for name, value in usual.items() if value})

    def grant(self, psu: PsuId, *, balances: bool = True, transactions: bool = True, owner_name: bool = False) -> None:
        """Let the consent cover all accounts of a PSU with these rights."""
        directory = self.bank.services.accounts
        held = directory.accounts_of(TENANT, psu)
        with self.bank.database.reading() as connection:
            collections = [one.account for one in directory.collections(connection, TENANT, held)]
        self.access.psu = psu
        self.access.accounts |= {account.id for account in (*held, *collections)}
        self.access.rights = tuple(
            AccountRights(account_id=account.id, balances=balances, transactions=transactions, owner_name=owner_name)
            for account in (*held, *collections)
        )


class NoStandingOrders:
    """A bank without standing orders."""

    def of_account(self, *_of_what: object) -> Sequence[StandingOrder]:
        return ()


@pytest.fixture
def web(bank: SeededBank) -> Web:
    """Lend the account resources, with a consent for everything that Anna has."""
    accounts = {account.id for resident in bank.services.tenants.residents(TENANT) for account in resident.accounts}
    access = FakeAccess(ANNA, (), accounts)
    data = create_account_services(
        bank.database,
        access=access,
        accounts=bank.services.accounts,
        ledger=bank.services.ledger,
        statements=Statements(SqlStatementStore()),
        standing_orders=NoStandingOrders(),
    )
    app = create_app(replace(bank.services, account_data=data))
    client = app.test_client()
    client.environ_base["chassis.caller"] = "gateway"
    web = Web(bank, access, client)
    web.grant(ANNA)
    return web
