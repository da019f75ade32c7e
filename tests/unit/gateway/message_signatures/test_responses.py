"""What of an answer is signed, and which wishes of clients are fulfilled (FAPI 2.0 HTTP Signatures §5.3.2, RFC 9421 §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.message_signatures.base import NoResponseBase, ResponseBase
from gateway.message_signatures.messages import RequestMessage
from gateway.message_signatures.responses import ResponseMessage, ToBeSigned, Wish, to_be_signed, wish_of
from gateway.register.model import SigningAlg
from tests.support.message_signatures import digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = 1_800_000_000
BODY = b'{"accounts": []}'
SIGNED = (("signature-input", 'a=("@method")'), ("signature", "a=:AAAA:"), ("content-digest", digest_of(b"{}")))
TAG = 'tag="fapi-2-response"'


def request(*lines: tuple[str, str]) -> RequestMessage:
    return RequestMessage(method="GET", url="https://localhost:8443/v1/accounts", lines=lines)


def made(
    asked: RequestMessage, *, body: bytes = BODY, wish: Wish | None = None, lines: Sequence[tuple[str, str]] = ()
) -> ToBeSigned:
    found = to_be_signed(asked, ResponseMessage(status=200, lines=lines, body=body), wish or Wish(), created=NOW)
    assert found is not None
    return found


def names(found: ToBeSigned) -> list[str]:
    return [line.partition(": ")[0] for line in found.base.lines]


USUAL = ['"@status"', '"@method";req', '"@target-uri";req', '"content-digest"']


def test_status_request_and_digest_are_always_covered() -> None:
    found = made(request())
    assert list(found.base.lines) == [
        '"@status": 200',
        '"@method";req: GET',
        '"@target-uri";req: https://localhost:8443/v1/accounts',
        f'"content-digest": {digest_of(BODY)}',
    ]
    assert found.base.parameters == f"({' '.join(USUAL)});created={NOW};{TAG}"
    assert found.fields("key-1", b"xyz") == [
        ("content-digest", digest_of(BODY)),
        ("signature-input", f'sig1=({" ".join(USUAL)});created={NOW};{TAG};keyid="key-1"'),
        ("signature", "sig1=:eHl6:"),
    ]


def test_of_a_signed_request_digest_and_signature_are_covered() -> None:
    """RFC 9421 §2.4: else an answer to one request could be shown as that to another."""
    assert names(made(request(*SIGNED))) == [*USUAL, '"content-digest";req', '"signature";req', '"signature-input";req']


def test_a_seal_of_the_berlin_group_is_no_message_signature() -> None:
    """Its field has the same name, and what it covers nobody could tell."""
    assert names(made(request(("signature", 'keyId="SN=1"')))) == USUAL


def test_an_answer_without_a_body_has_no_digest() -> None:
    found = made(request(), body=b"")
    assert (names(found), found.digest) == (USUAL[:3], None)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (f"sig=();{TAG}", Wish(label="sig")),
        ('sig=("@status");created;keyid', Wish(label="sig", components=wish_of(['sig=("@status")']).components)),  # type: ignore[union-attr]
        (f'sig=();nonce="n";alg="ed25519";{TAG}', Wish(label="sig", nonce="n", alg="ed25519")),
        ('other=();tag="other", sig=()', Wish(label="sig")),
    ],
)
def test_a_wish_that_can_be_fulfilled_is_taken(asked: str, expected: Wish) -> None:
    assert wish_of([asked]) == expected


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "sig",
        "sig=1",
        'sig=("@Status")',
        'sig=("@method")',
        'sig=("@authority";req)',
        'sig=("authorization";req)',
        'sig=("content-type";sf)',
        'sig=("signature")',
        'sig=();tag="another"',
        'sig=();keyid="another-server-s"',
        'sig=();alg="hmac-sha256"',
        'sig=();alg="rsa-pss-sha512"',
        "sig=();created=1800000000",
        "sig=();expires=1800000000",
        f'sig=();nonce="{"n" * 257}"',
        "sig=(), sig=()",
    ],
)
def test_any_other_wish_is_declined(asked: str) -> None:
    """RFC 9421 §5.2: nothing is signed that the client did not mean."""
    assert wish_of([asked]) is None


def test_what_a_client_asks_for_is_covered_beside_what_always_is() -> None:
    wish = wish_of(['mine=("@status" "content-type" "@method";req);nonce="n-1";alg="ed25519"'])
    assert wish is not None
    found = made(request(), wish=wish, lines=[("content-type", "application/json")])
    assert names(found) == [*USUAL, '"content-type"']
    assert (found.label, found.algorithm) == ("mine", SigningAlg.EDDSA)
    assert found.base.parameters.endswith(f';created={NOW};nonce="n-1";alg="ed25519";{TAG}')


@pytest.mark.parametrize("lines", [[], [("content-type", "caf\xe9")]])
def test_a_wish_for_what_is_not_there_or_no_ascii_is_not_fulfilled(lines: list[tuple[str, str]]) -> None:
    wish = wish_of(['sig=("content-type")'])
    assert wish is not None
    assert to_be_signed(request(), ResponseMessage(status=200, lines=lines, body=BODY), wish, created=NOW) is None


def test_a_base_is_read_as_it_was_made() -> None:
    base = made(request(*SIGNED)).base
    assert ResponseBase.read(list(base.lines), base.parameters) == base
    assert base.text("key-1").endswith(f'\n"@signature-params": {base.parameters};keyid="key-1"')


GOOD = ['"@status": 200']


@pytest.mark.parametrize(
    ("lines", "parameters"),
    [
        (["eyJhbGciOiJFUzI1NiJ9.e30"], f"();{TAG}"),
        (GOOD, f"();{TAG}"),
        ([], f'("@status");{TAG}'),
        (['"@method": GET'], f'("@method");{TAG}'),
        (['"@status": 200\n"x": y'], f'("@status");{TAG}'),
        (['"@statu": 200'], f'("@status");{TAG}'),
        (GOOD, '("@status");tag="fapi-2-request"'),
        (GOOD, '("@status")'),
        (GOOD, f'("@status");{TAG};keyid="mine"'),
        (GOOD, f'("@status");{TAG}, b=()'),
        (GOOD, f'("@status");{TAG}\n'),
        (GOOD, 7),
        ([7], f'("@status");{TAG}'),
        (['"@status": ' + "2" * 50_000], f'("@status");{TAG}'),
    ],
)
def test_what_is_no_base_of_an_answer_is_not_signed(lines: list[object], parameters: object) -> None:
    """Whoever could have anything else signed could make tokens and request objects."""
    with pytest.raises(NoResponseBase):
        ResponseBase.read(lines, parameters)
