"""What the register refuses, as one tree; `code` is stable and dotted, the message is for people."""

from __future__ import annotations

from dataclasses import dataclass


class RegisterError(Exception):
    """Anything that the register refuses or cannot finish."""

    code = "register.error"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field, and what would be right."""

    field: str
    text: str


class RegistrationRefused(RegisterError):
    """Data with which no TPP can be registered; names every field that is wrong."""

    code = "register.invalid"

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """Take all faults at once, so that nobody has to try one after the other."""
        super().__init__("; ".join(f"{fault.field}: {fault.text}" for fault in faults))
        self.faults = faults


class ClientRefused(RegistrationRefused):
    """An OAuth client that the gateway does not take; its faults are named by the members of RFC 7591."""

    code = "register.client_invalid"


class RegistrationConflict(RegisterError):
    """The name or number belongs to a TPP already; `field` says which of the two."""

    code = "register.conflict"

    def __init__(self, message: str, *, field: str = "authorisation_number") -> None:
        """Say that it is taken, and never by whom."""
        super().__init__(message)
        self.field = field


class RegisterFull(RegisterError):
    """As many TPPs as this platform takes are registered."""

    code = "register.full"


class TppBlocked(RegisterError):
    """The operator keeps this TPP out, and it can't undo that."""

    code = "register.blocked"


class UnknownTpp(RegisterError):
    """No TPP has this name or number."""

    code = "register.unknown"

    def __init__(self, wanted: str) -> None:
        """Say which."""
        super().__init__(f"no TPP {wanted!r} is registered here; `sandbox tpp list` shows those that are")


class RegistrationInterrupted(RegisterError):
    """A service was out of reach half-way; running the same registration again continues."""

    code = "register.interrupted"

    def __init__(self, peer: str, detail: str, done: tuple[str, ...]) -> None:
        """Name the service, and the steps that need no repetition."""
        so_far = f"done so far: {', '.join(done)}" if done else "nothing is lost"
        super().__init__(
            f"the {peer} service can't be reached ({detail}); {so_far}. Run the same registration again: it continues"
        )
        self.peer = peer
        self.done = done


class AccessDenied(RegisterError):
    """The registration access token is missing or not this TPP's."""

    code = "register.access_denied"

    def __init__(self) -> None:
        """Say the same for an unknown TPP: who asks without the token learns nothing."""
        super().__init__("present the TPP's registration_access_token: `Authorization: Bearer …`")
