"""The PROXY protocol's header, versions 1 and 2: read whole or refused, never guessed."""

from __future__ import annotations

import struct

import pytest

from gateway.relays.preface import MalformedPreface, Origin, read_preface

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def version_2(command: int, family: int, block: bytes) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, family, len(block)) + block


V4 = bytes([192, 0, 2, 7, 10, 0, 0, 1]) + struct.pack("!HH", 40000, 443)
V6 = bytes.fromhex("20010db8" + "00" * 11 + "07") + bytes(16) + struct.pack("!HH", 40000, 443)
READABLE = {
    "version 1, IPv4": (b"PROXY TCP4 192.0.2.7 10.0.0.1 40000 443\r\n", "192.0.2.7"),
    "version 1, IPv6": (b"PROXY TCP6 2001:db8::7 ::1 40000 443\r\n", "2001:db8::7"),
    "version 1, unknown": (b"PROXY UNKNOWN\r\n", None),
    "version 1, unknown with addresses": (b"PROXY UNKNOWN ff:: ff:: 1 2\r\n", None),
    "version 2, IPv4": (version_2(0x21, 0x11, V4), "192.0.2.7"),
    "version 2, IPv6": (version_2(0x21, 0x21, V6), "2001:db8::7"),
    "version 2 with additions": (version_2(0x21, 0x11, V4 + b"\x04\x00\x01x"), "192.0.2.7"),
    "version 2, for itself": (version_2(0x20, 0x00, b""), None),
    "version 2, unspecified": (version_2(0x21, 0x00, b""), None),
}


@pytest.mark.parametrize(("data", "address"), READABLE.values(), ids=READABLE.keys())
def test_a_header_is_read_at_its_last_byte_and_not_before(data: bytes, address: str | None) -> None:
    for size in range(len(data)):
        assert read_preface(data[:size]) is None
    assert read_preface(data) == Origin(address, len(data))
    assert read_preface(data + b"\x16\x03\x01") == Origin(address, len(data))


MALFORMED = {
    "TLS": b"\x16\x03\x01\x02\x00",
    "HTTP": b"GET / HTTP/1.1\r\n",
    "in lower case": b"proxy TCP4 192.0.2.7 10.0.0.1 40000 443\r\n",
    "no end": b"PROXY TCP4 " + b"1" * 100,
    "another family": b"PROXY UDP4 192.0.2.7 10.0.0.1 40000 443\r\n",
    "family of the other version": b"PROXY TCP6 192.0.2.7 10.0.0.1 40000 443\r\n",
    "a name": b"PROXY TCP4 example.com 10.0.0.1 40000 443\r\n",
    "no address of ours": b"PROXY TCP4 192.0.2.7 x 40000 443\r\n",
    "five fields": b"PROXY TCP4 192.0.2.7 10.0.0.1 40000\r\n",
    "two spaces": b"PROXY  TCP4 192.0.2.7 10.0.0.1 40000 443\r\n",
    "leading zero": b"PROXY TCP4 192.0.2.7 10.0.0.1 040000 443\r\n",
    "port too high": b"PROXY TCP4 192.0.2.7 10.0.0.1 65536 443\r\n",
    "port a sign": b"PROXY TCP4 192.0.2.7 10.0.0.1 +1 443\r\n",
    "leading zeros in the address": b"PROXY TCP4 192.0.02.7 10.0.0.1 40000 443\r\n",
    "not ASCII": "PROXY TCP4 \uff11.2.3.4 10.0.0.1 40000 443\r\n".encode(),
    "version 3": version_2(0x31, 0x11, V4),
    "no such command": version_2(0x22, 0x11, V4),
    "a datagram": version_2(0x21, 0x12, V4),
    "a socket file": version_2(0x21, 0x31, bytes(216)),
    "too short for its addresses": version_2(0x21, 0x21, V4),
    "too long": SIGNATURE + struct.pack("!BBH", 0x21, 0x11, 1_025),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_such_header_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedPreface):
        read_preface(data)
