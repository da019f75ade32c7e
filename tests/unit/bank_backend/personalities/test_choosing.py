"""Which personality a tenant's bank has, and how its TPP changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from bank_backend.errors import TenantUnknown
from bank_backend.personalities.profiles import SHIPPED
from bank_backend.tenants.tables import tenants
from psd2.ids import TenantId
from tests.support.bank_core import OTHER_TENANT, TENANT
from tests.support.bank_sca import PORTAL

if TYPE_CHECKING:
    from tests.support.bank_core import SeededBank
    from tests.support.bank_sca import BankDesk

OWN = "/sandbox/v1/personality"


def chosen(desk: BankDesk, tenant: TenantId = TENANT) -> str:
    return desk.bank.services.personalities.of(tenant).name


def choose(desk: BankDesk, name: Any) -> Any:
    return desk.tpp.call("PUT", OWN, {"personality": name})


def test_a_new_tenants_bank_is_the_standard(desk: BankDesk) -> None:
    """And its TPP is told what there is."""
    answer = desk.tpp.get(OWN).json

    assert answer["personality"] == "standard"  # type: ignore[index]
    assert [each["name"] for each in answer["personalities"]] == list(SHIPPED)  # type: ignore[index]


def test_a_choice_is_in_force_at_once_and_for_this_tenant_alone(desk: BankDesk) -> None:
    """With the very next request, in another process of the bank too."""
    assert choose(desk, "embedded").json["personality"] == "embedded"

    assert (chosen(desk), chosen(desk, OTHER_TENANT)) == ("embedded", "standard")
    with desk.bank.database.reading() as connection:
        assert desk.bank.services.personalities.of(TENANT, connection).name == "embedded"


@pytest.mark.parametrize("name", ["nobody", "", 7, None])
def test_a_personality_that_there_is_not_is_refused(desk: BankDesk, name: object) -> None:
    """And nothing changes; the answer names those that there are."""
    answer = choose(desk, name)

    assert answer.status_code == 400
    assert answer.json["path"] == "personality"
    assert chosen(desk) == "standard"


def test_the_portal_chooses_for_any_tenant(desk: BankDesk) -> None:
    """By the tenant's number; a TPP has no business there."""
    path = f"/internal/tenants/{OTHER_TENANT}/personality"
    client = desk.app.test_client()
    answer = client.put(path, json={"personality": "strict"}, environ_overrides=PORTAL)

    assert answer.status_code == 200
    assert (chosen(desk), chosen(desk, OTHER_TENANT)) == ("standard", "strict")
    assert desk.tpp.call("PUT", path, {"personality": "lenient"}).status_code == 403


def test_a_tenant_that_never_was_has_none(bank: SeededBank) -> None:
    """Nobody's bank has no personality."""
    nobody = TenantId("PSDXX-NONE-1")

    with pytest.raises(TenantUnknown):
        bank.services.personalities.of(nobody)
    with pytest.raises(TenantUnknown):
        bank.services.personalities.choose(nobody, "strict")


def test_a_personality_that_is_gone_opens_nothing_and_another_can_be_chosen(desk: BankDesk) -> None:
    """Taking some other instead could open what it had closed."""
    with desk.bank.database.writing() as connection:
        connection.execute(update(tenants).where(tenants.c.id == TENANT).values(personality="own-one"))

    refused = desk.tpp.get("/v1/consents/1")
    assert (refused.status_code, refused.json["reason"]) == (500, "personality.gone")  # type: ignore[index]
    assert desk.tpp.get(OWN).json["personality"] == "own-one"  # type: ignore[index]
    assert choose(desk, "standard").status_code == 200
    assert desk.tpp.get("/v1/consents/1").status_code == 403
