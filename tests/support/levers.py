"""What shapes a tenant, without a bank: it keeps what it is told, and refuses what the bank would."""

# ruff: noqa: ARG002 - there is one tenant here, whichever number is named

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.answers import PeerRefused
from sandbox.tenants.levers import LinesRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psd2.authorisation_number import AuthorisationNumber

NOW = "2026-11-18T10:26:00+00:00"
FAULTY = b"faulty"


class LeversInMemory:
    """Implements `sandbox.tenants.levers.Levers` for one tenant; `told` is what it was asked to do."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.told: list[tuple[object, ...]] = []
        self.kept: dict[str, dict[str, Any]] = {}
        self.set: list[dict[str, Any]] = []
        self.now = NOW
        self.brought_in = b""

    def clock(self, number: AuthorisationNumber) -> dict[str, Any]:
        return {"now": self.now, "realTime": NOW, "aheadSeconds": 0 if self.now == NOW else 86_400}

    def set_clock(self, number: AuthorisationNumber, now: str) -> dict[str, Any]:
        if now < self.now:
            raise PeerRefused("bank", 422, f"now: {now} does not lie after {self.now}: it only moves forward")
        return self._moved("set", now, now)

    def advance_clock(self, number: AuthorisationNumber, by: str) -> dict[str, Any]:
        if not by.startswith("P"):
            raise PeerRefused("bank", 422, f"by: is wrong: '{by}' is no ISO 8601 duration: write one such as P1D")
        return self._moved("advance", by, "2026-11-19T10:26:00+00:00")

    def snapshots(self, number: AuthorisationNumber) -> list[dict[str, Any]]:
        return list(self.kept.values())

    def take_snapshot(self, number: AuthorisationNumber, name: str) -> dict[str, Any]:
        if name in self.kept:
            raise PeerRefused("bank", 409, f"there is a snapshot {name!r}: choose another name")
        self.kept[name] = {"name": name, "takenAt": NOW, "clock": self.now, "rows": 12, "bytes": 3_456}
        return self.kept[name]

    def restore_snapshot(self, number: AuthorisationNumber, name: str) -> dict[str, Any]:
        self._require_kept(name)
        self.told.append(("restore", name))
        return {"snapshot": name, "rowsRemoved": 4, "rowsWritten": 1, "clock": self.now}

    def delete_snapshot(self, number: AuthorisationNumber, name: str) -> None:
        self._require_kept(name)
        del self.kept[name]

    def faults(self, number: AuthorisationNumber) -> list[dict[str, Any]]:
        return self.set

    def set_fault(self, number: AuthorisationNumber, fault: Mapping[str, object]) -> dict[str, Any]:
        if not str(fault["path"]).startswith("/v"):
            raise PeerRefused("bank", 422, "path: is wrong: is no path of the interface")
        calls = fault.get("calls")
        kept = {"id": f"fault-{len(self.set) + 1}", "struck": 0, "calls": calls, "callsLeft": calls, "rate": 1.0, **fault}
        self.set.append(kept)
        return kept

    def clear_faults(self, number: AuthorisationNumber, fault_id: str | None = None) -> int:
        before = len(self.set)
        self.set = [one for one in self.set if fault_id is not None and one["id"] != fault_id]
        return before - len(self.set)

    def reset(self, number: AuthorisationNumber, seed: int | None = None) -> dict[str, Any]:
        self.told.append(("reset", seed))
        return {"psus": 16, "accounts": 24, "transactions": 16_000, "rowsRemoved": 1, "rowsWritten": 2}

    def generate(self, number: AuthorisationNumber, shape: Mapping[str, object]) -> dict[str, Any]:
        self.told.append(("generate", dict(shape)))
        made = {"psu": "ada.byron-4-1", "name": "Ada Byron", "purpose": "", "password": "amber-birch-1", "accounts": [{}]}
        return {"personas": [made], "transactions": 120}

    def export(self, number: AuthorisationNumber, wanted: str) -> bytes:
        return b'{"psus": []}' if wanted == "json" else b"PK"

    def bring_in(self, number: AuthorisationNumber, data: bytes, wanted: str) -> dict[str, Any]:
        self.told.append(("import", wanted))
        if FAULTY in data:
            lines = [("transactions", 17, "amount", "is wrong: 'ten' is no amount")]
            raise LinesRefused("one mistake, and nothing was imported", lines, 1)
        self.brought_in = data
        return {"psus": 1, "accounts": 1, "transactions": 3, "rowsRemoved": 1, "rowsWritten": 2}

    def _moved(self, how: str, by: str, now: str) -> dict[str, Any]:
        self.told.append((how, by))
        self.now = now
        return {"now": now, "realTime": NOW, "aheadSeconds": 86_400, "tasksRun": 2}

    def _require_kept(self, name: str) -> None:
        if name not in self.kept:
            raise PeerRefused("bank", 404, f"there is no snapshot {name!r}")
