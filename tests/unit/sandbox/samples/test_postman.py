"""The Postman collection: its structure (format 2.1.0), and that its variables hang together."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from psd2.roles import PspRole
from sandbox.samples.postman import collection
from tests.support.samples import NUMBER, sample_data

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLE = re.compile(r"\{\{(\$?\w+)\}\}")


def requests_of(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for folder in document["item"]:
        yield from folder["item"]


def scripts_of(node: dict[str, Any]) -> str:
    return "\n".join(line for event in node.get("event", []) for line in event["script"]["exec"])


def test_it_says_which_format_it_is() -> None:
    """Postman decides by the schema's address."""
    info = collection(sample_data())["info"]

    assert info["schema"] == "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    assert "Acme Payments GmbH" in info["name"]
    assert NUMBER in info["description"]


def test_the_description_tells_what_a_collection_can_not_hold() -> None:
    """Where the certificate goes, for Postman and for newman."""
    description = collection(sample_data())["info"]["description"]

    assert "Settings → Certificates" in description
    assert "`localhost:8443`" in description
    assert "--ssl-client-cert qwac.crt" in description


@pytest.mark.parametrize("pushes", [False, True])
def test_each_request_is_whole(*, pushes: bool) -> None:
    """Method, address in parts and as a whole, headers as pairs, bodies as their mode says."""
    for item in requests_of(collection(sample_data(pushes=pushes))):
        request = item["request"]
        assert request["method"] in {"GET", "POST", "DELETE"}
        assert request["url"]["raw"].startswith("{{edge}}/" + "/".join(request["url"]["path"]))
        assert {tuple(sorted(header)) for header in request["header"]} == {("key", "value")}
        if "body" in request:
            assert request["body"][request["body"]["mode"]]
        assert item["response"] == []


def test_each_request_has_a_fresh_request_id() -> None:
    """`$guid` is made anew each time a request is sent."""
    for item in requests_of(collection(sample_data())):
        assert {"key": "X-Request-ID", "value": "{{$guid}}"} in item["request"]["header"]


def test_raw_bodies_are_json() -> None:
    """With the variables in it still."""
    bodies = [item["request"]["body"] for item in requests_of(collection(sample_data())) if "body" in item["request"]]

    assert all(json.loads(body["raw"]) for body in bodies if body["mode"] == "raw")


@pytest.mark.parametrize("pushes", [False, True])
def test_every_variable_that_is_used_is_declared(*, pushes: bool) -> None:
    """Written with a value, or filled by a request that comes before."""
    document = collection(sample_data(pushes=pushes))
    declared = {variable["key"]: variable["value"] for variable in document["variable"]}
    filled = {name for name, value in declared.items() if value}
    for item in requests_of(document):
        used = set(_VARIABLE.findall(json.dumps(item["request"]))) - {"$guid"}
        before = "\n".join(
            line for event in item["event"] if event["listen"] == "prerequest" for line in event["script"]["exec"]
        )
        filled |= set(re.findall(r"(?:values|collectionVariables)\.set\('(\w+)'", before))
        assert used <= filled, f"{item['name']} uses {used - filled}"
        filled |= set(re.findall(r"(?:values|collectionVariables)\.set\('(\w+)'", scripts_of(item)))
    assert filled <= set(declared)


def test_a_decision_is_protected_by_pkce_state_and_issuer() -> None:
    """As a TPP's own code should do it."""
    decisions = [item for item in requests_of(collection(sample_data())) if item["name"] == "2. Be the PSU"]

    assert len(decisions) == 3
    for item in decisions:
        assert "code_challenge_method: 'S256'" in scripts_of(item)
        assert "parameters.state).to.eql(values.get('state'))" in scripts_of(item)
        assert "parameters.iss).to.eql(values.get('front'))" in scripts_of(item)


def test_no_value_of_anybody_stands_in_a_script() -> None:
    """Scripts are constant: what users chose is in variables, never in code."""
    marked = collection(sample_data(psu="MARK", client_id="MARK", redirect_uri="MARK", organisation="MARK"))

    assert "MARK" not in "".join(scripts_of(item) for item in requests_of(marked)) + scripts_of(marked)


@pytest.mark.parametrize(
    ("role", "folder"), [(PspRole.AI, "AIS"), (PspRole.PI, "PIS"), (PspRole.IC, "PIIS"), (PspRole.AS, None)]
)
def test_a_folder_for_each_role(role: PspRole, folder: str | None) -> None:
    """And one for what only a sandbox has."""
    names = [one["name"].split(":")[0] for one in collection(sample_data(roles=frozenset({role})))["item"]]

    assert names == (["Sandbox"] if folder is None else ["Sandbox", folder])
