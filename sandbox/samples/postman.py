"""First calls as a Postman collection (format 2.1.0), with the TPP's values in its variables."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlsplit

from psd2.roles import PspRole
from sandbox.samples.model import CONSENT_DAYS, HISTORY_DAYS, PSU_IP_ADDRESS

if TYPE_CHECKING:
    from sandbox.samples.model import PaymentExample, SampleData

Json: TypeAlias = dict[str, Any]

_SCHEMA: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
_ACCESS: Final = {"Authorization": "Bearer {{accessToken}}", "Consent-ID": "{{consentId}}"}
_PSU_PRESENT: Final = {"PSU-IP-Address": "{{psuIpAddress}}"}
_PAYMENTS: Final = "/v1/payments/sepa-credit-transfers"
_FUNDS_CONSENTS: Final = "/v2/consents/confirmation-of-funds"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One request; `keep` names the variables that its answer fills, each by an expression over `answer`."""

    name: str
    method: str
    path: str
    status: int
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    json_body: Json | None = None
    form: dict[str, str] | None = None
    keep: dict[str, str] = field(default_factory=dict)
    before: str = ""
    after: str = ""


def collection(data: SampleData) -> Json:
    """Return the collection, a folder for each role the TPP holds, and one for what only a sandbox has."""
    folders = [_folder("Sandbox", _sandbox())]
    if data.may(PspRole.AI):
        folders.append(_folder("AIS: read accounts", _account_information(data)))
    if data.may(PspRole.PI) and data.payment is not None:
        folders.append(_folder("PIS: make a payment", _payment(data, data.payment)))
    if data.may(PspRole.IC):
        folders.append(_folder("PIIS: confirm funds", _funds(data)))
    return {
        "info": {"name": f"PSD2 sandbox: {data.organisation}", "description": _description(data), "schema": _SCHEMA},
        "item": folders,
        "event": [_event("test", _script("explain"))],
        "variable": [{"key": name, "value": value, "type": "string"} for name, value in _variables(data).items()],
    }


def _description(data: SampleData) -> str:
    return _resource("description.md").format(
        organisation=data.organisation,
        number=data.authorisation_number,
        welcome=data.welcome,
        host=urlsplit(data.edge).netloc,
    )


def _variables(data: SampleData) -> dict[str, str]:
    filled_in = {
        "edge": data.edge,
        "front": data.front,
        "clientId": data.client_id,
        "redirectUri": data.redirect_uri,
        "psu": data.psu,
        "psuIpAddress": PSU_IP_ADDRESS,
    }
    carried_on = ("scope", "state", "codeVerifier", "codeChallenge", "authorizationUrl", "code", "accessToken", "refreshToken")
    return filled_in | dict.fromkeys((*carried_on, "consentId", "accountId", "paymentId"), "")


def _sandbox() -> list[_Call]:
    return [
        _Call(name="Who can log in", method="GET", path="/sandbox/v1/data", status=200),
        _Call(name="The PSU's inbox", method="GET", path="/sandbox/v1/inbox", query={"psu": "{{psu}}"}, status=200),
    ]


def _account_information(data: SampleData) -> list[_Call]:
    since = (data.today - timedelta(days=HISTORY_DAYS)).isoformat()
    account = "/v1/accounts/{{accountId}}"
    reading = _PSU_PRESENT | _ACCESS
    return [
        _Call(
            name="1. Create a consent",
            method="POST",
            path="/v1/consents",
            headers=_PSU_PRESENT,
            json_body=_consent_body(data),
            keep={"consentId": "answer.consentId", "scope": "'AIS:' + answer.consentId"},
            status=201,
        ),
        *_decision(data),
        _token(),
        _Call(
            name="4. Read the accounts",
            method="GET",
            path="/v1/accounts",
            headers=reading,
            keep={"accountId": "answer.accounts[0].resourceId"},
            status=200,
        ),
        _Call(name="5. Read balances", method="GET", path=f"{account}/balances", headers=reading, status=200),
        _Call(
            name="6. Read transactions",
            method="GET",
            path=f"{account}/transactions",
            query={"bookingStatus": "both", "dateFrom": since},
            headers=reading,
            status=200,
        ),
        _Call(name="7. Status of the consent", method="GET", path="/v1/consents/{{consentId}}/status", status=200),
        _Call(name="8. End the consent", method="DELETE", path="/v1/consents/{{consentId}}", status=204),
    ]


def _consent_body(data: SampleData) -> Json:
    return {
        "access": {"accounts": [], "balances": [], "transactions": []},
        "recurringIndicator": True,
        "validUntil": (data.today + timedelta(days=CONSENT_DAYS)).isoformat(),
        "frequencyPerDay": 4,
        "combinedServiceIndicator": False,
    }


def _payment(data: SampleData, example: PaymentExample) -> list[_Call]:
    order: Json = {
        "debtorAccount": {"iban": example.debtor_iban},
        "instructedAmount": {"currency": example.amount.currency, "amount": example.amount.decimal},
        "creditorAccount": {"iban": example.creditor_iban},
        "creditorName": example.creditor_name,
        "remittanceInformationUnstructured": "First call",
    }
    return [
        _Call(
            name="1. Initiate the payment",
            method="POST",
            path=_PAYMENTS,
            headers=_PSU_PRESENT,
            json_body=order,
            keep={"paymentId": "answer.paymentId", "scope": "'PIS:' + answer.paymentId"},
            status=201,
        ),
        *_decision(data),
        _Call(name="3. Status of the payment", method="GET", path=f"{_PAYMENTS}/{{{{paymentId}}}}/status", status=200),
        _Call(name="4. The payment", method="GET", path=f"{_PAYMENTS}/{{{{paymentId}}}}", status=200),
    ]


def _funds(data: SampleData) -> list[_Call]:
    account = {"iban": data.iban}
    amount = {"currency": data.amount.currency, "amount": data.amount.decimal}
    return [
        _Call(
            name="1. Create a consent",
            method="POST",
            path=_FUNDS_CONSENTS,
            headers=_PSU_PRESENT,
            json_body={"account": account},
            keep={"consentId": "answer.consentId", "scope": "'PIIS:' + answer.consentId"},
            status=201,
        ),
        *_decision(data),
        _token(),
        _Call(
            name="4. Ask whether an amount is covered",
            method="POST",
            path="/v1/funds-confirmations",
            headers=_ACCESS,
            json_body={"account": account, "instructedAmount": amount},
            status=200,
        ),
        _Call(name="5. End the consent", method="DELETE", path=f"{_FUNDS_CONSENTS}/{{{{consentId}}}}", status=204),
    ]


def _decision(data: SampleData) -> tuple[_Call, ...]:
    pushing = (_push(),) if data.pushes else ()
    decision = _Call(
        name="2. Be the PSU" if not data.pushes else "2b. Be the PSU",
        method="POST",
        path="/sandbox/v1/psu-interactions",
        json_body={"url": "{{authorizationUrl}}", "psu": "{{psu}}", "result": "APPROVED"},
        before="" if data.pushes else "authorize",
        after="keep_code",
        status=200,
    )
    return (*pushing, decision)


def _push() -> _Call:
    address = "pm.collectionVariables.get('front') + '/authorize?client_id='"
    client = "encodeURIComponent(pm.collectionVariables.get('clientId'))"
    return _Call(
        name="2a. Push the authorization request",
        method="POST",
        path="/par",
        form={
            "response_type": "code",
            "client_id": "{{clientId}}",
            "redirect_uri": "{{redirectUri}}",
            "scope": "{{scope}}",
            "state": "{{state}}",
            "code_challenge": "{{codeChallenge}}",
            "code_challenge_method": "S256",
        },
        before="authorize",
        keep={"authorizationUrl": f"{address} + {client} + '&request_uri=' + encodeURIComponent(answer.request_uri)"},
        status=201,
    )


def _token() -> _Call:
    return _Call(
        name="3. Exchange the code for a token",
        method="POST",
        path="/token",
        form={
            "grant_type": "authorization_code",
            "client_id": "{{clientId}}",
            "code": "{{code}}",
            "redirect_uri": "{{redirectUri}}",
            "code_verifier": "{{codeVerifier}}",
        },
        keep={"accessToken": "answer.access_token", "refreshToken": "answer.refresh_token"},
        status=200,
    )


def _folder(name: str, calls: list[_Call]) -> Json:
    return {"name": name, "item": [_item(call) for call in calls]}


def _item(call: _Call) -> Json:
    events = [_event("prerequest", _script(call.before))] if call.before else []
    events.append(_event("test", _tests(call)))
    return {"name": call.name, "event": events, "request": _request(call), "response": []}


def _request(call: _Call) -> Json:
    headers = {"X-Request-ID": "{{$guid}}", "Accept": "application/json", **call.headers}
    request: Json = {"method": call.method, "url": _url(call)}
    if call.json_body is not None:
        headers["Content-Type"] = "application/json"
        raw = json.dumps(call.json_body, indent=2)
        request["body"] = {"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}}
    if call.form is not None:
        pairs = [{"key": name, "value": value, "type": "text"} for name, value in call.form.items()]
        request["body"] = {"mode": "urlencoded", "urlencoded": pairs}
    request["header"] = [{"key": name, "value": value} for name, value in headers.items()]
    return request


def _url(call: _Call) -> Json:
    query = "&".join(f"{name}={value}" for name, value in call.query.items())
    url: Json = {
        "raw": "{{edge}}" + call.path + (f"?{query}" if query else ""),
        "host": ["{{edge}}"],
        "path": call.path.removeprefix("/").split("/"),
    }
    return url | {"query": [{"key": key, "value": value} for key, value in call.query.items()]} if query else url


def _tests(call: _Call) -> str:
    lines = [f"pm.test('HTTP {call.status}', () => pm.response.to.have.status({call.status}));"]
    if call.keep:
        lines.append("const answer = pm.response.json();")
        lines += [f"pm.collectionVariables.set('{name}', {value});" for name, value in call.keep.items()]
    return "\n".join(lines) + "\n" + (_script(call.after) if call.after else "")


def _event(listen: str, script: str) -> Json:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": script.rstrip("\n").split("\n")}}


def _script(name: str) -> str:
    return _resource(f"{name}.js")


def _resource(name: str) -> str:
    return files("sandbox.samples").joinpath("postman", name).read_text(encoding="utf-8")
