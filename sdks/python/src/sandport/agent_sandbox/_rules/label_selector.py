"""The grammar of Kubernetes label selectors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Final, FrozenSet, List, Mapping, Optional

from ..exceptions import SandboxApiError

_KEY: Final = r"[A-Za-z0-9][-A-Za-z0-9_./]*"
_VALUE: Final = r"[-A-Za-z0-9_.]*"
_TERM = re.compile(
    rf"\s*(?:(?P<absent>!)\s*(?P<missing>{_KEY})"
    rf"|(?P<key>{_KEY})(?:"
    rf"\s*(?P<sign>==|=|!=)\s*(?P<value>{_VALUE})"
    rf"|\s+(?P<word>in|notin)\s*\((?P<values>[^()]*)\)"
    rf")?)\s*(?:,|$)"
)


@dataclass(frozen=True)
class Requirement:
    """One term of a selector."""

    key: str
    #: None: any value will do.
    values: Optional[FrozenSet[str]]
    #: True: a label that is as described must not be there.
    negated: bool

    def matches(self, labels: Mapping[str, str]) -> bool:
        there = self.key in labels and (self.values is None or labels[self.key] in self.values)
        return there != self.negated


@dataclass(frozen=True)
class Selector:
    """All terms must hold."""

    requirements: List[Requirement]

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(each.matches(labels) for each in self.requirements)

    @property
    def equalities(self) -> Dict[str, str]:
        """Labels that a match has for certain."""
        return {
            each.key: next(iter(each.values))
            for each in self.requirements
            if not each.negated and each.values is not None and len(each.values) == 1
        }


def parse_selector(text: Optional[str]) -> Selector:
    """:raises SandboxApiError: with status 400, for what is no selector."""
    if not text or not text.strip():
        return Selector([])
    requirements: List[Requirement] = []
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None or match.end() == position:
            raise _invalid(text)
        requirements.append(_requirement(match, text))
        if text[match.end() - 1] == "," and not text[match.end() :].strip():
            raise _invalid(text)
        position = match.end()
    return Selector(requirements)


def _requirement(match: re.Match[str], text: str) -> Requirement:
    if match["absent"]:
        return Requirement(match["missing"], None, negated=True)
    if match["sign"]:
        return Requirement(match["key"], frozenset([match["value"]]), negated=match["sign"] == "!=")
    if match["word"]:
        values = [value.strip() for value in match["values"].split(",")]
        if not all(re.fullmatch(_VALUE, value) for value in values):
            raise _invalid(text)
        return Requirement(match["key"], frozenset(values), negated=match["word"] == "notin")
    return Requirement(match["key"], None, negated=False)


def _invalid(text: str) -> SandboxApiError:
    return SandboxApiError(f"{text!r} is no label selector.", 400, "Bad Request")
