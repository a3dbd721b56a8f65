"""Soft links between packages: "order:42"."""

from __future__ import annotations


def ref(noun: str, key: object) -> str:
    """The link to one thing: ref("order", 42) is "order:42"."""
    return f"{noun}:{key}"


def parse_ref(link: str) -> tuple[str, str]:
    """("order", "42") of "order:42". ValueError when it is not a link."""
    noun, colon, key = link.partition(":")
    if not (noun and colon and key):
        raise ValueError(f"{link!r} is not a link of the form noun:key.")
    return noun, key
