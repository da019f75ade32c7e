"""A CRL of 100,000 entries comes into force: what its intake costs, and how long a worker's event loop stands still.

The loop ticks each millisecond; the longest gap between two ticks is the stall that requests would feel. Beside it, in the same
run: the loop left alone, and the list made into a set of numbers in a thread, as is commonly done.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from chassis.sql.database import migrate, open_engine
from gateway.trust.service import Trust
from gateway.trust.snapshot_store import read_snapshot
from gateway.trust.store import SqlTrustStore
from psd2.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

ENTRIES, ROUNDS = 100_000, 7
_TICK_SECONDS = 0.001
_SETTLE_SECONDS = 0.3


@dataclass(frozen=True)
class Figure:
    """Medians of the rounds."""

    seconds: float
    longest_stall_milliseconds: float


class BigAuthority:
    """A CA that has revoked a great deal."""

    def __init__(self) -> None:
        """Make its key."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Benchmark CA")])
        self._now = SystemClock().now()

    def pem(self) -> str:
        """Return its certificate."""
        key = self._key.public_key()
        builder = x509.CertificateBuilder(issuer_name=self._name, subject_name=self._name, public_key=key, serial_number=1)
        builder = builder.not_valid_before(self._now).not_valid_after(self._now + dt.timedelta(days=1))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM).decode("ascii")

    def crl(self, number: int) -> bytes:
        """Return a CRL of random serial numbers."""
        entries = [self._entry() for _ in range(ENTRIES)]
        builder = x509.CertificateRevocationListBuilder(
            self._name, self._now, self._now + dt.timedelta(days=1), revoked_certificates=entries
        )
        return (
            builder.add_extension(x509.CRLNumber(number), critical=False)
            .sign(self._key, hashes.SHA256())
            .public_bytes(Encoding.DER)
        )

    def _entry(self) -> x509.RevokedCertificate:
        builder = x509.RevokedCertificateBuilder(x509.random_serial_number(), self._now)
        return builder.add_extension(x509.CRLReason(x509.ReasonFlags.superseded), critical=False).build()


async def measured(work: Callable[[], object] | None) -> Figure:
    """Run `work` in a thread, as a worker does, and watch the loop."""
    loop = asyncio.get_running_loop()
    took, stalls = [], []
    with ThreadPoolExecutor(1) as pool:
        for _ in range(ROUNDS):
            gc.collect()
            watching = loop.create_task(_longest_gap())
            await asyncio.sleep(_SETTLE_SECONDS)
            began = time.perf_counter()
            if work is not None:
                await loop.run_in_executor(pool, work)
            took.append(time.perf_counter() - began)
            await asyncio.sleep(_SETTLE_SECONDS)
            watching.cancel()
            stalls.append((await watching) * 1000)
    return Figure(statistics.median(took), statistics.median(stalls))


async def _longest_gap() -> float:
    longest, last = 0.0, time.perf_counter()
    try:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
    except asyncio.CancelledError:
        return longest


def _resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1_000_000


def _intake(engine: Engine, authority: BigAuthority) -> float:
    trust = Trust(store=SqlTrustStore(engine), clock=SystemClock())
    trust.replace("tpp", anchors=[authority.pem()], intermediates=[])
    times = []
    for number in range(1, 4):
        der = authority.crl(number)
        began = time.perf_counter()
        trust.take_crl("tpp", der)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _said(figure: Figure) -> str:
    return f"{figure.seconds * 1000:6.1f} ms, longest stall {figure.longest_stall_milliseconds:5.1f} ms"


def main() -> int:
    """Print the figures."""
    authority = BigAuthority()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/gateway.sqlite")
        migrate(engine, "gateway")
        intake = _intake(engine, authority)
        der = authority.crl(99)
        held = []
        before = _resident_megabytes()
        ours = uvloop.run(measured(lambda: held.append(read_snapshot(engine, "tpp"))))
        megabytes = (_resident_megabytes() - before) / ROUNDS
        alone = uvloop.run(measured(None))
        usual = uvloop.run(measured(lambda: frozenset(entry.serial_number for entry in x509.load_der_x509_crl(der))))
    lines = [
        f"CRL of {ENTRIES:,} entries, {len(der) / 1e6:.1f} MB of DER, medians of {ROUNDS} rounds",
        f"intake, once for all workers (parse, signature, layout, store): {intake:.2f} s",
        f"a worker's loop left alone:        {_said(alone)}",
        f"a worker takes the new list:       {_said(ours)}, {megabytes:.1f} MB held",
        f"a worker makes a set of numbers:   {_said(usual)}",
        f"time of the former to the latter:  {ours.seconds / usual.seconds:.2f}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
