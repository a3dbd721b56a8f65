"""Plug-ins: dotted paths in `settings.PLUGINS`, so that the operator sees all of them on one screen."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.module_loading import import_string

# kind → name → (dotted path, options); options become keyword arguments of a class. A bare path names a function.
Table = dict[str, dict[str, "str | tuple[str, dict[str, Any]]"]]

# Made with more than their options, and checked by who makes them: sishu.commerce.merchants.
MADE_ELSEWHERE = {"gateways"}


def table() -> Table:
    """The whole table of the settings."""
    return settings.PLUGINS


def names(kind: str) -> list[str]:
    """The names of one kind, in the order of the settings."""
    return list(table().get(kind, {}))


@cache
def load(kind: str, name: str) -> Any:
    """The plug-in of that kind and name: an instance when options are given, else the object itself."""
    entry = _entry(kind, name)
    if isinstance(entry, str):
        return import_string(entry)
    path, options = entry
    return import_string(path)(**options)


def find_class(kind: str, name: str) -> tuple[Any, dict[str, Any]]:
    """The class of a plug-in and a copy of its options, for who adds to them. ImportError for one that is not there."""
    entry = _entry(kind, name)
    path, options = (entry, {}) if isinstance(entry, str) else entry
    return import_string(path), dict(options)


def _entry(kind: str, name: str) -> str | tuple[str, dict[str, Any]]:
    known = table().get(kind, {})
    if name not in known:
        raise ImproperlyConfigured(f"No {kind} plug-in {name!r}; known: {', '.join(known) or 'none'}.")
    return known[name]


def load_all(kind: str) -> dict[str, Any]:
    """Every plug-in of a kind by name."""
    return {name: load(kind, name) for name in names(kind)}


@receiver(setting_changed)
def _forget(*, setting: str, **_kwargs: Any) -> None:
    if setting == "PLUGINS":
        load.cache_clear()


@register
def check_plugins(**_kwargs: Any) -> list[CheckMessage]:
    """Import each plug-in at start, so that a typing error shows before a payment does."""
    problems: list[CheckMessage] = []
    for kind in table():
        make = find_class if kind in MADE_ELSEWHERE else load
        for name in names(kind):
            try:
                make(kind, name)
            except Exception as error:  # noqa: BLE001  any failure of a third party's module is the operator's to read
                problems.append(Error(f"{kind} plug-in {name!r} cannot be loaded: {error}", id="sishu.E001"))
    return problems
