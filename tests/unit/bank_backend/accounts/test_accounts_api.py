"""Accounts and balances: exactly what the consent covers, in the shapes of BG IG 1.3.8 §6.5.1 to §6.5.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bank_backend.accounts.model import AccessKind, AccountRights
from tests.support.bank_core import ANNA, HELGA, KARL, OTHER_TENANT, TENANT, TOM
from tests.unit.bank_backend.accounts.conftest import REQUEST_ID

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.unit.bank_backend.accounts.conftest import Web


def refusal(answer: TestResponse) -> tuple[int, str, str | None]:
    """Return status, code and path of the only message."""
    (message,) = answer.json["tppMessages"]  # type: ignore[index]
    return answer.status_code, message["code"], message.get("path")


def test_the_list_holds_exactly_what_the_consent_covers(web: Web) -> None:
    """One of the two accounts consented to: one listed, with links only where rights are."""
    savings = web.bank.services.accounts.accounts_of(TENANT, ANNA)[1]
    web.access.rights = (AccountRights(account_id=savings.id, balances=True, transactions=False),)

    answer = web.get("/v1/accounts")

    assert answer.status_code == 200
    assert answer.headers["X-Request-ID"] == REQUEST_ID
    (account,) = answer.json["accounts"]  # type: ignore[index]
    assert account["resourceId"] == savings.id
    assert account["iban"] == savings.iban
    assert account["cashAccountType"] == "SVGS"
    assert account["_links"] == {"balances": {"href": f"/v1/accounts/{savings.id}/balances"}}
    assert "balances" not in account


def test_no_account_is_an_empty_list(web: Web) -> None:
    """A positive answer still (XS2A 1.3.11, OK_200_AccountList)."""
    web.access.rights = ()

    assert web.get("/v1/accounts").json == {"accounts": []}


def test_the_order_is_the_consents(web: Web) -> None:
    """The same list each time, whatever order the database feels like."""
    web.access.rights = tuple(reversed(web.access.rights))

    listed = [account["resourceId"] for account in web.get("/v1/accounts").json["accounts"]]  # type: ignore[index]

    assert listed == [right.account_id for right in web.access.rights]


def test_balances_come_along_where_asked_and_granted(web: Web) -> None:
    """Asked with withBalance, the list shows the balance of the account whose balances the consent grants, and of no other."""
    first, second = web.access.rights
    web.access.rights = (first, AccountRights(account_id=second.account_id, balances=False, transactions=False))

    shown, hidden = web.get("/v1/accounts?withBalance=true").json["accounts"]  # type: ignore[index]

    assert {balance["balanceType"] for balance in shown["balances"]} == {
        "interimAvailable",
        "interimBooked",
        "expected",
        "closingBooked",
    }
    assert "balances" not in hidden
    assert "_links" not in hidden


def test_the_owners_name_needs_a_consent_of_its_own(web: Web) -> None:
    """additionalInformation/ownerName (BG IG §6.3.1.1): without it the name stays at the bank."""
    assert "ownerName" not in web.get("/v1/accounts").json["accounts"][0]  # type: ignore[index]

    web.grant(ANNA, owner_name=True)

    assert web.get("/v1/accounts").json["accounts"][0]["ownerName"] == "Anna Weber"  # type: ignore[index]


def test_a_joint_account_is_one_account_for_both_holders(web: Web) -> None:
    """Karl and Helga see the same resource."""
    web.grant(KARL)
    his = web.get("/v1/accounts").json["accounts"][0]  # type: ignore[index]
    web.grant(HELGA)
    (hers,) = web.get("/v1/accounts").json["accounts"]  # type: ignore[index]

    assert hers == his


def test_account_details(web: Web) -> None:
    """One account in its envelope."""
    account = web.bank.account(ANNA)

    answer = web.get(f"/v1/accounts/{account.id}")

    assert answer.json["account"]["iban"] == account.iban  # type: ignore[index]
    assert answer.json["account"]["status"] == "enabled"  # type: ignore[index]
    assert web.access.asked == [(AccessKind.ACCOUNTS, account.id, None)]


def test_account_details_hold_balances_where_asked_and_granted(web: Web) -> None:
    """As in the list."""
    path = f"/v1/accounts/{web.bank.account(ANNA).id}"
    assert "balances" not in web.get(path).json["account"]  # type: ignore[index]
    assert web.get(f"{path}?withBalance=true").json["account"]["balances"]  # type: ignore[index]

    web.grant(ANNA, balances=False)

    assert "balances" not in web.get(f"{path}?withBalance=true").json["account"]  # type: ignore[index]


def test_balances_say_whether_the_credit_line_is_in_them(web: Web) -> None:
    """BG IG §14.21: no balance includes the credit line unless it says so."""
    web.grant(TOM)
    account = web.bank.account(TOM)
    has = web.bank.balances(account)

    body = web.get(f"/v1/accounts/{account.id}/balances").json

    assert body["account"] == {"iban": account.iban, "currency": "EUR"}  # type: ignore[index]
    by_type = {(one["balanceType"], one.get("creditLimitIncluded", False)): one for one in body["balances"]}  # type: ignore[index]
    assert by_type["interimAvailable", True]["balanceAmount"]["amount"] == has.interim_available.decimal
    assert by_type["interimAvailable", False]["balanceAmount"]["amount"] == (has.interim_available - has.credit_limit).decimal
    assert by_type["interimBooked", False]["balanceAmount"]["amount"].startswith("-")
    assert by_type["interimBooked", False]["referenceDate"] == "2026-11-18"
    assert by_type["closingBooked", False]["referenceDate"] == "2026-11-17"


def test_balances_need_the_right(web: Web) -> None:
    """A consent for transactions alone shows no balance."""
    web.grant(ANNA, balances=False)
    account = web.bank.account(ANNA)

    assert refusal(web.get(f"/v1/accounts/{account.id}/balances")) == (401, "CONSENT_INVALID", None)


def test_an_account_that_never_was_is_unknown(web: Web) -> None:
    """404 for an account id in the path (BG IG §14.11.1)."""
    assert refusal(web.get("/v1/accounts/11111111-2222-3333-4444-555555555555")) == (404, "RESOURCE_UNKNOWN", None)


def test_another_tenants_account_is_as_unknown(web: Web) -> None:
    """Even a consent store that lets it through doesn't open another tenant's account."""
    theirs = web.bank.account(ANNA, tenant=OTHER_TENANT)
    web.access.accounts.add(theirs.id)
    web.access.rights = (AccountRights(account_id=theirs.id, balances=True, transactions=True),)

    for path in ("", "/balances", "/transactions?bookingStatus=booked&dateFrom=2026-01-01"):
        assert refusal(web.get(f"/v1/accounts/{theirs.id}{path}")) == (404, "RESOURCE_UNKNOWN", None)
    assert web.get("/v1/accounts").json == {"accounts": []}


def test_the_bank_does_not_lean_on_the_consent_alone(web: Web) -> None:
    """An answer of the consent store that lacks the right opens nothing, whatever the store thought."""
    account = web.bank.account(ANNA)
    web.access.rights = (AccountRights(account_id=account.id, balances=False, transactions=False),)
    web.access._require = lambda *_: None  # type: ignore[method-assign]

    assert refusal(web.get(f"/v1/accounts/{account.id}/balances"))[:2] == (401, "CONSENT_INVALID")
    path = f"/v1/accounts/{account.id}/transactions?bookingStatus=booked&dateFrom=2026-01-01"
    assert refusal(web.get(path))[:2] == (401, "CONSENT_INVALID")


@pytest.mark.parametrize(
    ("headers", "status", "code", "path"),
    [
        ({"X_Request_ID": ""}, 400, "FORMAT_ERROR", "X-Request-ID"),
        ({"X_Request_ID": "99391c7ead8849eca2ad99ddcb1f7721"}, 400, "FORMAT_ERROR", "X-Request-ID"),
        ({"X_Request_ID": ",".join(["99391c7e-ad88-49ec-a2ad-99ddcb1f7721"] * 2)}, 400, "FORMAT_ERROR", "X-Request-ID"),
        ({"Consent_ID": ""}, 400, "FORMAT_ERROR", "Consent-ID"),
        ({"Consent_ID": "one,two"}, 400, "FORMAT_ERROR", "Consent-ID"),
        ({"PSU_IP_Address": "somewhere"}, 400, "FORMAT_ERROR", "PSU-IP-Address"),
        ({"X_Sandbox_Tpp": ""}, 401, "CERTIFICATE_MISSING", None),
        ({"X_Sandbox_Tpp": "Fintech"}, 401, "CERTIFICATE_MISSING", None),
        ({"X_Sandbox_Roles": "PSP_PI"}, 401, "ROLE_INVALID", None),
    ],
)
def test_a_wrong_header_is_named(web: Web, headers: dict[str, str], status: int, code: str, path: str | None) -> None:
    """The refusal says which header, and nothing is asked of the consent."""
    assert refusal(web.get("/v1/accounts", **headers)) == (status, code, path)
    assert not web.access.asked


def test_an_unreadable_request_id_is_not_repeated(web: Web) -> None:
    """What isn't a UUID goes into no header of ours."""
    answer = web.get("/v1/accounts", X_Request_ID="<script>alert(1)</script>")

    assert "X-Request-ID" not in answer.headers


@pytest.mark.parametrize("value", ["yes", "TRUE", ""])
def test_with_balance_is_a_boolean(web: Web, value: str) -> None:
    """Write true or false, as JSON writes them."""
    assert refusal(web.get(f"/v1/accounts?withBalance={value}")) == (400, "FORMAT_ERROR", "withBalance")


def test_what_is_not_there_is_answered_in_the_same_form(web: Web) -> None:
    """Unknown paths and methods are tppMessages too."""
    assert refusal(web.get("/v1/standing-orders")) == (404, "RESOURCE_UNKNOWN", None)
    answer = web.client.post("/v1/accounts", headers={"X-Sandbox-Listener": "edge"})
    assert refusal(answer) == (405, "SERVICE_INVALID", None)
    assert "GET" in answer.headers["Allow"]
