"""The header that begins a connection relayed with the PROXY protocol, versions 1 and 2: who the client is.

https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt §2. Read strictly and within bounds; nothing is guessed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

_SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_V1_START: Final = b"PROXY "
_V1_MOST_BYTES: Final = 107
_V2_HEAD_BYTES: Final = 16
_V2_MOST_BYTES: Final = 1_024  # addresses and TLVs; of the latter none is read
_V2_LOCAL, _V2_PROXY = 0x20, 0x21
_V2_UNSPECIFIED, _V2_TCP4, _V2_TCP6 = 0x00, 0x11, 0x21
_V1_FIELDS: Final = 6
_HIGHEST_PORT: Final = 65_535


class MalformedPreface(ValueError):
    """Bytes that begin no such connection; the message says why."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a preface says: the client's address, None where the relay speaks for itself; `length` bytes of it were read."""

    address: str | None
    length: int


def read_preface(data: bytes) -> Origin | None:
    """Read the preface at the beginning of `data`; None where more has to come; raises `MalformedPreface`."""
    if data[: len(_SIGNATURE)] == _SIGNATURE[: len(data)]:
        return _version_2(data)
    if data[: len(_V1_START)] == _V1_START[: len(data)]:
        return _version_1(data)
    msg = "the connection does not begin with a PROXY protocol header"
    raise MalformedPreface(msg)


def _version_1(data: bytes) -> Origin | None:
    end = data.find(b"\r\n", 0, _V1_MOST_BYTES)
    if end < 0:
        if len(data) >= _V1_MOST_BYTES:
            msg = f"the PROXY line is longer than {_V1_MOST_BYTES} bytes"
            raise MalformedPreface(msg)
        return None
    fields, length = data[:end].split(b" "), end + 2
    if fields[1] == b"UNKNOWN":
        return Origin(None, length)
    versions: dict[bytes, type[IPv4Address | IPv6Address]] = {b"TCP4": IPv4Address, b"TCP6": IPv6Address}
    if len(fields) != _V1_FIELDS or fields[1] not in versions:
        msg = "the PROXY line is not PROXY TCP4|TCP6 client server port port, nor PROXY UNKNOWN"
        raise MalformedPreface(msg)
    _require_port(fields[4])
    _require_port(fields[5])
    _address(fields[3], versions[fields[1]])
    return Origin(_address(fields[2], versions[fields[1]]), length)


def _address(field: bytes, version: type[IPv4Address | IPv6Address]) -> str:
    try:
        return str(version(field.decode("ascii")))
    except ValueError as error:
        msg = "the PROXY line has an address that is none of its kind"
        raise MalformedPreface(msg) from error


def _require_port(field: bytes) -> None:
    is_written_plainly = field.isdigit() and (field == b"0" or not field.startswith(b"0"))
    if not is_written_plainly or int(field[:6]) > _HIGHEST_PORT:
        msg = "the PROXY line has a port that is none"
        raise MalformedPreface(msg)


def _version_2(data: bytes) -> Origin | None:
    if len(data) < _V2_HEAD_BYTES:
        return None
    command, family, size = struct.unpack_from("!BBH", data, len(_SIGNATURE))
    if command not in {_V2_LOCAL, _V2_PROXY}:
        msg = "the PROXY header has another version than 2, or a command that there is not"
        raise MalformedPreface(msg)
    if size > _V2_MOST_BYTES:
        msg = f"the PROXY header has {size} bytes of addresses and additions, at most {_V2_MOST_BYTES} are read"
        raise MalformedPreface(msg)
    length = _V2_HEAD_BYTES + size
    if len(data) < length:
        return None
    if command == _V2_LOCAL or family == _V2_UNSPECIFIED:
        return Origin(None, length)
    return Origin(_address_2(family, data[_V2_HEAD_BYTES:length]), length)


def _address_2(family: int, block: bytes) -> str:
    sizes = {_V2_TCP4: (4, 12), _V2_TCP6: (16, 36)}
    if family not in sizes:
        msg = "the PROXY header is not of TCP over IPv4 or IPv6"
        raise MalformedPreface(msg)
    size, least = sizes[family]
    if len(block) < least:
        msg = "the PROXY header is too short for its addresses"
        raise MalformedPreface(msg)
    return str(ip_address(block[:size]))
