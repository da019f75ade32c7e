"""What asks for each check: said where it is passed too; a refusal has a clause of its own (`grounds.toml`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.admission.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

CLAUSES: Final[Mapping[Stage, str]] = {
    Stage.NETWORK: "RFC 6585 §4",
    Stage.TLS: "RFC 8446 §4, RTS (EU) 2018/389 Art. 35",
    Stage.GATEWAY: "RFC 9110 §15.6.4",
    Stage.REQUEST: "RFC 9112 §3.2, RFC 9110 §7.4",
    Stage.ROUTE: "RFC 9110 §15.5.5, §15.5.6",
    Stage.ADDRESS: "docs/architecture.md §3.1",
    Stage.PRESENTED: "RTS (EU) 2018/389 Art. 34, RFC 5280 §4.1",
    Stage.BLOCK_LIST: "docs/architecture.md §3.3",
    Stage.CERTIFICATE: "RFC 5280 §6.1, TS 119 495 §5.2",
    Stage.REVOCATION: "RFC 5280 §6.3, RFC 6960 §2.2",
    Stage.QWAC: "TS 119 495 §5.3, RTS (EU) 2018/389 Art. 34",
    Stage.CONDITIONS: "docs/architecture.md §3.1",
    Stage.REGISTER: "RTS (EU) 2018/389 Art. 34(3)",
    Stage.TOKEN: "RFC 6750 §2.1",
    Stage.BINDING: "RFC 8705 §3, RFC 9449 §6.1",
    Stage.ROLE: "TS 119 495 §5.1, RTS (EU) 2018/389 Art. 34(3)",
    Stage.SCOPE: "RFC 6750 §3.1, BG IG 1.3.8 §13",
    Stage.SUBSCRIPTION: "docs/usage-plans.md",
    Stage.LIMITS: "RFC 6585 §4, BG IG 1.3.8 §14.11",
    Stage.SIGNATURE: "BG IG 1.3.8 §4.2, §12, RFC 9421 §3.2",
    Stage.FORWARDING: "RFC 9110 §7.6",
    Stage.SERVICE: "RFC 9110 §15",
}
