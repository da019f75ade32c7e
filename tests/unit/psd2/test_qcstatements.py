"""Statements of qualified certificates: right ones round trip, known malformed ones are read and named, others refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from cryptography.x509 import ObjectIdentifier
from hypothesis import given
from hypothesis import strategies as st

from psd2.qcstatements import MAX_DER_BYTES, MAX_STATEMENTS, decode_qcstatements, encode_qcstatements, flatten_roles
from psd2.qualified import (
    MalformedQcStatements,
    PdsLocation,
    Psd2Statement,
    QcStatements,
    QcType,
    QcVariant,
    UnencodableQcStatements,
)
from psd2.roles import PspRole

SEQUENCE, OID, UTF8, PRINTABLE, IA5 = 0x30, 0x06, 0x0C, 0x13, 0x16

COMPLIANCE = "0.4.0.1862.1.1"
TYPE = "0.4.0.1862.1.6"
PDS = "0.4.0.1862.1.5"
PSD2 = "0.4.0.19495.2"
AI, PI = "0.4.0.19495.1.3", "0.4.0.19495.1.2"

QWAC_STATEMENTS = QcStatements(
    compliance=True,
    types=frozenset({QcType.WEB}),
    pds=(PdsLocation(url="https://tsp.example/pds", language="en"),),
    psd2=Psd2Statement(roles=frozenset({PspRole.AI, PspRole.PI}), nca_name="BaFin", nca_id="DE-BAFIN"),
)


def tlv(tag: int, *contents: bytes) -> bytes:
    """Write one element with a definite length (X.690 §8.1)."""
    content = b"".join(contents)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def oid(dotted: str) -> bytes:
    """Write an object identifier (X.690 §8.19)."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    return tlv(OID, b"".join(_base128(number) for number in (first * 40 + second, *rest)))


def _base128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(0x80 | number & 0x7F)
    return bytes(reversed(digits))


def text(value: str, tag: int = UTF8) -> bytes:
    return tlv(tag, value.encode())


def role(identifier: str = AI, name: str = "PSP_AI") -> bytes:
    return tlv(SEQUENCE, oid(identifier), text(name))


def psd2_statement(roles: bytes, *, nca_name: bytes | None = None, nca_id: bytes | None = None) -> bytes:
    names = (nca_name or text("BaFin"), nca_id or text("DE-BAFIN"))
    return tlv(SEQUENCE, oid(PSD2), tlv(SEQUENCE, roles, *names))


def statements(*each: bytes) -> bytes:
    return tlv(SEQUENCE, *each)


@pytest.mark.parametrize("dotted", [COMPLIANCE, PSD2, AI])
def test_the_tests_write_object_identifiers_as_the_library_does(dotted: str) -> None:
    """The vectors below are made by hand: check the hand first."""
    encoded = encode_qcstatements(QWAC_STATEMENTS)

    assert oid(dotted) in encoded
    assert ObjectIdentifier(dotted).dotted_string == dotted


def test_a_qwac_is_encoded_as_the_specification_says() -> None:
    """TS 119 495 §5.2 and EN 319 412-5 §4, element by element."""
    expected = statements(
        tlv(SEQUENCE, oid(COMPLIANCE)),
        tlv(SEQUENCE, oid(TYPE), tlv(SEQUENCE, oid("0.4.0.1862.1.6.3"))),
        tlv(SEQUENCE, oid(PDS), tlv(SEQUENCE, tlv(SEQUENCE, text("https://tsp.example/pds", IA5), text("en", PRINTABLE)))),
        psd2_statement(tlv(SEQUENCE, role(AI, "PSP_AI"), role(PI, "PSP_PI"))),
    )

    assert encode_qcstatements(QWAC_STATEMENTS) == expected


_NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256)
_ASCII = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=80)
_PSD2 = st.builds(
    Psd2Statement,
    roles=st.frozensets(st.sampled_from(PspRole), min_size=1),
    nca_name=_NAMES,
    nca_id=_NAMES,
)
_LANGUAGES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=2)
_STATEMENTS = st.builds(
    QcStatements,
    compliance=st.booleans(),
    types=st.frozensets(st.sampled_from(QcType)),
    sscd=st.booleans(),
    pds=st.lists(st.builds(PdsLocation, url=_ASCII, language=_LANGUAGES), max_size=3).map(tuple),
    psd2=st.none() | _PSD2,
)


@given(_STATEMENTS)
def test_what_is_written_is_read_back(right: QcStatements) -> None:
    """No statement, order or length changes on the way, and a right encoding is no variant."""
    assert decode_qcstatements(encode_qcstatements(right)) == right


def test_roles_in_one_flat_sequence_are_read_and_reported() -> None:
    der = statements(psd2_statement(tlv(SEQUENCE, oid(AI), text("PSP_AI"), oid(PI), text("PSP_PI"))))

    found = decode_qcstatements(der)

    assert found.psd2 is not None
    assert found.psd2.roles == {PspRole.AI, PspRole.PI}
    assert found.variants == (QcVariant.FLAT_ROLES,)


def test_all_roles_in_one_inner_sequence_are_read_and_reported() -> None:
    der = statements(psd2_statement(tlv(SEQUENCE, tlv(SEQUENCE, oid(AI), text("PSP_AI"), oid(PI), text("PSP_PI")))))

    found = decode_qcstatements(der)

    assert found.psd2 is not None
    assert found.psd2.roles == {PspRole.AI, PspRole.PI}
    assert found.variants == (QcVariant.FLAT_ROLES,)


def test_flatten_roles_makes_the_flat_variant_and_nothing_else() -> None:
    """A test certificate is wrong in one way only: all the rest reads as before."""
    flat = flatten_roles(encode_qcstatements(QWAC_STATEMENTS))

    found = decode_qcstatements(flat)

    assert (found.psd2, found.types, found.pds) == (QWAC_STATEMENTS.psd2, QWAC_STATEMENTS.types, QWAC_STATEMENTS.pds)
    assert found.variants == (QcVariant.FLAT_ROLES,)


def test_a_single_statement_without_the_outer_sequence_is_read_and_reported() -> None:
    found = decode_qcstatements(psd2_statement(tlv(SEQUENCE, role())))

    assert found.psd2 is not None
    assert found.psd2.roles == {PspRole.AI}
    assert found.variants == (QcVariant.UNWRAPPED,)


def test_statements_side_by_side_without_the_outer_sequence_are_read_and_reported() -> None:
    found = decode_qcstatements(tlv(SEQUENCE, oid(COMPLIANCE)) + psd2_statement(tlv(SEQUENCE, role())))

    assert found.compliance
    assert found.psd2 is not None
    assert found.variants == (QcVariant.UNWRAPPED,)


def test_an_empty_string_after_qc_compliance_is_read_and_reported() -> None:
    found = decode_qcstatements(statements(tlv(SEQUENCE, oid(COMPLIANCE), text(""))))

    assert found.compliance
    assert found.variants == (QcVariant.EMPTY_VALUE,)


def test_a_wrong_role_name_beside_the_right_identifier_is_read_and_reported() -> None:
    """Key on the object identifier, whatever the authority wrote beside it."""
    found = decode_qcstatements(statements(psd2_statement(tlv(SEQUENCE, role(AI, "Account Information")))))

    assert found.psd2 is not None
    assert found.psd2.roles == {PspRole.AI}
    assert found.variants == (QcVariant.ROLE_NAME,)


def test_a_right_role_name_beside_another_identifier_grants_what_the_identifier_says() -> None:
    found = decode_qcstatements(statements(psd2_statement(tlv(SEQUENCE, role(PI, "PSP_AI")))))

    assert found.psd2 is not None
    assert found.psd2.roles == {PspRole.PI}


def test_a_role_that_psd2_does_not_know_grants_nothing_and_is_reported() -> None:
    found = decode_qcstatements(statements(psd2_statement(tlv(SEQUENCE, role("0.4.0.19495.1.9", "PSP_XX")))))

    assert found.psd2 is not None
    assert found.psd2.roles == frozenset()
    assert found.variants == (QcVariant.ROLE_UNKNOWN,)


def test_the_unspecified_role_grants_nothing_and_is_right() -> None:
    """TS 119 495 GEN-5.2.2-1 allows a single entry that says so."""
    found = decode_qcstatements(statements(psd2_statement(tlv(SEQUENCE, role("0.4.0.19495.1.0", "Unspecified")))))

    assert found.psd2 is not None
    assert (found.psd2.roles, found.variants) == (frozenset(), ())


def test_a_printable_string_for_the_authority_is_read_and_reported() -> None:
    der = statements(psd2_statement(tlv(SEQUENCE, role()), nca_id=text("DE-BAFIN", PRINTABLE)))

    found = decode_qcstatements(der)

    assert found.psd2 is not None
    assert found.psd2.nca_id == "DE-BAFIN"
    assert found.variants == (QcVariant.STRING_TYPE,)


def test_statements_that_are_not_ours_are_passed_over() -> None:
    """QcRetentionPeriod and the semantics identifiers are legal here and mean nothing to a gateway."""
    retention = tlv(SEQUENCE, oid("0.4.0.1862.1.3"), bytes.fromhex("02010a"))

    assert decode_qcstatements(statements(retention)) == QcStatements()


@pytest.mark.parametrize(
    ("der", "named"),
    [
        (b"", "empty"),
        (b"\x30", "DER"),
        (b"\x30\x80\x00\x00", "DER"),
        (statements(tlv(SEQUENCE, oid(COMPLIANCE))) + b"\x05\x00", "DER"),
        (statements(tlv(SEQUENCE, oid(COMPLIANCE), text("yes"))), "where none belongs"),
        (statements(tlv(SEQUENCE, oid(COMPLIANCE)), tlv(SEQUENCE, oid(COMPLIANCE))), "twice"),
        (statements(tlv(SEQUENCE)), "0 elements"),
        (statements(tlv(SEQUENCE, oid(COMPLIANCE), text(""), text(""))), "3 elements"),
        (statements(tlv(SEQUENCE, oid(TYPE))), "QcType"),
        (statements(tlv(SEQUENCE, oid(PDS), tlv(SEQUENCE, tlv(SEQUENCE, text("https://x", IA5))))), "PdsLocation"),
        (statements(tlv(SEQUENCE, oid(PSD2), tlv(SEQUENCE, tlv(SEQUENCE, role()), text("BaFin")))), "2 elements"),
        (statements(psd2_statement(tlv(SEQUENCE, role()), nca_name=tlv(0x04, b"BaFin"))), "UTF8String"),
        (statements(psd2_statement(tlv(SEQUENCE, role()), nca_name=tlv(UTF8, b"\xff\xfe"))), "DER"),
        (statements(psd2_statement(tlv(SEQUENCE, role()), nca_name=text("B" * 257))), "257 characters"),
        (statements(psd2_statement(tlv(SEQUENCE, text("PSP_AI"), oid(AI)))), "before any role"),
        (statements(*(tlv(SEQUENCE, oid(f"1.2.{n}")) for n in range(MAX_STATEMENTS + 1))), "at most 32"),
        (tlv(SEQUENCE, b"\x00" * MAX_DER_BYTES), "at most 16384"),
    ],
)
def test_what_is_no_known_variant_is_refused_by_name(der: bytes, named: str) -> None:
    with pytest.raises(MalformedQcStatements, match=named):
        decode_qcstatements(der)


@given(st.binary(max_size=300))
def test_noise_is_refused_with_the_one_typed_error(noise: bytes) -> None:
    """A certificate comes from a stranger: nothing in it may raise anything else."""
    with_only_typed_errors(noise)


@given(st.data())
def test_damaged_statements_are_read_or_refused_with_the_one_typed_error(data: st.DataObject) -> None:
    """Noise seldom gets past the first byte; a right encoding with a few bytes changed gets everywhere."""
    der = bytearray(encode_qcstatements(QWAC_STATEMENTS))
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(der)))

    with_only_typed_errors(bytes(der))
    with_only_typed_errors(bytes(der[:cut]))


def with_only_typed_errors(der: bytes) -> None:
    with suppress(MalformedQcStatements):
        decode_qcstatements(der)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (QcStatements(psd2=Psd2Statement(frozenset(), "BaFin", "DE-BAFIN")), "at least one role"),
        (QcStatements(psd2=Psd2Statement(frozenset({PspRole.AI}), "", "DE-BAFIN")), "NCAName"),
        (QcStatements(psd2=Psd2Statement(frozenset({PspRole.AI}), "BaFin", "D" * 257)), "NCAId"),
        (QcStatements(pds=(PdsLocation("https://tsp.example", "eng"),)), "ISO 639-1"),
        (QcStatements(pds=(PdsLocation("https://tsp.example/ä", "en"),)), "qcStatements"),
    ],
)
def test_what_no_right_certificate_may_carry_is_not_written(wrong: QcStatements, named: str) -> None:
    with pytest.raises(UnencodableQcStatements, match=named):
        encode_qcstatements(wrong)
