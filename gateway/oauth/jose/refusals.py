"""Why a signed message or a set of keys is not taken. The caller says which of OAuth's errors that becomes."""

from __future__ import annotations

from gateway.oauth.refusals import showable


class JwsRefused(Exception):
    """A signed message that is not believed; `reason` names the fault, `text` says it, `hint` what would be right."""

    def __init__(self, reason: str, text: str, *, hint: str, clause: str) -> None:
        super().__init__(text)
        self.reason = reason
        # It may hold what stands in somebody's keys, and becomes an error_description.
        self.text = showable(text)
        self.hint = hint
        self.clause = clause


class UnknownKey(JwsRefused):
    """A message by a key that is not in the set: it may be one that its owner has published since."""


class KeySetRefused(Exception):
    """A document that is no set of public keys; `field` is where the fault lies, `keys.0.n`."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
