"""When the platform's own certificates are renewed: by lead time and interval, as the operator says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from sandbox.ca.errors import InvalidProfiles
from sandbox.ca.profiles import ProfileName
from sandbox.ca.renewal import RenewalRule, with_rules
from sandbox.config import load_settings
from tests.support.certificate_authority import NOW, Setting, profiles, setting

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.ca.service import CertificateAuthority


def ruled(standing: Setting, **rules: RenewalRule) -> CertificateAuthority:
    """Return the authority as it is with these rules, by profile."""
    named = {ProfileName(name.replace("_", "-")): rule for name, rule in rules.items()}
    return standing.restarted(profiles=with_rules(profiles(), named))


def renewed_profiles(authority: CertificateAuthority) -> set[str]:
    return {record.profile for record in authority.renew_due()}


@pytest.fixture
def standing(tmp_path: Path) -> Setting:
    """Lend a home whose certificates were issued now."""
    made = setting(tmp_path)
    made.authority.ensure_hierarchy()
    return made


def test_the_lead_time_is_the_operators(standing: Setting) -> None:
    """Server certificates live for 90 days, and are renewed 30 before their end unless somebody says otherwise."""
    authority = ruled(standing, server=RenewalRule(before_days=80), internal_server=RenewalRule(before_days=1))
    standing.clock.advance(timedelta(days=9))
    assert renewed_profiles(authority) == set()
    standing.clock.advance(timedelta(days=2))
    assert renewed_profiles(authority) == {"server"}
    standing.clock.advance(timedelta(days=12))
    assert renewed_profiles(authority) == {"server", "internal-client", "ocsp-signer"}


def test_the_interval_is_the_operators(standing: Setting) -> None:
    """However long they live; again and again."""
    authority = ruled(standing, server=RenewalRule(every_days=7))
    for _ in range(2):
        standing.clock.advance(timedelta(days=6, hours=23))
        assert renewed_profiles(authority) == set()
        standing.clock.advance(timedelta(hours=2))
        assert renewed_profiles(authority) == {"server"}


def test_an_interval_does_not_put_off_what_the_lead_time_says(standing: Setting) -> None:
    authority = ruled(standing, server=RenewalRule(before_days=60, every_days=80))
    standing.clock.advance(timedelta(days=31))
    assert "server" in renewed_profiles(authority)


def test_it_is_told_when_each_is_renewed(standing: Setting) -> None:
    """As it happens then."""
    listed = {each.path.name: each.due_at for each in ruled(standing, server=RenewalRule(every_days=7)).renewals()}
    assert listed["edge.crt"] == (NOW + timedelta(days=7)).replace(microsecond=0)
    bank = x509.load_pem_x509_certificate(standing.home.server("bank").certificate.read_bytes())
    assert listed["bank.crt"] == bank.not_valid_after_utc - timedelta(days=10)
    assert isinstance(listed["gateway.crt"], datetime)


@pytest.mark.parametrize(
    ("name", "rule", "problem"),
    [
        ("server", {"before_days": 90}, "server: before_days: 90 must be less than valid_days, 90"),
        ("server", {"every_days": 90}, "server: every_days: 90 must be less than valid_days, 90"),
        ("qwac", {"every_days": 30}, "qwac: every_days: a TPP holds its key"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_name(name: str, rule: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidProfiles, match=f"SANDBOX_RENEWAL_RULES: {problem}"):
        with_rules(profiles(), {ProfileName(name): RenewalRule(**rule)})


def test_tpps_are_ahead_of_their_end_by_the_operators_lead_time(standing: Setting) -> None:
    """By it the demo app renews its own."""
    assert standing.authority.tpp_renewal_lead == timedelta(days=30)
    authority = ruled(standing, qwac=RenewalRule(before_days=45))
    assert authority.tpp_renewal_lead == timedelta(days=45)


def test_rules_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile or field that is not there is refused."""
    monkeypatch.setenv("SANDBOX_RENEWAL_RULES", '{"server": {"before_days": 20, "every_days": 30}}')
    assert load_settings().renewal_rules == {ProfileName.SERVER: RenewalRule(before_days=20, every_days=30)}
    for wrong in ('{"servers": {"before_days": 20}}', '{"server": {"after_days": 20}}', "soon"):
        monkeypatch.setenv("SANDBOX_RENEWAL_RULES", wrong)
        with pytest.raises(Exception, match="SANDBOX_RENEWAL_RULES"):
            load_settings()
