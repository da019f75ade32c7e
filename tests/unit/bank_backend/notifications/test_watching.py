"""What is told to whom: the headers of initiations, and a notification for each change of status that was committed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bank_backend.authorisations.model import ResourceKind
from bank_backend.consents.model import ConsentStatus
from bank_backend.grounds import GROUNDS
from bank_backend.notifications.model import USUAL_CONTENT, Watch, process_body
from bank_backend.notifications.store import notifications
from chassis.told.refusals import HEADER, read_refusal_header
from psd2.client_cert_header import encode_client_cert
from tests.support import berlin_group
from tests.support.bank_core import OTHER_TENANT, TENANT
from tests.support.bank_sca import CONSENTS, PAYMENTS, BankDesk, Tpp, consent_body, payment_body
from tests.support.openapi_schema import faults, load_schemas
from tests.support.pki import Authority

URI = "https://demo.tpp.example:9443/notifications"
LOCAL = "https://tpp.example leads to this machine, at any port but the platform's"
# It is for tpp.example.
QWAC = encode_client_cert(Authority().qwac().der)


def ask(desk: BankDesk, path: str = CONSENTS, body: Any = None, *, uri: str = URI, **headers: str) -> Any:
    body = body or (consent_body() if path == CONSENTS else payment_body(desk.iban()))
    return desk.tpp.post(path, body, TPP_Notification_URI=uri, Client_Cert=QWAC, **headers)


def told(desk: BankDesk) -> list[dict[str, Any]]:
    """Return what waits to be sent, in its order."""
    with desk.bank.database.reading() as connection:
        rows = connection.execute(select(notifications.c.body).order_by(notifications.c.number))
        return [row.body for row in rows]


def headers_of(answer: Any) -> tuple[str | None, str | None]:
    return answer.headers.get("ASPSP-Notification-Support"), answer.headers.get("ASPSP-Notification-Content")


def test_a_consent_tells_each_step_of_its_life(desk: BankDesk) -> None:
    """From the start of its authorisation to its end, in the words of the lean-push specification."""
    answer = ask(desk)
    consent = answer.json["consentId"]
    assert headers_of(answer) == ("true", "status=SCA, PROCESS")
    path = f"{CONSENTS}/{consent}"
    (authorisation,) = desk.tpp.get(f"{path}/authorisations").json["authorisationIds"]  # type: ignore[index]

    desk.decide(desk.begin("ais", consent))
    desk.tpp.delete(path)

    links = {"_links": {"status": {"href": f"{path}/status"}}}
    sca = {"consentId": consent, "authorisationId": authorisation}
    assert told(desk) == [
        sca | {"scaStatus": "received"} | links,
        sca | {"scaStatus": "finalised"} | links,
        {"consentId": consent, "consentStatus": "valid"},
        {"consentId": consent, "consentStatus": "terminatedByTpp"},
    ]


def test_a_payment_tells_that_it_was_rejected(desk: BankDesk) -> None:
    body = payment_body(desk.iban(), instructedAmount={"currency": "EUR", "amount": "99999999.00"})
    payment = ask(desk, PAYMENTS, body, TPP_Notification_Content_Preferred="status=PROCESS").json["paymentId"]

    desk.decide(desk.begin("pis", payment))

    assert told(desk)[-1] == {"paymentId": payment, "transactionStatus": "RJCT"}
    assert all("scaStatus" not in each for each in told(desk))


def test_a_signing_basket_tells_that_it_was_taken_apart(desk: BankDesk) -> None:
    body = {"paymentIds": [desk.payment(), desk.payment()]}
    answer = ask(desk, "/v1/signing-baskets", body, TPP_Notification_Content_Preferred="status=LAST")

    desk.tpp.delete(answer.headers["Location"])

    assert headers_of(answer) == ("true", "status=LAST")
    assert told(desk) == [{"basketId": answer.json["basketId"], "transactionStatus": "CANC"}]


def test_a_signing_basket_tells_that_its_time_is_up(desk: BankDesk) -> None:
    """By the schedule: nobody has looked at it."""
    body = {"paymentIds": [desk.payment(), desk.payment()]}
    answer = ask(desk, "/v1/signing-baskets", body, TPP_Notification_Content_Preferred="status=LAST")
    desk.bank.clock.advance(timedelta(hours=24))

    desk.bank.services.scheduler.run_due(TENANT)

    assert told(desk) == [{"basketId": answer.json["basketId"], "transactionStatus": "RJCT"}]


@pytest.mark.parametrize(
    ("preferred", "expected"),
    [
        ("status=SCA", ["received", "finalised"]),
        ("status=PROCESS", ["valid", "terminatedByTpp"]),
        ("status=LAST", ["terminatedByTpp"]),
        ("status=SCA, LAST", ["received", "finalised", "terminatedByTpp"]),
    ],
)
def test_only_what_is_preferred_is_told(desk: BankDesk, preferred: str, expected: list[str]) -> None:
    answer = ask(desk, TPP_Notification_Content_Preferred=preferred)
    desk.decide(desk.begin("ais", answer.json["consentId"]))
    desk.tpp.delete(f"{CONSENTS}/{answer.json['consentId']}")

    assert headers_of(answer) == ("true", preferred)
    assert [each.get("scaStatus") or each.get("consentStatus") for each in told(desk)] == expected


def test_who_asks_for_none_gets_none(desk: BankDesk) -> None:
    """The bank notifies, and not of this resource: `false` (BG IG §5.3.1)."""
    answer = desk.tpp.post(CONSENTS, consent_body())
    desk.decide(desk.begin("ais", answer.json["consentId"]))  # type: ignore[index]

    assert headers_of(answer) == ("false", None)
    assert told(desk) == []


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("https://elsewhere.com/notifications", "elsewhere.com is not under what the TPP's QWAC is for: tpp.example"),
        ("https://demo.tpp.example:8445/", "port 8445 of this machine is the platform's own"),
        ("http://localhost:9443/", f"notifications are sent by https only; {LOCAL}"),
        ("https://127.0.0.1:9443/", f"127.0.0.1 is not under what the TPP's QWAC is for: tpp.example; {LOCAL}"),
    ],
)
def test_an_address_that_does_not_comply_is_answered_and_explained(desk: BankDesk, uri: str, reason: str) -> None:
    """The resource is made all the same; what is wrong stands where the developer looks."""
    answer = ask(desk, uri=uri)
    desk.decide(desk.begin("ais", answer.json["consentId"]))

    assert (answer.status_code, headers_of(answer)) == (201, ("false", None))
    text = f"no notification will be sent to this address: {reason}"
    assert answer.json["tppMessages"] == [
        {"category": "WARNING", "code": "WARNING", "path": "TPP-Notification-URI", "text": text}
    ]
    log = read_refusal_header(answer.headers[HEADER].encode())
    assert (log.reason, log.hint) == ("notification.address", GROUNDS["notification.address"].hint)
    assert told(desk) == []
    shown: Any = desk.tpp.get("/sandbox/v1/notifications").json
    assert shown["refused"] == [{"resource": answer.headers["Location"], "uri": uri, "reason": reason}]


def test_one_warning_does_not_hide_another(desk: BankDesk) -> None:
    """A payment in TARGET on a Saturday says when it moves, whatever becomes of its notifications."""
    desk.bank.clock.advance(timedelta(days=3))

    answer = ask(desk, "/v1/payments/target-2-payments", payment_body(desk.iban()), uri="https://elsewhere.com/")

    assert [each.get("path") for each in answer.json["tppMessages"]] == [None, "TPP-Notification-URI"]


def test_who_wants_no_notification_is_not_warned(desk: BankDesk) -> None:
    """Nor is there anything to explain in the log."""
    for answer in (desk.tpp.post(CONSENTS, consent_body()), ask(desk)):
        assert "tppMessages" not in (answer.json or {})
        assert HEADER not in answer.headers


def test_without_its_certificate_an_address_is_nobodys(desk: BankDesk) -> None:
    """The domain is compared with the QWAC of this very call, which the gateway passes on."""
    answer = desk.tpp.post(CONSENTS, consent_body(), TPP_Notification_URI=URI)
    assert headers_of(answer) == ("false", None)


def test_a_repeated_request_watches_once(desk: BankDesk) -> None:
    """The same payment again: one watch, one notification for each change."""
    request_id = "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"
    first, second = (ask(desk, PAYMENTS, X_Request_ID=request_id) for _ in range(2))

    assert first.json["paymentId"] == second.json["paymentId"]
    assert headers_of(first) == headers_of(second)
    assert len(told(desk)) == 1


def test_a_change_that_is_rolled_back_is_not_told(desk: BankDesk) -> None:
    """Notification and change are one transaction."""
    consent = ask(desk).json["consentId"]
    before = told(desk)
    with pytest.raises(KeyboardInterrupt):
        _reject_and_fail(desk, consent)

    assert told(desk) == before


def _reject_and_fail(desk: BankDesk, consent: str) -> None:
    store = desk.bank.services.consents._store
    with desk.bank.database.writing() as connection:
        found = store.find(connection, TENANT, consent)
        assert found is not None
        store.save(connection, found.moved(ConsentStatus.REJECTED, on=desk.bank.clock.now().date()))
        raise KeyboardInterrupt


def test_a_tpp_sees_its_own_only(desk: BankDesk) -> None:
    ask(desk)
    mine: Any = desk.tpp.get("/sandbox/v1/notifications").json
    theirs: Any = Tpp(desk.app.test_client(), tenant=OTHER_TENANT).get("/sandbox/v1/notifications").json

    assert (len(mine["notifications"]), theirs["notifications"]) == (1, [])
    assert {"state": "waiting", "attempts": 0, "uri": URI}.items() <= mine["notifications"][0].items()


def test_a_value_that_the_specification_does_not_have_is_told_by_a_link() -> None:
    """`partiallyAuthorised` is not in its enumeration: the TPP reads it where the link leads."""
    watch = Watch(
        tenant=TENANT,
        kind=ResourceKind.AIS,
        resource="c",
        path="/v1/consents/c",
        uri=URI,
        content=USUAL_CONTENT,
        refusal=None,
    )
    assert process_body(watch, "partiallyAuthorised") == {
        "consentId": "c",
        "_links": {"status": {"href": "/v1/consents/c/status"}},
    }


def test_the_words_are_the_specifications(desk: BankDesk) -> None:
    """Every body that waits satisfies the schema of the lean-push YAML."""
    if not berlin_group.are_present():
        pytest.skip(berlin_group.ABSENT)
    consent, payment = (ask(desk, path).json for path in (CONSENTS, PAYMENTS))
    desk.decide(desk.begin("ais", consent["consentId"]))
    desk.decide(desk.begin("pis", payment["paymentId"]))
    schemas = load_schemas(berlin_group.LEAN_PUSH)

    assert len(told(desk)) > 5
    assert [faults(each, schemas["pushNotification"], schemas) for each in told(desk)] == [[] for _ in told(desk)]


def test_an_authorisation_that_runs_out_tells_it(desk: BankDesk) -> None:
    """By the schedule, at its own end: nobody has looked at it."""
    consent = ask(desk, TPP_Notification_Content_Preferred="status=SCA").json["consentId"]
    desk.begin("ais", consent)
    assert [each["scaStatus"] for each in told(desk)] == ["received"]
    desk.bank.clock.advance(timedelta(minutes=14))
    desk.bank.services.scheduler.run_due(TENANT)
    assert [each["scaStatus"] for each in told(desk)] == ["received"]

    desk.bank.clock.advance(timedelta(minutes=1))
    desk.bank.services.scheduler.run_due(TENANT)

    assert [each["scaStatus"] for each in told(desk)] == ["received", "failed"]
