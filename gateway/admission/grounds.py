"""Every ground on which the edge refuses, read from `grounds.toml`; this module as a program prints docs/refusals.md."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

from gateway.admission.stages import Stage
from psd2.tpp_messages import MessageCode


class OAuthError(StrEnum):
    """Error codes of RFC 6749 §4.1.2.1, §5.2, RFC 6750 §3.1 and RFC 9449 §5, §8."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - an error code, no secret
    INSUFFICIENT_SCOPE = "insufficient_scope"
    INVALID_DPOP_PROOF = "invalid_dpop_proof"
    USE_DPOP_NONCE = "use_dpop_nonce"
    SERVER_ERROR = "server_error"
    UNAVAILABLE = "temporarily_unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One ground. `text` is what anybody may read, `hint` what a developer can do, `clause` what demands it."""

    reason: str
    stage: Stage
    status: int
    code: MessageCode
    oauth: OAuthError
    text: str
    hint: str
    clause: str


def _read() -> dict[str, Ground]:
    entries = tomllib.loads((files("gateway.admission") / "grounds.toml").read_text("utf-8"))
    return {reason: _ground(reason, **entry) for reason, entry in entries.items()}


def _ground(reason: str, *, stage: str, status: int, code: str, oauth: str, text: str, hint: str, clause: str) -> Ground:
    return Ground(
        reason=reason,
        stage=Stage(stage),
        status=status,
        code=MessageCode(code),
        oauth=OAuthError(oauth),
        text=text,
        hint=hint,
        clause=clause,
    )


GROUNDS = _read()

_PAGE = """# Refusals of the edge

Made from `gateway/admission/grounds.toml` by `python -m gateway.admission.grounds`. In sandbox mode every refusal carries
`reason`, `hint` and `clause`; [`architecture.md`](architecture.md) §3.7 says where. A handshake that fails never reaches
HTTP: it stands in the audit log with a reason `tls.…` and OpenSSL's own words. The stages are those of
`gateway/admission/stages.py`: the request log shows how far a call came. A body at fault ends it at `forwarding`, since it is
read after admission, and a blocked TPP at `register`.

| reason | stage | status | `tppMessages` code | OAuth error | what it says | what to do | clause |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


def as_markdown() -> str:
    """Return the page `docs/refusals.md`."""
    return _PAGE + "".join(_row(ground) for ground in GROUNDS.values())


def _row(ground: Ground) -> str:
    cells = (
        f"`{ground.reason}`",
        ground.stage,
        ground.status,
        ground.code,
        f"`{ground.oauth}`",
        ground.text,
        ground.hint,
        ground.clause,
    )
    return f"| {' | '.join(str(cell) for cell in cells)} |\n"


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
