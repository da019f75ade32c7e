"""Personality files: read whole, or refused with file, line and what would be right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bank_backend.personalities.model import Demand, PaymentProduct, ScaApproach
from bank_backend.personalities.profiles import SHIPPED, ProfileRefused, load_profiles
from psd2.money import Money

if TYPE_CHECKING:
    from pathlib import Path

    from bank_backend.personalities.model import Personality


def loaded(folder: Path, text: str, name: str = "own") -> Personality:
    """Load one profile of our own."""
    (folder / f"{name}.toml").write_text(text)
    return load_profiles(folder)[name]


def refusal(folder: Path, text: str, name: str = "own") -> str:
    """Return why a profile is refused."""
    with pytest.raises(ProfileRefused) as refused:
        loaded(folder, text, name)
    return str(refused.value)


def test_six_banks_are_shipped_and_the_standard_is_the_first() -> None:
    """Nothing opens there without a token, and every request is read strictly."""
    shipped = load_profiles(None)

    assert tuple(shipped) == SHIPPED == ("standard", "strict", "lenient", "redirect-only", "decoupled", "embedded")
    standard = shipped["standard"]
    assert (standard.token, standard.signature, standard.strict_bodies) == (Demand.REQUIRED, Demand.OPTIONAL, True)
    assert set(standard.approaches) == set(ScaApproach)
    assert standard.payment_products == set(PaymentProduct)
    assert shipped["lenient"].exemption_limit == Money(3000, "EUR")


def test_every_shipped_bank_differs_from_every_other() -> None:
    """In more than its name."""
    shipped = load_profiles(None).values()
    bare = {replace(each, name="", title="", description="") for each in shipped}

    assert len(bare) == len(shipped)


def test_a_profile_of_ones_own_holds_what_differs(tmp_path: Path) -> None:
    """A list is replaced whole, the rest of a table stays."""
    own = loaded(tmp_path, 'extends = "strict"\ntitle = "Own"\n[sca]\nmethods = ["sms"]\n')

    assert (own.name, own.title, own.sca_methods) == ("own", "Own", ("sms",))
    assert own.signature is Demand.REQUIRED
    assert own.approaches == load_profiles(None)["strict"].approaches


GOOD = 'extends = "standard"\n'
FAULTS = {
    "an unknown key": (GOOD + "[sca]\ncolour = 1\n", "own.toml:3: sca.colour is no setting here"),
    "an unknown table": (GOOD + "[colours]\nred = true\n", "own.toml:2: colours is no setting here"),
    "a wrong type": (GOOD + "\n[consents]\nrecurring = 1\n", "own.toml:4: consents.recurring Input should be a valid boolean"),
    "a wrong name": (GOOD + '[sca]\napproaches = ["fax"]\n', "own.toml:3: sca.approaches Input should be 'oauth'"),
    "a name twice": (GOOD + '[sca]\nmethods = ["sms", "sms"]\n', "own.toml:3: sca.methods Value error, names something twice"),
    "a number beyond the law": (GOOD + "[consents]\nlifetime_days = 181\n", "own.toml:3: consents.lifetime_days"),
    "a missing key": ('title = "x"\ndescription = "y"\nservices = []\n', "own.toml:1: sca is missing"),
    "an amount that is none": (
        GOOD + '[sca]\nexempt_up_to = "1,5"\n',
        "own.toml:3: sca.exempt_up_to Value error, '1,5' is no amount",
    ),
    "no header's name": (GOOD + '[requests]\nheaders = ["X Y"]\n', "own.toml:3: requests.headers"),
    "no TOML": ("extends = \n", "own.toml: is no TOML"),
    "an unknown parent": ('extends = "nobody"\n', "own.toml:1: extends 'nobody', write one of decoupled"),
    "itself as parent": ('extends = "own"\n', "own.toml:1: extends own, which leads back here"),
    "a token that nobody can grant": (
        GOOD + '[sca]\napproaches = ["embedded"]\n',
        "requests.token is required, and without the approach oauth",
    ),
    "a token that is not looked at": (GOOD + '[requests]\ntoken = "off"\n', "own.toml:3: requests.token can't be off"),
    "decoupled without push": (GOOD + '[sca]\nmethods = ["sms"]\n', "own.toml:3: sca.methods lacks push"),
    "embedded without codes": (GOOD + '[sca]\nmethods = ["push"]\n', "own.toml:3: sca.methods has no method with a code"),
    "nobody to redirect": (
        GOOD + '[sca]\napproaches = ["embedded"]\n[requests]\ntoken = "optional"\nheaders_to_initiate = ["TPP-Redirect-URI"]\n',
        "own.toml:6: requests.headers_to_initiate wants TPP-Redirect-URI",
    ),
    "a confirmation of nothing": (
        GOOD + '[sca]\napproaches = ["embedded"]\nconfirmation = true\n[requests]\ntoken = "optional"\n',
        "own.toml:4: sca.confirmation is wanted",
    ),
    "products without services": (GOOD + "[payments]\nservices = []\n", "payments.products and services go together"),
    "no pages of transactions": (
        GOOD + '[accounts]\nreport_formats = ["text/plain"]\n',
        "own.toml:3: accounts.report_formats lacks",
    ),
    "no booked transactions": (
        GOOD + '[accounts]\nbooking_statuses = ["pending"]\n',
        "own.toml:3: accounts.booking_statuses offers no",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_with_its_file_and_line(tmp_path: Path, fault: str) -> None:
    """What was found, and where."""
    text, says = FAULTS[fault]

    assert says in refusal(tmp_path, text)


def test_a_fault_of_an_heir_is_told_where_the_key_is_set(tmp_path: Path) -> None:
    """In the parent's file, when that is what has it."""
    (tmp_path / "parent.toml").write_text(GOOD + "[consents]\nlifetime_days = 0\n")

    assert "parent.toml:3: consents.lifetime_days" in refusal(tmp_path, 'extends = "parent"\n')


@pytest.mark.parametrize("name", ["standard", "Own", "a--b", "x" * 41])
def test_a_profile_has_a_name_of_its_own(tmp_path: Path, name: str) -> None:
    """Shipped ones are not replaced, and a name goes over the wire and into a column."""
    assert f"{name}.toml" in refusal(tmp_path, GOOD, name)


def test_a_folder_that_is_not_there_holds_none(tmp_path: Path) -> None:
    """Most homes have none."""
    assert tuple(load_profiles(tmp_path / "nowhere")) == SHIPPED
