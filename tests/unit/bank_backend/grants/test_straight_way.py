"""A grant is answered alike before Flask is asked and by Flask: right, odd in one way, or refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import OperationalError

from bank_backend.grants.granting import Granting
from chassis.serving.straight_way import StraightWay
from tests.support.bank_core import ANNA, OTHER_TENANT, TENANT
from tests.support.bank_sca import RETURN_URL

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.bank_sca import BankDesk

PATH = "/internal/grants"
VISIT = {"client_id": TENANT, "client_name": "Fintech App", "return_url": RETURN_URL}
RIGHT = {"tenant": TENANT, "kind": "ais", "visit": VISIT, "decision": {"psu": ANNA, "result": "APPROVED"}}
TEXT = json.dumps(RIGHT)
MOST_BYTES = 256 * 1024


def changed(**members: Any) -> dict[str, str]:
    return {"data": json.dumps({name: value for name, value in (RIGHT | members).items() if value is not None})}


def decided(psu: str = ANNA, result: str = "APPROVED", **more: Any) -> dict[str, str]:
    return changed(decision={"psu": psu, "result": result} | more)


ODD: dict[str, dict[str, Any]] = {
    "right": {},
    "undecided": changed(decision=None),
    "without a visit": changed(decision=None, visit=None),
    "a decision without a visit": changed(visit=None),
    "turned down": decided(result="REJECTED"),
    "of an unknown PSU": decided(psu="nobody"),
    "an account that is not the PSU's": decided(accounts=["x"]),
    "leading elsewhere": changed(visit=VISIT | {"return_url": "https://evil.example/"}),
    "of another tenant": changed(tenant=OTHER_TENANT),
    "of no tenant": changed(tenant="PSDDE-BAFIN-999999"),
    "of no kind": changed(kind="cof"),
    "of no product": changed(kind="pis", product="nope"),
    "no consent": changed(request={"access": {}, "more": 1}),
    "a field that is not known": changed(more=1),
    "NUL": changed(tenant="a\0"),
    "no body": {"data": ""},
    "blanks": {"data": " "},
    "broken JSON": {"data": "{"},
    "a list": {"data": "[]"},
    "null": {"data": "null"},
    "a member twice": {"data": f'{TEXT[:-1]},"kind":"ais"}}'},
    "nested too deep": {"data": "[" * 100_000},
    "half a character": {"data": b'{"tenant": "\xc3"}'},
    "a lone surrogate": {"data": r'{"tenant": "\ud800"}'},
    "as much as is read": {"data": TEXT.ljust(MOST_BYTES)},
    "more than is read": {"data": TEXT.ljust(MOST_BYTES + 1)},
    "another content type": {"content_type": "text/plain"},
    "no content type": {"content_type": None},
    "a request id": {"headers": {"X-Request-ID": "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"}},
    "passed on from a listener": {"headers": {"X-Sandbox-Listener": "edge"}},
    "another caller": {"environ_overrides": {"chassis.caller": "portal"}},
    "another path": {"path": f"{PATH}/"},
    "GET": {"method": "GET"},
    "OPTIONS": {"method": "OPTIONS"},
}
NEW = {"interaction", "resource", "url"}


def posted(desk: BankDesk, request: dict[str, Any], *, straight: bool) -> TestResponse:
    way = desk.app.wsgi_app
    assert isinstance(way, StraightWay)
    usual = {"path": PATH, "method": "POST", "data": TEXT, "content_type": "application/json"}
    with pytest.MonkeyPatch.context() as patched:
        if not straight:
            patched.setattr(way, "_endpoints", {})
        return desk.app.test_client().open(**usual | {"environ_overrides": {"chassis.caller": "gateway"}} | request)


def told(answer: TestResponse) -> tuple[int, dict[str, str], object]:
    """Return the answer without its length, which goes with how JSON is written, and without what is new each time."""
    headers = {name: value for name, value in answer.headers if name != "Content-Length"}
    document = answer.get_json() if answer.is_json and answer.data else answer.data
    if isinstance(document, dict):
        document = {name: name in NEW or value for name, value in document.items()}
    return answer.status_code, headers, document


def test_both_ways_answer_alike(desk: BankDesk) -> None:
    """In status, headers and document."""
    straight, by_flask = (
        {odd: told(posted(desk, request, straight=way)) for odd, request in ODD.items()} for way in (True, False)
    )

    assert straight["right"][0] == 201
    assert {odd: (straight[odd], by_flask[odd]) for odd in ODD if straight[odd] != by_flask[odd]} == {}


@pytest.mark.parametrize("raised", [OperationalError("", None, OSError("gone")), RuntimeError("a fault")])
def test_what_fails_on_our_side_fails_alike(desk: BankDesk, monkeypatch: pytest.MonkeyPatch, raised: Exception) -> None:
    """Once, too: what was tried is not tried again by Flask."""
    tried: list[str] = []

    def fail(*_: object) -> None:
        tried.append("")
        raise raised

    monkeypatch.setattr(Granting, "grant", fail)

    straight = told(posted(desk, {}, straight=True))

    assert len(tried) == 1
    assert straight == told(posted(desk, {}, straight=False))
