"""Who is recognised as whom by the names of a certificate."""

from __future__ import annotations

import pytest

from chassis.serving.callers import AcceptedCallers
from chassis.serving.listener import DeadlineSocket


def answered(*names: str) -> str:
    """Return what a caller is told whose certificate has these names; only the gateway is let in."""
    connection, told = DeadlineSocket.__new__(DeadlineSocket), list[str]()
    connection.__dict__["peer_names"] = names

    def begin(status: str, *_more: object) -> object:
        told.append(status)
        return None

    guard = AcceptedCallers(lambda _environ, _begin: [b"in"], names=frozenset({"gateway"}))
    body = b"".join(guard({"gunicorn.socket": connection, "REQUEST_METHOD": "GET", "PATH_INFO": "/"}, begin))  # type: ignore[arg-type]
    return told[0] if told else body.decode()


@pytest.mark.parametrize("names", [("gateway.internal",), ("localhost", "gateway.internal")], ids=["alone", "among others"])
def test_a_caller_is_known_by_its_internal_name(names: tuple[str, ...]) -> None:
    """Whichever of the names it is."""
    assert answered(*names) == "in"


@pytest.mark.parametrize("name", ["gateway", "gateway.example", "portal.internal", "gateway.internal.example"])
def test_another_name_is_nobody_elses(name: str) -> None:
    """The internal suffix is part of the name."""
    assert answered(name) == "403 Forbidden"
