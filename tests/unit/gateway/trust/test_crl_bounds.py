"""A list that is too large in any respect is refused before a parser makes objects of it."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.trust.crl import read_crl
from gateway.trust.crl_bounds import MOST_BESIDE_BYTES, MOST_BYTES, MOST_ENTRIES, MOST_ENTRY_BYTES, require_bounded
from gateway.trust.model import TrustRefusal
from tests.support.pki import Authority

if TYPE_CHECKING:
    from collections.abc import Callable

ALGORITHM: Final = bytes.fromhex("300a06082a8648ce3d040302")
TIMES: Final = b"\x17\x0d260101000000Z" + b"\x17\x0d270101000000Z"
ENTRY: Final = b"\x30\x12\x02\x01\x05\x17\x0d260101000000Z"
MOST_MEGABYTES: Final = 60


def element(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


NAME: Final = element(0x31, element(0x30, bytes.fromhex("06035504030c0161")))


def crl(*, name: bytes = NAME, times: bytes = TIMES, entries: bytes = b"", extensions: bytes = b"") -> bytes:
    listed = element(0x30, entries) if entries else b""
    extended = element(0xA0, element(0x30, extensions)) if extensions else b""
    signed = b"\x02\x01\x01" + ALGORITHM + element(0x30, name) + times + listed + extended
    return element(0x30, element(0x30, signed) + ALGORITHM + element(0x03, b"\x00" * 9))


def extension(octets: int) -> bytes:
    """Return a freshestCRL with so many names, of three octets each."""
    return element(0x30, bytes.fromhex("0603551d2e") + element(0x04, element(0x30, b"\x82\x01a" * (octets // 3))))


def entry_of(octets: int) -> bytes:
    return element(0x30, ENTRY[2:] + element(0x30, extension(octets)))


TOO_LARGE: Final[dict[str, tuple[Callable[[], bytes], str]]] = {
    "in all": (lambda: bytes(MOST_BYTES + 1), f"at most {MOST_BYTES} are read"),
    "its name": (lambda: crl(name=NAME * 1_000_000), "beside its entries"),
    "its extensions": (lambda: crl(extensions=extension(15_000_000)), "beside its entries"),
    "its entries, in number": (lambda: crl(entries=ENTRY * (MOST_ENTRIES + 1)), f"more than {MOST_ENTRIES} entries"),
    "one entry": (lambda: crl(entries=ENTRY + entry_of(MOST_ENTRY_BYTES)), "its entry 2 has"),
    "entries without nextUpdate": (lambda: crl(times=TIMES[:15], entries=ENTRY * (MOST_ENTRIES + 1)), "entries: leave out"),
}


@pytest.mark.parametrize("which", TOO_LARGE)
def test_a_list_is_refused_that_is_too_large_in_one_respect(which: str) -> None:
    make, said = TOO_LARGE[which]
    with pytest.raises(TrustRefusal, match=said):
        require_bounded(make())


def test_what_is_just_not_too_large_is_read_on() -> None:
    """These are no lists that a parser takes; their size is no reason."""
    for entries in (ENTRY * MOST_ENTRIES, entry_of(MOST_ENTRY_BYTES - 100)):
        require_bounded(crl(entries=entries))
    require_bounded(crl(extensions=extension(MOST_BESIDE_BYTES - 300)))


@pytest.mark.parametrize(
    "der", [b"", b"\x30", b"\x30\x80", b"\x30\x05\x30", b"\x30\x84\xff\xff\xff\xff", b"\x30\x03\x1f\x81\x01", crl()[:-3]]
)
def test_lengths_that_do_not_fit_together_are_refused(der: bytes) -> None:
    with pytest.raises(TrustRefusal, match="no readable CRL"):
        require_bounded(der)


def test_every_octet_of_a_right_list_may_be_wrong() -> None:
    """Whatever it becomes, it is looked at to its end or refused."""
    authority = Authority("Bounded")
    der = authority.crl(authority.qwac(), number=3).public_bytes(Encoding.DER)
    require_bounded(der)
    for place in range(len(der)):
        for value in (0x00, 0x30, 0x7F, 0x80, 0x84, 0xFF):
            try:
                require_bounded(der[:place] + bytes([value]) + der[place + 1 :])
            except TrustRefusal as refused:
                assert refused.field == "crl"  # noqa: PT017 - either way is right, and no other error is


def test_what_is_too_large_takes_no_memory() -> None:
    """In a process of its own: an issuer's name of 12 MB would take ten times this, parsed."""
    done = subprocess.run([sys.executable, "-m", __name__], capture_output=True, text=True, timeout=60, check=True)
    assert float(done.stdout) < MOST_MEGABYTES


def main() -> None:
    """Print by how many megabytes this process has grown at most, its input left out."""
    lists = [make() for make, _ in TOO_LARGE.values()]
    before = peak_megabytes()
    for der in lists:
        try:
            read_crl(der, authorities=[], now=dt.datetime.now(dt.UTC))
        except TrustRefusal:
            continue
    sys.stdout.write(str(peak_megabytes() - before))


def peak_megabytes() -> float:
    """Return the most that this program has held: `ru_maxrss` would begin with what its parent held."""
    (line,) = [each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
