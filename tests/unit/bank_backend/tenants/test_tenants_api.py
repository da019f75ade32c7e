"""Registration by the portal, and a TPP's look at its own tenant (docs/architecture.md §3.3, §3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from schwifty import IBAN

from bank_backend.app import create_app
from psd2.ids import TenantId
from tests.support.bank_core import OTHER_TENANT, TENANT

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.bank_core import SeededBank

NEW = "PSDNL-DNB-R000123/7"
REGISTRATION = {"name": "Nieuwe Fintech BV", "country": "NL", "roles": ["PSP_AI", "PSP_PI"]}


def client_of(bank: SeededBank, caller: str) -> FlaskClient:
    client = create_app(bank.services).test_client()
    client.environ_base["chassis.caller"] = caller
    return client


@pytest.fixture
def portal(bank: SeededBank) -> FlaskClient:
    """Lend the bank as the portal reaches it."""
    return client_of(bank, "portal")


def test_a_new_tenant_is_made_and_seeded(bank: SeededBank, portal: FlaskClient) -> None:
    """201 with everybody who lives there, and what to log in with."""
    answer = portal.put("/internal/tenants/PSDNL-DNB-R000123%2F7", json=REGISTRATION)

    assert answer.status_code == 201
    body: Any = answer.json
    assert body["tenant"] == NEW
    anna = next(one for one in body["personas"] if one["psu"] == "anna.weber")
    assert anna["name"] == "Anna Weber"
    assert anna["purpose"]
    assert [IBAN(account["iban"]).country_code for account in anna["accounts"]] == ["NL", "NL"]
    bank.services.psus.verify_password(body["tenant"], "anna.weber", anna["password"])


def test_registering_again_keeps_country_and_seed(bank: SeededBank, portal: FlaskClient) -> None:
    """200, and accounts stay as they are."""
    before: Any = portal.get(f"/internal/tenants/{TENANT}").json

    answer = portal.put(f"/internal/tenants/{TENANT}", json=REGISTRATION | {"seed": 99})

    assert answer.status_code == 200
    assert answer.json == before
    tenant = bank.services.tenants.tenant(TENANT)
    assert (tenant.name, tenant.country) == ("Nieuwe Fintech BV", "DE")


@pytest.mark.parametrize("number", ["PSDNL-DNB-7", TENANT])
def test_redirect_uris_are_taken_over(bank: SeededBank, portal: FlaskClient, number: str) -> None:
    """Of a new tenant and of a known one; a registration that names none any more leaves none."""
    told = []
    for uris in (["https://a.example/cb"], ["https://a.example/cb", "https://b.example/cb"], []):
        assert portal.put(f"/internal/tenants/{number}", json=REGISTRATION | {"redirect_uris": uris}).status_code < 300
        told.append(list(bank.services.tenants.redirect_uris(TenantId(number))))

    assert told == [["https://a.example/cb"], ["https://a.example/cb", "https://b.example/cb"], []]


def test_the_seed_decides_the_data(portal: FlaskClient) -> None:
    """A given seed gives other people's money another story, but the same people."""
    first: Any = portal.put("/internal/tenants/PSDNL-DNB-1", json=REGISTRATION | {"seed": 1}).json
    second: Any = portal.put("/internal/tenants/PSDNL-DNB-2", json=REGISTRATION | {"seed": 1}).json

    assert [one["psu"] for one in first["personas"]] == [one["psu"] for one in second["personas"]]
    held = [[account for one in body["personas"] for account in one["accounts"]] for body in (first, second)]
    ibans = [{account["iban"] or account["pan"] for account in accounts} for accounts in held]
    assert not ibans[0] & ibans[1]


def test_a_tpp_sees_its_own_tenant_only(bank: SeededBank) -> None:
    """The tenant is the one of the certificate; nothing in the request can name another."""
    edge = client_of(bank, "gateway")

    def look(tenant: str) -> Any:
        return edge.get(f"/sandbox/v1/data?tenant={OTHER_TENANT}", headers={"X-Sandbox-Tpp": tenant}).json

    mine, theirs = look(TENANT), look(OTHER_TENANT)
    assert mine["tenant"] == TENANT
    ids = [{account["id"] for one in body["personas"] for account in one["accounts"]} for body in (mine, theirs)]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_a_tenant_that_never_was_is_unknown(bank: SeededBank, portal: FlaskClient) -> None:
    """404 as problem details, for the portal and for a TPP that isn't registered here."""
    answer = portal.get("/internal/tenants/PSDXX-NONE-1")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == "tenant.unknown"  # type: ignore[index]

    answer = client_of(bank, "gateway").get("/sandbox/v1/data", headers={"X-Sandbox-Tpp": "PSDXX-NONE-1"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"country": "US"}, "country"),
        ({"roles": ["PSP_XX"]}, "roles"),
        ({"roles": []}, "roles"),
        ({"name": ""}, "name"),
        ({"seed": -1}, "seed"),
        ({"seed": "1"}, "seed"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_wrong_field_is_named(portal: FlaskClient, change: dict[str, object], field: str) -> None:
    """422 with each faulty field and its reason; nothing is made."""
    answer = portal.put("/internal/tenants/PSDNL-DNB-1", json=REGISTRATION | change)

    assert answer.status_code == 422
    assert list(answer.json["fields"]) == [field]  # type: ignore[index]
    assert portal.get("/internal/tenants/PSDNL-DNB-1").status_code == 404


def test_a_tenants_name_is_an_authorisation_number(portal: FlaskClient) -> None:
    """What no certificate could carry is no tenant."""
    answer = portal.put("/internal/tenants/fintech", json=REGISTRATION)

    assert answer.status_code == 422
    assert list(answer.json["fields"]) == ["tenant"]  # type: ignore[index]
