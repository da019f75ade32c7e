"""What can be wrong with a signed message, each under a reason of its own: a ground of the edge (`grounds.toml`)."""

from __future__ import annotations


class SignatureFault(Exception):
    """A signature that proves nothing; `reason` names the ground, `text` says what was seen."""

    def __init__(self, reason: str, text: str, *, detail: str = "") -> None:
        super().__init__(text)
        self.reason = f"message_signature.{reason}"
        self.text = text
        self.detail = detail


class UnknownKeyId(SignatureFault):
    """A `keyid` that names none of the client's keys, as far as they are known: it may have published new ones."""

    def __init__(self) -> None:
        super().__init__("key", "The signature's keyid names no key of the client.")
