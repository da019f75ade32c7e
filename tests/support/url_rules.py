"""Applications are built anew for each test; what a rule of theirs is compiled to, which its text decides, is made once."""

from __future__ import annotations

from typing import Any

from werkzeug.routing import Rule


def remember_url_rules() -> None:
    """Have werkzeug give rules of equal text and converters what the first of them was compiled to; it never changes."""
    compiled: dict[tuple[object, ...], Rule] = {}
    compile_rule = Rule.compile

    def remembered(rule: Rule) -> None:
        known = compiled.get(_key(rule))
        if known is None:
            compile_rule(rule)
            compiled[_key(rule)] = rule
        else:
            _take_over(rule, known)

    Rule.compile = remembered  # type: ignore[assignment,method-assign]


def _key(rule: Rule) -> tuple[object, ...]:
    url_map: Any = rule.map
    defaults = tuple(sorted((rule.defaults or {}).items()))
    converters = frozenset(url_map.converters.items())
    return rule.rule, rule.subdomain, rule.host, defaults, rule.merge_slashes, url_map.host_matching, converters


def _take_over(rule: Rule, known: Any) -> None:
    rule._parts, rule._trace, rule._converters = known._parts, known._trace, known._converters
    rule.arguments |= known.arguments
    # A builder is a function that is told its rule when it is called.
    rule._build = known._build.__func__.__get__(rule, None)
    rule._build_unknown = known._build_unknown.__func__.__get__(rule, None)
