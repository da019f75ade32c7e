"""A PSU's browser without a screen: follows redirects, keeps cookies, fills in and sends the bank's own forms."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import requests

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT_SECONDS = (5.0, 30.0)
_MOST_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(slots=True)
class Form:
    """A form of a page: where it goes, what it already holds, which boxes and buttons it offers."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    other_actions: list[str] = field(default_factory=list)


class PsuBrowser:
    """At the bank until it is sent to `redirect_uri`, where the TPP waits: that address is noted, not opened."""

    def __init__(self, *, cafile: Path, redirect_uri: str) -> None:
        """Trust the sandbox's root only; know no certificate."""
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(cafile)
        self._redirect_uri = redirect_uri
        self.url = ""
        self.page = ""
        self.status = 0
        self.arrived_at: str | None = None

    def open(self, url: str) -> None:
        """Open an address."""
        self._go("GET", url, None)

    @property
    def forms(self) -> list[Form]:
        """The forms of the page."""
        reader = _FormReader()
        reader.feed(self.page)
        return reader.forms

    @property
    def text(self) -> str:
        """The words of the page."""
        reader = _TextReader()
        reader.feed(self.page)
        return " ".join(" ".join(reader.words).split())

    def form_to(self, step: str) -> Form:
        """Return the form that leads to a step such as `login`, by its action or a button; fails saying what page this is."""
        for form in self.forms:
            for action in (form.action, *form.other_actions):
                if action.endswith(f"/{step}"):
                    return replace(form, action=action)
        raise AssertionError(f"no form to {step!r} on {self.url} ({self.status}): {self.text[:300]}")

    def go_back_to_tpp(self) -> None:
        """Follow the last page's link back to where the request came from."""
        reader = _LinkReader()
        reader.feed(self.page)
        for link in reader.links:
            self.open(urljoin(self.url, link))
            if self.arrived_at is not None:
                return
        raise AssertionError(f"no way back on {self.url} ({self.status}): {self.text[:300]}")

    def send(self, form: Form, **changes: str | list[str]) -> None:
        """Send a form, some fields changed."""
        fields: dict[str, str | list[str]] = {**form.fields, **changes}
        self._go("POST", urljoin(self.url, form.action), fields)

    def close(self) -> None:
        """Close the browser."""
        self._session.close()

    def _go(self, method: str, url: str, fields: dict[str, str | list[str]] | None) -> None:
        for _ in range(_MOST_REDIRECTS):
            answer = self._session.request(method, url, data=fields, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
            if answer.status_code not in _REDIRECTS:
                self.url, self.page, self.status = url, answer.text, answer.status_code
                return
            method, url, fields = "GET", urljoin(url, answer.headers["Location"]), None
            if url.startswith(self._redirect_uri):
                self.arrived_at = url
                return
        raise AssertionError(f"more than {_MOST_REDIRECTS} redirects, the last to {url}")


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(action=attributes.get("action", "")))
        elif self.forms and tag == "button" and attributes.get("formaction"):
            self.forms[-1].other_actions.append(attributes["formaction"])
        elif self.forms and tag == "input" and attributes.get("name"):
            self._take_input(self.forms[-1], attributes)

    def _take_input(self, form: Form, attributes: dict[str, str]) -> None:
        kind, name, value = attributes.get("type", "text"), attributes["name"], attributes.get("value", "")
        if kind in {"checkbox", "radio"}:
            form.choices.setdefault(name, []).append(value)
        else:
            form.fields[name] = value


class _LinkReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        link = dict(attrs).get("href")
        if tag == "a" and link and not link.startswith("#"):
            self.links.append(link)


class _TextReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - html.parser's signature
        self._hidden = tag in {"style", "script"}

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - html.parser's signature
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)
