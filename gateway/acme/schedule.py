"""When a certificate is ordered: judgements on what stands and what was tried, without I/O."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.acme.model import KeyType

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cryptography import x509

    from gateway.acme.model import AcmeCertificate, Progress
    from gateway.certificates.model import CertificateVersion

_FIRST_PAUSE: Final = timedelta(minutes=5)
LONGEST_PAUSE: Final = timedelta(hours=6)
_AFTER_SUCCESS: Final = timedelta(hours=1)
_LONGEST_ASKED: Final = timedelta(days=1)
_MOST_DOUBLINGS: Final = 10


class Step(StrEnum):
    """What is to be done about a certificate now."""

    NOTHING = "nothing"
    ORDER = "order"
    ASK = "ask"  # the CA, when it would renew


def next_step(wanted: AcmeCertificate, standing: CertificateVersion | None, progress: Progress, now: datetime) -> Step:
    """Return what is to be done; a process that has taken it on is left alone with it."""
    if progress.leased_until is not None and now < progress.leased_until:
        return Step.NOTHING
    if reason_to_order(wanted, standing, progress, now) is not None:
        is_same_try = progress.wanted == wanted.fingerprint
        waits = is_same_try and progress.next_try_at is not None and now < progress.next_try_at
        return Step.NOTHING if waits else Step.ORDER
    is_ours = standing is not None and standing.sha256 == progress.sha256
    asks = wanted.asks_when and is_ours and progress.ask_at is not None and progress.ask_at <= now
    return Step.ASK if asks else Step.NOTHING


def reason_to_order(
    wanted: AcmeCertificate, standing: CertificateVersion | None, progress: Progress, now: datetime
) -> str | None:
    """Return why a new version is needed, None where the one in force will do."""
    if standing is None or standing.key_pem is None:
        return "there is none with a private key yet"
    missing = [name for name in wanted.names if name not in {each.lower() for each in standing.dns_names}]
    if missing:
        return f"the one in force lacks {', '.join(missing)}"
    if key_type_of(standing.leaf) is not wanted.key_type:
        return f"the one in force has no {wanted.key_type} key"
    due = renewal_time(wanted, standing, progress)
    if due <= now:
        return f"the one in force ends at {standing.not_after.isoformat()}, and is renewed from {due.isoformat()} on"
    return None


def renewal_time(wanted: AcmeCertificate, standing: CertificateVersion, progress: Progress) -> datetime:
    """Return when the version in force is renewed: by the operator's lead time, or earlier where the CA suggests it."""
    life = standing.not_after - standing.leaf.not_valid_before_utc
    # With a lead longer than its life a certificate would be renewed without end.
    due = standing.not_after - min(wanted.renew_before, life / 2)
    is_suggested = wanted.asks_when and progress.renew_at is not None and progress.sha256 == standing.sha256
    return min(due, progress.renew_at) if is_suggested and progress.renew_at is not None else due


def pause_after(failures: int, *, asked: timedelta | None, random: Callable[[], float]) -> timedelta:
    """Return how long to wait after so many failures in a row; `random` gives numbers from 0 to 1.

    Twice as long each time, up to a bound, a quarter more or less of it: neither CAs' limits are worn out (five failed
    validations an hour are usual), nor do gateways that failed together come back together.
    """
    pause = min(_FIRST_PAUSE * (1 << min(max(failures - 1, 0), _MOST_DOUBLINGS)), LONGEST_PAUSE)
    return max(pause * (0.75 + random() / 2), min(asked or timedelta(), _LONGEST_ASKED))


def pause_after_success(obtained: CertificateVersion) -> timedelta:
    """Return how long nothing is ordered then, whatever it looks like.

    A CA whose certificates are due at once is not to be asked without end, nor any by a clock that is wrong.
    """
    return min(_AFTER_SUCCESS, (obtained.not_after - obtained.leaf.not_valid_before_utc) / 4)


def key_type_of(certificate: x509.Certificate) -> KeyType | None:
    """Return the type of a certificate's key, None where it is none of those that are ordered."""
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return {"secp256r1": KeyType.EC_P256, "secp384r1": KeyType.EC_P384}.get(key.curve.name)
    if isinstance(key, rsa.RSAPublicKey):
        return {2048: KeyType.RSA_2048, 3072: KeyType.RSA_3072, 4096: KeyType.RSA_4096}.get(key.key_size)
    return None
