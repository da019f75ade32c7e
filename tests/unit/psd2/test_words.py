"""Roles, authorisation numbers, money, thumbprints, Client-Cert: the small words of the field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psd2.authorisation_number import AuthorisationNumber, InvalidAuthorisationNumber
from psd2.client_cert_header import MalformedClientCert, decode_client_cert, encode_client_cert
from psd2.clock import FixedClock
from psd2.money import CurrencyMismatch, InvalidMoney, Money, currency_exponent
from psd2.roles import PspRole, UnknownRole, format_roles, parse_role, parse_roles, read_roles
from psd2.thumbprints import sha256_hex, x5t_s256
from psd2.tpp_messages import MessageCode, TppMessage, tpp_messages_body

if TYPE_CHECKING:
    from collections.abc import Callable


def test_each_role_is_found_again_by_its_oid() -> None:
    """TS 119 495 §5.1: the OID is the role, its printed name is not."""
    assert [PspRole.of_oid(role.oid) for role in PspRole] == list(PspRole)
    assert PspRole.of_oid("0.4.0.19495.1.3") is PspRole.AI
    assert PspRole.of_oid("0.4.0.19495.1.9") is None


@pytest.mark.parametrize("text", ["AISP,PISP", "PSP_AI PSP_PI", "aisp, psp_pi"])
def test_roles_are_read_by_licence_and_by_wire_name(text: str) -> None:
    """A person writes AISP, a certificate PSP_AI."""
    roles = parse_roles(text)
    assert roles == {PspRole.AI, PspRole.PI}
    assert read_roles(format_roles(roles)) == roles


@pytest.mark.parametrize("text", ["", " , ", "AISP,BANKER"])
def test_an_unknown_or_missing_role_is_refused_with_the_choice(text: str) -> None:
    """The message lists what would be right."""
    with pytest.raises(UnknownRole, match="AISP"):
        parse_roles(text)


def test_an_authorisation_number_reads_into_its_parts() -> None:
    """TS 119 495 §5.2.1: an identifier may itself hold hyphens."""
    number = AuthorisationNumber.parse("PSDPL-PFSA-12-34/5")
    assert (number.country, number.nca, number.identifier, number.nca_id) == ("PL", "PFSA", "12-34/5", "PL-PFSA")
    assert str(number) == "PSDPL-PFSA-12-34/5"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("VATDE-123", "start with PSD"),
        ("PSDDE-BAFIN", "2 of the 3 parts"),
        ("PSDde-BAFIN-1", "'de'"),
        ("PSDDE-B-1", "'B'"),
        ("PSDDE-BAFIN-", "''"),
        ("PSDDE-BAFIN-1\n", "identifier"),
        ("PSDDE-BAFIN-" + "9" * 41, "identifier"),
        ("PSDDE-BAFIN-\u0661", "identifier"),
    ],
)
def test_a_wrong_authorisation_number_is_refused_by_the_part_that_is_wrong(text: str, named: str) -> None:
    """Each input is wrong in one way."""
    with pytest.raises(InvalidAuthorisationNumber, match=named):
        AuthorisationNumber.parse(text)


def test_thumbprints_follow_rfc_8705() -> None:
    """RFC 8705 §3.1: base64url of the SHA-256 of the DER, no padding."""
    assert x5t_s256(b"") == "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(st.binary(min_size=1, max_size=300))
def test_client_cert_round_trips(der: bytes) -> None:
    """RFC 9440 §2.2."""
    assert decode_client_cert(encode_client_cert(der)) == der


@pytest.mark.parametrize("value", ["", "::", "MIIB", ":MIIB", ":MII B:", ":MIIB:, :MIIB:", ":é:", ":" + "A" * 70_000 + ":"])
def test_a_malformed_client_cert_is_refused(value: str) -> None:
    """More than one value, no byte sequence, no base64, too long."""
    with pytest.raises(MalformedClientCert):
        decode_client_cert(value)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("12.34", "EUR", 1234), ("12.3", "EUR", 1230), ("-0.01", "EUR", -1), ("5", "JPY", 5), ("1.234", "KWD", 1234)],
)
def test_money_is_read_exactly(text: str, currency: str, minor: int) -> None:
    """ISO 4217 says how many digits a currency has."""
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1.005", "EUR"),
        ("1.5", "JPY"),
        ("1e3", "EUR"),
        ("+1", "EUR"),
        (".5", "EUR"),
        ("1.", "EUR"),
        ("1", "eur"),
        ("1", "EURO"),
        ("NaN", "EUR"),
        ("1" * 15, "EUR"),
        ("\uff11", "EUR"),
    ],
)
def test_money_is_never_rounded_and_never_guessed(text: str, currency: str) -> None:
    """Excess digits and every other notation are refused."""
    with pytest.raises(InvalidMoney):
        Money.parse(text, currency)


@given(st.integers(-(10**13), 10**13), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_money_round_trips_through_its_decimal_string(minor: int, currency: str) -> None:
    """What we write, we read back as the same amount."""
    amount = Money(minor, currency)
    assert Money.parse(amount.decimal, currency) == amount
    assert len(amount.decimal.partition(".")[2]) == currency_exponent(currency)


def test_currencies_never_mix() -> None:
    """Adding, subtracting and comparing refuse another currency."""
    euro, yen = Money(1, "EUR"), Money(1, "JPY")
    for mixed in (lambda: euro + yen, lambda: euro - yen, lambda: euro < yen, lambda: euro <= yen):
        with pytest.raises(CurrencyMismatch):
            mixed()


def test_a_fixed_clock_stands_still_until_moved() -> None:
    """And a naive time is refused."""
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.advance(timedelta(days=1))
    assert clock.now() == datetime(2026, 1, 2, tzinfo=UTC)
    with pytest.raises(ValueError, match="aware"):
        FixedClock(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test


def test_tpp_messages_cut_their_text_and_name_the_path() -> None:
    """BG IG §14.11: text has at most 500 characters."""
    body = tpp_messages_body(TppMessage(MessageCode.FORMAT_ERROR, "x" * 900, path="X-Request-ID"))
    assert body == {"tppMessages": [{"category": "ERROR", "code": "FORMAT_ERROR", "text": "x" * 500, "path": "X-Request-ID"}]}


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("FORMAT_ERROR", 400),
        ("RESOURCE_UNKNOWN", 404),
        ("CERTIFICATE_EXPIRED", 401),
        ("CONSENT_INVALID", 401),
        ("SERVICE_INVALID", 405),
        ("ACCESS_EXCEEDED", 429),
        ("STATUS_INVALID", 409),
        ("REFERENCE_MIX_INVALID", 400),
        ("ROLE_INVALID", 401),
    ],
)
def test_codes_carry_the_status_of_the_specification(code: str, status: int) -> None:
    """The pairs of the YAML's MessageCode4xx enumerations."""
    assert MessageCode(code).status == status


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (parse_role, "x" * 10_000),
        (AuthorisationNumber.parse, "PSDDE-BAFIN-" + "1" * 10_000),
        (AuthorisationNumber.parse, "PSDDE-" + "B" * 10_000 + "-1"),
        (AuthorisationNumber.parse, "PSD" + "D" * 10_000 + "-BAFIN-1"),
    ],
)
def test_a_refusal_repeats_no_more_than_the_beginning_of_what_it_refuses(read: Callable[[str], object], text: str) -> None:
    """It goes into answers and logs."""
    with pytest.raises(ValueError, match="write") as refused:
        read(text)

    assert len(str(refused.value)) < 500
