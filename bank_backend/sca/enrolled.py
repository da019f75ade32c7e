"""What the bank keeps of a PSU's method: where a code goes, a sealed secret, a passkey's public key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bank_backend.sca.masks import masked_email, masked_phone
from bank_backend.sca.model import MethodType, ScaMethod

if TYPE_CHECKING:
    from psd2.ids import PsuId, TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledMethod:
    """A method of a PSU. `is_enrolled` once its enrolment is finished.

    A TOTP has a `sealed_secret`, or a `published_secret` (base32) where it is test data; `last_step` is the newest that was
    used. A passkey has `credential` and `sign_count` (WebAuthn §6.1.1), and while it is being enrolled a `challenge`.
    """

    id: str
    tenant: TenantId
    psu: PsuId
    type: MethodType
    label: str
    position: int
    phone: str
    email: str
    published_secret: str | None = None
    sealed_secret: bytes | None = None
    last_step: int | None = None
    credential: bytes | None = None
    sign_count: int = 0
    challenge: bytes | None = None
    is_enrolled: bool = False

    @property
    def offered(self) -> ScaMethod:
        """Return the method as it is offered; where its codes go is masked."""
        return ScaMethod(id=self.id, type=self.type, name=self.name, explanation=_EXPLANATIONS[self.type])

    @property
    def name(self) -> str:
        """What the PSU recognises it by."""
        if self.type is MethodType.SMS:
            return f"Text message to {masked_phone(self.phone)}"
        return f"E-mail to {masked_email(self.email)}" if self.type is MethodType.EMAIL else self.label

    @property
    def instruction(self) -> str:
        """What the PSU has to do."""
        if self.type is MethodType.SMS:
            return f"Enter the code that we have sent to your phone {masked_phone(self.phone)}."
        if self.type is MethodType.EMAIL:
            return f"Enter the code that we have sent to {masked_email(self.email)}."
        return _INSTRUCTIONS[self.type]

    def signed(self, count: int) -> EnrolledMethod:
        """Return a passkey after a signature, with its new count."""
        return replace(self, sign_count=count)

    def finished(self) -> EnrolledMethod:
        """Return the method at the end of its enrolment: it is offered from now on."""
        return replace(self, challenge=None, is_enrolled=True)


_EXPLANATIONS: Final = {
    MethodType.SMS: "A text message brings a code; enter it.",
    MethodType.EMAIL: "An e-mail brings a code; enter it.",
    MethodType.TOTP: "Your authenticator app shows a code; enter it.",
    MethodType.PUSH: "Your bank app shows what is asked; approve it there.",
    MethodType.PASSKEY: "Your device asks for your fingerprint, face or PIN.",
}
_INSTRUCTIONS: Final = {
    MethodType.TOTP: "Enter the code that your authenticator app shows for Musterbank.",
    MethodType.PUSH: "Open your bank app, compare, and approve there.",
    MethodType.PASSKEY: "Confirm with your passkey.",
}
