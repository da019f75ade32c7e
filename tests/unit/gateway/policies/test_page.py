"""The page on deployments says what the code says."""

from __future__ import annotations

import json
import re
from pathlib import Path

from gateway.configuration.files import parse_documents
from gateway.configuration.snapshot import Snapshot
from gateway.policies.bodies import DeploymentBody, RouteBody
from gateway.policies.kind import DEPLOYMENTS

PAGE = (Path(__file__).parents[4] / "docs" / "deployments.md").read_text("utf-8")


def _block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_every_field_has_its_row() -> None:
    """And no row is of a field that is not there."""
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE))
    assert rows == set(DeploymentBody.model_fields) | set(RouteBody.model_fields)


def test_the_example_is_a_deployment_and_its_page_as_shown() -> None:
    """What is copied from the page works."""
    (document,) = parse_documents(_block("toml"), where="docs")
    page = DEPLOYMENTS.describe(DEPLOYMENTS.parse(document), Snapshot())
    shown = json.loads(_block("json"))
    assert (page["mutual_tls"], page["routes_without_mutual_tls"]) == (shown["mutual_tls"], shown["routes_without_mutual_tls"])
    for route, words in shown["routes"].items():
        assert page["routes"][route][: len(words)] == words  # type: ignore[index]
