"""A call as a question to the gateway's dry run (docs/evidence.md): two commands to paste, whatever the caller wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sandbox.samples.quoting import json_text, shell_quoted

if TYPE_CHECKING:
    from sandbox.calls.model import Call
    from sandbox.tpps.model import Tpp

_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_WHERE_TPPS_CALL: Final = "edge"
_LONGEST_PATH: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """The same question twice: to the client's command, and to curl."""

    tpp: str
    curl: str


def questions_about(call: Call, tpp: Tpp | None, *, edge: str) -> Questions | None:
    """Return how to ask what the gateway would say to such a call now; None where there is nothing to ask."""
    is_one = call.listener == _WHERE_TPPS_CALL and call.method in _METHODS and call.path.startswith("/")
    if tpp is None or not is_one or not call.path.isprintable() or len(call.path) > _LONGEST_PATH:
        return None
    folder = f"certs/tpps/{tpp.name}"
    document = f'{{"method": {json_text(call.method)}, "path": {json_text(call.path)}}}'
    return Questions(
        tpp=f"tpp explain {call.method} {shell_quoted(call.path)} --tpp {tpp.name}",
        curl=(
            f"curl --cacert certs/trust.pem --cert {folder}/qwac.crt --key {folder}/qwac.key \\\n"
            f"  -H 'Content-Type: application/json' {edge}/explain \\\n"
            f"  -d {shell_quoted(document)}"
        ),
    )
