"""The Python program: runs with whatever values, and reads as it was written."""

from __future__ import annotations

import ast
import sys

import pytest

from psd2.roles import PspRole
from sandbox.samples.script import script
from tests.support.samples import sample_data


def settings_of(program: str) -> dict[str, object]:
    """Return the constants that the program begins with."""
    found = {}
    for node in ast.parse(program).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value.value
    return found


def test_the_values_are_the_tpps_own() -> None:
    """Nothing is left to fill in."""
    settings = settings_of(script(sample_data()))

    assert settings["CLIENT_ID"] == "PSDDE-BAFIN-100042"
    assert settings["REDIRECT_URI"] == "https://tpp.example/callback"
    assert (settings["EDGE"], settings["PSU"]) == ("https://localhost:8443", "anna.weber")
    assert (settings["CERTIFICATE"], settings["KEY"], settings["TRUST"]) == ("qwac.crt", "qwac.key", "trust.pem")


@pytest.mark.parametrize("text", ['"; import os; os.abort()  #', "'''", "\\", '"""', "#SETTINGS#", "{EDGE}", "ü€"])
def test_a_value_is_a_string_whatever_it_holds(text: str) -> None:
    """The program parses, and the value is what it was."""
    settings = settings_of(script(sample_data(redirect_uri=text, psu=text, client_id=text)))

    assert (settings["REDIRECT_URI"], settings["PSU"], settings["CLIENT_ID"]) == (text, text, text)


@pytest.mark.parametrize(("role", "walk"), [(PspRole.AI, "accounts"), (PspRole.PI, "payment"), (PspRole.IC, "funds")])
def test_it_walks_what_the_tpp_may(role: PspRole, walk: str) -> None:
    """Run without arguments, it does not end in a refusal for want of a role."""
    assert settings_of(script(sample_data(roles=frozenset({role}))))["WALK"] == walk


def test_it_needs_requests_and_nothing_else() -> None:
    """Everything else is in the standard library."""
    tree = ast.parse(script(sample_data()))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name.split(".")[0] for name in names} - sys.stdlib_module_names == {"requests"}
