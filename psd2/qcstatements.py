"""Qualified certificate statements: DER to dataclass and back.

EN 319 412-5 (QcCompliance, QcType, QcSSCD, QcPDS) and TS 119 495 §5 (the PSD2 statement). Malformed encodings that real
CAs have issued are read and reported in `variants`; only the right encoding is written, but for `flatten_roles`. The
one module that uses `cryptography.hazmat.asn1`, which its authors mark unstable.
"""

from typing import Final, NamedTuple

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

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

QC_STATEMENTS_OID: Final = "1.3.6.1.5.5.7.1.3"
MAX_DER_BYTES: Final = 16_384
MAX_STATEMENTS: Final = 32
MAX_NAME_LENGTH: Final = 256  # TS 119 495 §5.2: SIZE (1..256)

_COMPLIANCE: Final = "0.4.0.1862.1.1"
_SSCD: Final = "0.4.0.1862.1.4"
_PDS: Final = "0.4.0.1862.1.5"
_TYPE: Final = "0.4.0.1862.1.6"
_PSD2: Final = "0.4.0.19495.2"
_ROLE_UNSPECIFIED: Final = "0.4.0.19495.1.0"  # TS 119 495 §5.1: a legal entry that grants nothing

_OID_TAG: Final = 0x06
_SEQUENCE_TAG: Final = 0x30
_TEXT_ENCODINGS: Final = {0x0C: "utf-8", 0x13: "ascii", 0x16: "ascii"}  # UTF8String, PrintableString, IA5String
_UTF8_TAG: Final = 0x0C


# --- writing: a SEQUENCE of optional statements is byte for byte a SEQUENCE OF those present -------------------------


@asn1.sequence
class _Bare:
    statement: ObjectIdentifier


@asn1.sequence
class _Types:
    statement: ObjectIdentifier
    types: list[ObjectIdentifier]


@asn1.sequence
class _Location:
    url: asn1.IA5String
    language: asn1.PrintableString


@asn1.sequence
class _Locations:
    statement: ObjectIdentifier
    locations: list[_Location]


@asn1.sequence
class _Role:
    oid: ObjectIdentifier
    name: str


@asn1.sequence
class _Psd2Value:
    roles: list[_Role]
    nca_name: str
    nca_id: str


@asn1.sequence
class _Psd2:
    statement: ObjectIdentifier
    value: _Psd2Value


@asn1.sequence
class _Statements:
    compliance: _Bare | None
    type: _Types | None
    sscd: _Bare | None
    pds: _Locations | None
    psd2: _Psd2 | None


def encode_qcstatements(statements: QcStatements) -> bytes:
    """Write the extension value, correctly whatever `variants` says. Raises UnencodableQcStatements."""
    try:
        return asn1.encode_der(
            _Statements(
                compliance=_bare(_COMPLIANCE, present=statements.compliance),
                type=_types(statements.types),
                sscd=_bare(_SSCD, present=statements.sscd),
                pds=_locations(statements.pds),
                psd2=_psd2(statements.psd2),
            ),
        )
    except UnencodableQcStatements:
        raise
    except (ValueError, OverflowError) as error:
        raise UnencodableQcStatements(f"qcStatements: {error}") from error


def _bare(oid: str, *, present: bool) -> _Bare | None:
    return _Bare(statement=ObjectIdentifier(oid)) if present else None


def _types(types: frozenset[QcType]) -> _Types | None:
    if not types:
        return None
    return _Types(statement=ObjectIdentifier(_TYPE), types=[ObjectIdentifier(type_) for type_ in sorted(types)])


def _locations(pds: tuple[PdsLocation, ...]) -> _Locations | None:
    if not pds:
        return None
    locations = [_Location(url=asn1.IA5String(at.url), language=asn1.PrintableString(_language(at.language))) for at in pds]
    return _Locations(statement=ObjectIdentifier(_PDS), locations=locations)


def _language(language: str) -> str:
    if len(language) != 2:  # noqa: PLR2004 - ISO 639-1 codes have two letters
        raise UnencodableQcStatements(f"QcPDS: the language is an ISO 639-1 code of two letters, not {language!r}")
    return language


def _psd2(psd2: Psd2Statement | None) -> _Psd2 | None:
    if psd2 is None:
        return None
    if not psd2.roles:
        raise UnencodableQcStatements("PSD2 statement: at least one role is needed (TS 119 495 GEN-5.2.2-1)")
    roles = [_Role(oid=ObjectIdentifier(role.oid), name=role.value) for role in sorted(psd2.roles)]
    value = _Psd2Value(roles=roles, nca_name=_sized("NCAName", psd2.nca_name), nca_id=_sized("NCAId", psd2.nca_id))
    return _Psd2(statement=ObjectIdentifier(_PSD2), value=value)


def _sized(field: str, text: str) -> str:
    if not 1 <= len(text) <= MAX_NAME_LENGTH:
        raise UnencodableQcStatements(
            f"PSD2 statement: {field} has 1 to {MAX_NAME_LENGTH} characters, not {len(text)} (TS 119 495 §5.2)"
        )
    return text


def flatten_roles(der: bytes) -> bytes:
    """Rewrite a right extension value as QcVariant.FLAT_ROLES, for test certificates. Raises MalformedQcStatements."""
    elements = _children(_elements(der)[0], "qcStatements")
    return _sequence(b"".join(_flattened(element) for element in elements))


def _flattened(element: asn1.TLV) -> bytes:
    if _statement(element).oid != _PSD2:
        return _tlv(element.tag_bytes, bytes(element.data))
    oid, value = _children(element, "QCStatement")
    roles, *names = _children(value, "PSD2 statement")
    flat = _sequence(b"".join(bytes(role.data) for role in _children(roles, "RolesOfPSP")))
    rest = b"".join(_tlv(name.tag_bytes, bytes(name.data)) for name in names)
    return _sequence(_tlv(oid.tag_bytes, bytes(oid.data)) + _sequence(flat + rest))


# --- reading: element by element, so that the known variants can be told apart ---------------------------------------


@asn1.sequence
class _Elements:
    items: list[asn1.TLV]


class _Statement(NamedTuple):
    oid: str
    value: asn1.TLV | None


def decode_qcstatements(der: bytes) -> QcStatements:
    """Read the extension value, known variants included. Raises MalformedQcStatements, nothing else."""
    if len(der) > MAX_DER_BYTES:
        raise MalformedQcStatements(f"qcStatements: {len(der)} bytes, at most {MAX_DER_BYTES} are read")
    try:
        return _decode(der)
    except MalformedQcStatements:
        raise
    except (ValueError, OverflowError) as error:
        raise MalformedQcStatements(f"qcStatements: not the DER of TS 119 495 §5 nor a known variant of it: {error}") from error


def _decode(der: bytes) -> QcStatements:
    variants: set[QcVariant] = set()
    statements = _by_oid(_statements(der, variants))
    return QcStatements(
        compliance=_is_present(_COMPLIANCE, statements, variants),
        types=_read_types(statements.get(_TYPE)),
        sscd=_is_present(_SSCD, statements, variants),
        pds=_read_locations(statements.get(_PDS)),
        psd2=_read_psd2(statements.get(_PSD2), variants),
        variants=tuple(sorted(variants)),
    )


def _statements(der: bytes, variants: set[QcVariant]) -> list[_Statement]:
    top = _elements(der)
    if not top:
        raise MalformedQcStatements("qcStatements: the extension is empty")
    inner = _children(top[0], "qcStatements") if len(top) == 1 else top
    if len(top) != 1 or (inner and _tag(inner[0]) == _OID_TAG):
        variants.add(QcVariant.UNWRAPPED)
        inner = top
    if len(inner) > MAX_STATEMENTS:
        raise MalformedQcStatements(f"qcStatements: {len(inner)} statements, at most {MAX_STATEMENTS} are read")
    return [_statement(element) for element in inner]


def _statement(element: asn1.TLV) -> _Statement:
    parts = _children(element, "QCStatement")
    if not 1 <= len(parts) <= 2:  # noqa: PLR2004 - RFC 3739 §3.2.6: statementId and an optional statementInfo
        raise MalformedQcStatements(
            f"qcStatements: a statement has {len(parts)} elements, one or two were expected (RFC 3739 §3.2.6)"
        )
    return _Statement(oid=_oid(parts[0]), value=parts[1] if len(parts) > 1 else None)


def _by_oid(statements: list[_Statement]) -> dict[str, _Statement]:
    """Index them; a repeated statement is refused, since nothing says which one counts."""
    found: dict[str, _Statement] = {}
    for statement in statements:
        if statement.oid in found:
            raise MalformedQcStatements(f"qcStatements: statement {statement.oid} stands there twice")
        found[statement.oid] = statement
    return found


def _is_present(oid: str, statements: dict[str, _Statement], variants: set[QcVariant]) -> bool:
    statement = statements.get(oid)
    if statement is not None and statement.value is not None:
        if bytes(statement.value.data):
            raise MalformedQcStatements(f"qcStatements: statement {oid} has a value where none belongs (EN 319 412-5 §4.2)")
        variants.add(QcVariant.EMPTY_VALUE)
    return statement is not None


def _read_types(statement: _Statement | None) -> frozenset[QcType]:
    if statement is None:
        return frozenset()
    known = {type_.value: type_ for type_ in QcType}
    oids = [_oid(element) for element in _children(statement.value, "QcType")]
    return frozenset(known[oid] for oid in oids if oid in known)


def _read_locations(statement: _Statement | None) -> tuple[PdsLocation, ...]:
    if statement is None:
        return ()
    pairs = [_children(element, "PdsLocation") for element in _children(statement.value, "QcPDS")]
    if any(len(pair) != 2 for pair in pairs):  # noqa: PLR2004 - EN 319 412-5 §4.3.4: url and language
        raise MalformedQcStatements("qcStatements: a PdsLocation has a URL and a language (EN 319 412-5 §4.3.4)")
    return tuple(PdsLocation(url=_text(url), language=_text(language)) for url, language in pairs)


def _read_psd2(statement: _Statement | None, variants: set[QcVariant]) -> Psd2Statement | None:
    if statement is None:
        return None
    parts = _children(statement.value, "PSD2 statement")
    if len(parts) != 3:  # noqa: PLR2004 - TS 119 495 §5.2: rolesOfPSP, nCAName, nCAId
        raise MalformedQcStatements(
            f"PSD2 statement: {len(parts)} elements, expected roles, NCAName and NCAId (TS 119 495 §5.2)"
        )
    if any(_tag(part) != _UTF8_TAG for part in parts[1:]):
        variants.add(QcVariant.STRING_TYPE)
    return Psd2Statement(roles=_read_roles(parts[0], variants), nca_name=_text(parts[1]), nca_id=_text(parts[2]))


def _read_roles(element: asn1.TLV, variants: set[QcVariant]) -> frozenset[PspRole]:
    entries = _children(element, "RolesOfPSP")
    pairs = [_children(entry, "RoleOfPSP") for entry in entries if _tag(entry) == _SEQUENCE_TAG]
    if len(pairs) != len(entries) or any(_role_count(pair) != 1 for pair in pairs):
        variants.add(QcVariant.FLAT_ROLES)
        pairs = _regrouped(entries)
    return frozenset(role for pair in pairs if (role := _role(pair, variants)) is not None)


def _role_count(parts: list[asn1.TLV]) -> int:
    return sum(_tag(part) == _OID_TAG for part in parts)


def _regrouped(entries: list[asn1.TLV]) -> list[list[asn1.TLV]]:
    """Start a role at each object identifier, wherever the SEQUENCE boundaries were put."""
    flat = [part for entry in entries for part in (_children(entry, "RoleOfPSP") if _tag(entry) == _SEQUENCE_TAG else [entry])]
    roles: list[list[asn1.TLV]] = []
    for part in flat:
        if _tag(part) == _OID_TAG:
            roles.append([part])
        elif roles:
            roles[-1].append(part)
        else:
            raise MalformedQcStatements("PSD2 statement: a role name stands before any role (TS 119 495 §5.2)")
    return roles


def _role(parts: list[asn1.TLV], variants: set[QcVariant]) -> PspRole | None:
    """Key on the object identifier: CAs have written all sorts of names beside it."""
    oid, names = _oid(parts[0]), [_text(part) for part in parts[1:]]
    if oid == _ROLE_UNSPECIFIED:
        return None
    role = PspRole.of_oid(oid)
    if role is None:
        variants.add(QcVariant.ROLE_UNKNOWN)
    elif names != [role.value]:
        variants.add(QcVariant.ROLE_NAME)
    if any(_tag(part) != _UTF8_TAG for part in parts[1:]):
        variants.add(QcVariant.STRING_TYPE)
    return role


def _elements(content: bytes) -> list[asn1.TLV]:
    """List the elements in `content`, as though it were the content of a SEQUENCE."""
    return asn1.decode_der(_Elements, _sequence(_sequence(content))).items


def _children(element: asn1.TLV | None, what: str) -> list[asn1.TLV]:
    if element is None or _tag(element) != _SEQUENCE_TAG:
        raise MalformedQcStatements(f"{what}: a SEQUENCE was expected")
    return _elements(bytes(element.data))


def _sequence(content: bytes) -> bytes:
    """Put a SEQUENCE header before `content`: the library reads no list at the root."""
    return _tlv(bytes((_SEQUENCE_TAG,)), content)


def _tlv(tag: bytes, content: bytes) -> bytes:
    if len(content) < 0x80:  # noqa: PLR2004 - X.690 §8.1.3: the short form ends at 127
        return tag + bytes((len(content),)) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return tag + bytes((0x80 | len(length),)) + length + content


def _tag(element: asn1.TLV) -> int:
    """Give the tag as one byte; all tags here are below 31, others match nothing."""
    return element.tag_bytes[0] if len(element.tag_bytes) == 1 else -1


def _oid(element: asn1.TLV) -> str:
    oid: ObjectIdentifier = element.parse(ObjectIdentifier)
    return oid.dotted_string


def _text(element: asn1.TLV) -> str:
    encoding = _TEXT_ENCODINGS.get(_tag(element))
    if encoding is None:
        raise MalformedQcStatements(f"qcStatements: a UTF8String was expected, found tag 0x{element.tag_bytes.hex()}")
    text = bytes(element.data).decode(encoding)
    if len(text) > MAX_NAME_LENGTH:
        raise MalformedQcStatements(f"qcStatements: a text of {len(text)} characters, at most {MAX_NAME_LENGTH} are read")
    return text
