"""Strong customer authentication with everything around it in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bank_backend.sca.enrolled import EnrolledMethod
from bank_backend.sca.model import Challenge, ChallengeStatus, MethodType, Recipient, WrongCodes
from bank_backend.sca.passkeys import Passkeys
from bank_backend.sca.seeding import LABELS
from bank_backend.sca.service import ScaMethods
from bank_backend.sca.totp import base32_of, code_at, secret_of
from psd2.clock import FixedClock
from psd2.ids import PsuId, TenantId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.inbox.model import Message
    from bank_backend.sca.judging import Verdict

NOW = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
RECIPIENT = Recipient(authorisation="authorisation", tenant=TenantId("PSDDE-BAFIN-100001"), psu=PsuId("anna.weber"))
STATEMENT = "you pay 123.50 EUR to Merchant, DE02 1001 0010 9307 1186 03 from DE89 3704 0044 0532 0130 00"
ORIGIN = "https://localhost:8441"
NO_CONNECTION: Any = None


@dataclass
class FakeChallenges:
    """Challenges in a dictionary, in the order of their coming."""

    kept: dict[str, Challenge] = field(default_factory=dict)

    def add(self, _connection: object, challenge: Challenge) -> None:
        self.kept[challenge.id] = challenge

    def save(self, _connection: object, challenge: Challenge) -> None:
        self.kept[challenge.id] = challenge

    def of_authorisation(self, _connection: object, authorisation: str) -> list[Challenge]:
        return [each for each in self.kept.values() if each.authorisation == authorisation]

    def seen_of(self, connection: object, authorisation: str) -> list[Challenge]:
        return self.of_authorisation(connection, authorisation)

    def pushes_of(self, _connection: object, tenant: TenantId, psu: PsuId) -> list[Challenge]:
        waiting = [each for each in self.kept.values() if each.status is ChallengeStatus.SENT]
        return [each for each in waiting if (each.tenant, each.psu, each.type) == (tenant, psu, MethodType.PUSH)]

    def find_locked(self, _connection: object, challenge: str) -> Challenge | None:
        return self.kept.get(challenge)


@dataclass
class FakeWrongCodes:
    """The count of the only PSU there is."""

    counted: WrongCodes = field(default_factory=WrongCodes)

    def of_psu(self, _connection: object, _tenant: TenantId, _psu: PsuId) -> WrongCodes:
        return self.counted

    def save(self, _connection: object, _tenant: TenantId, _psu: PsuId, counted: WrongCodes) -> None:
        self.counted = counted


@dataclass
class FakeInbox:
    """What was delivered."""

    delivered: list[Message] = field(default_factory=list)

    def deliver(self, _connection: object, message: Message) -> None:
        self.delivered.append(message)


@dataclass
class FakeMethods:
    """The methods of the only PSU there is."""

    kept: dict[str, EnrolledMethod] = field(default_factory=dict)

    def of_psu(self, _connection: object, tenant: TenantId, psu: PsuId) -> list[EnrolledMethod]:
        return [each for each in self.kept.values() if (each.tenant, each.psu) == (tenant, psu)]

    def locked_of_psu(self, connection: object, tenant: TenantId, psu: PsuId) -> list[EnrolledMethod]:
        return self.of_psu(connection, tenant, psu)

    def add(self, _connection: object, enrolled: Sequence[EnrolledMethod]) -> None:
        self.kept |= {each.id: each for each in enrolled}

    def save(self, _connection: object, enrolled: EnrolledMethod) -> None:
        self.kept[enrolled.id] = enrolled

    def use_step(self, _connection: object, method: str, step: int) -> bool:
        known = self.kept[method]
        if known.last_step is not None and known.last_step >= step:
            return False
        self.kept[method] = replace(known, last_step=step)
        return True

    def remove(self, _connection: object, method: str) -> None:
        del self.kept[method]


class CountingCodes:
    """Codes 000001, 000002 and so on."""

    def __init__(self) -> None:
        self.made = self.salts = 0

    def code(self) -> str:
        self.made += 1
        return f"{self.made:06}"

    def salt(self) -> bytes:
        self.salts += 1
        return b"salt %011d" % self.salts


class PublishedSecrets:
    """Secrets that are test data."""

    def secret_of(self, enrolled: EnrolledMethod) -> bytes:
        return secret_of(enrolled.published_secret or "")


# RFC 6238 appendix B's.
TOTP_SECRET = b"12345678901234567890"


def method(kind: MethodType, **changes: Any) -> EnrolledMethod:
    """Return an enrolled method of Anna's; its id is its type."""
    usual: dict[str, Any] = {
        "id": kind.value,
        "tenant": RECIPIENT.tenant,
        "psu": RECIPIENT.psu,
        "type": kind,
        "label": LABELS[kind],
        "position": list(MethodType).index(kind),
        "phone": "+49 151 5550123",
        "email": "anna.weber@example.org",
        "published_secret": base32_of(TOTP_SECRET) if kind is MethodType.TOTP else None,
        "is_enrolled": True,
    }
    return EnrolledMethod(**(usual | changes))


@dataclass
class ScaDesk:
    """SCA methods with everything around them; the telephone's clock is `device`."""

    store: FakeChallenges = field(default_factory=FakeChallenges)
    inbox: FakeInbox = field(default_factory=FakeInbox)
    wrong_codes: FakeWrongCodes = field(default_factory=FakeWrongCodes)
    methods: FakeMethods = field(default_factory=FakeMethods)
    device: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    allowed: tuple[str, ...] = tuple(MethodType)

    def __post_init__(self) -> None:
        usual = (MethodType.SMS, MethodType.EMAIL, MethodType.TOTP, MethodType.PUSH)
        self.methods.add(NO_CONNECTION, [method(kind) for kind in usual])
        self.sca = ScaMethods(
            challenges=self.store,
            wrong_codes=self.wrong_codes,
            methods=self.methods,
            secrets=PublishedSecrets(),
            passkeys=Passkeys(ORIGIN),
            inbox=self.inbox,
            codes=CountingCodes(),
            allowed=lambda _connection, _tenant: self.allowed,
            device_clock=self.device,
        )

    def start(self, kind: MethodType = MethodType.SMS, *, statement: str = STATEMENT, at: datetime = NOW) -> Challenge:
        return self.sca.start(NO_CONNECTION, RECIPIENT, method=kind.value, statement=statement, now=at)

    def judge(self, code: str, *, statement: str = STATEMENT, at: datetime = NOW) -> Verdict:
        return self.sca.judge(NO_CONNECTION, RECIPIENT, code=code, statement=statement, now=at)

    def approve(self, push: str, *, statement: str = STATEMENT, at: datetime = NOW, psu: PsuId = RECIPIENT.psu) -> Verdict:
        return self.sca.approve_push(NO_CONNECTION, push, tenant=RECIPIENT.tenant, psu=psu, statement=statement, now=at)

    def shown_by_authenticator(self) -> str:
        return code_at(TOTP_SECRET, self.device.now())
