"""The profiles file is read once into frozen types, and a value that makes no sense is refused by table and key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from chassis.home import Home
from sandbox.ca.errors import InvalidProfiles
from sandbox.ca.profiles import AuthorityName, ProfileName, load_profiles, profiles_path
from tests.support.certificate_authority import PROFILES_FILE, profiles

if TYPE_CHECKING:
    from pathlib import Path


def changed(tmp_path: Path, old: str, new: str) -> Path:
    """Write the tracked profiles with one change."""
    text = PROFILES_FILE.read_text()
    assert text.count(old) >= 1, f"{old!r} does not stand in the profiles"
    path = tmp_path / "profiles.toml"
    path.write_text(text.replace(old, new, 1))
    return path


def test_every_authority_and_every_profile_is_there() -> None:
    read = profiles()

    assert set(read.authorities) == set(AuthorityName)
    assert set(read.profiles) == set(ProfileName)


def test_a_profile_cannot_be_changed_once_read() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        profiles().profiles[ProfileName.QWAC].valid_days = 9_999  # type: ignore[misc]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('country = "DE"', 'country = "Germany"', r"\[authority\] country"),
        ("valid_days = 7300", 'valid_days = "7300"', r"\[authorities\.root\] valid_days"),
        ("valid_days = 7300", "valid_days = 0", r"\[authorities\.root\] valid_days"),
        ('key = "ec-p256"', 'key = "dsa-1024"', r"\[authorities\.root\] key"),
        ('key_usage = ["keyCertSign", "cRLSign"]', 'key_usage = ["cRLSign"]', r"\[authorities\.root\].*keyCertSign"),
        ('key_usage = ["digitalSignature"]', 'key_usage = ["keyCertSign"]', r"\[profiles\.qwac\].*only authorities sign"),
        ('key_usage = ["digitalSignature"]', 'key_usage = ["signing"]', r"\[profiles\.qwac\] key_usage"),
        ('policies = ["0.4.0.194112.1.6"]', "policies = []", r"\[profiles\.qwac\].*policies"),
        ('policies = ["0.4.0.194112.1.6"]', 'policies = ["QNCP-w"]', r"\[profiles\.qwac\] policies"),
        ("domain = true", "domain = false", r"\[profiles\.qwac\].*domain"),
        ("domain = true", "domian = true", r"\[profiles\.qwac\] domian"),
        ("renew_days = 30", "renew_days = 365", r"\[profiles\.qwac\].*renew_days"),
        ("valid_days = 365\n", "valid_days = 3650\n", r"\[profiles\.qwac\] valid_days: 3650"),
        ("ocsp_no_check = true", "ocsp_no_check = 1", r"\[profiles\.ocsp-signer\] ocsp_no_check"),
        ('extended_key_usage = ["OCSPSigning"]\n', "", r"\[profiles\.ocsp-signer\].*ocsp_no_check"),
        ("renew_hours = 84", "renew_hours = 168", r"\[crl\].*renew_hours"),
        ("rsa_bits_min = 2048", "rsa_bits_min = 1024", r"\[csr\] rsa_bits_min"),
        ("[profiles.qseal]", "[profiles.qsael]", r"\[profiles\.qsael\]"),
        ("[authority]", "[authority", "is no TOML"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_file_table_and_key(tmp_path: Path, old: str, new: str, named: str) -> None:
    path = changed(tmp_path, old, new)

    with pytest.raises(InvalidProfiles, match=named) as refusal:
        load_profiles(path)

    assert str(refusal.value).startswith(str(path))


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    text = PROFILES_FILE.read_text()
    path = tmp_path / "profiles.toml"
    path.write_text(text[: text.index("[profiles.ocsp-signer]")])

    with pytest.raises(InvalidProfiles, match=r"\[profiles\.ocsp-signer\]: the table is missing"):
        load_profiles(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidProfiles, match=r"profiles\.toml: cannot be read: No such file"):
        load_profiles(tmp_path / "profiles.toml")


def test_an_endless_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "profiles.toml"
    path.write_text("#" * 70_000)

    with pytest.raises(InvalidProfiles, match="larger than"):
        load_profiles(path)


def test_a_home_may_have_profiles_of_its_own(tmp_path: Path) -> None:
    home = Home(tmp_path)

    assert profiles_path(home) == PROFILES_FILE
    home.certs.mkdir()
    own = changed(home.certs, "valid_days = 365\n", "valid_days = 364\n")

    assert profiles_path(home) == own
    assert load_profiles(own).profiles[ProfileName.QWAC].valid_days == 364
