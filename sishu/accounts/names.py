"""User names: which ones exist, and when two of them are the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from django.core.validators import MinLengthValidator, RegexValidator
from django.utils.translation import gettext_lazy as _

MIN_LENGTH, MAX_LENGTH = 3, 30

# `\w` takes the letters and digits of every script. "@" stays out, so that a sign-in by name or e-mail is unambiguous.
has_name_characters = RegexValidator(
    r"^[\w.-]+\Z", _("A user name has letters, digits, and the signs . _ - only. Take out spaces and other signs.")
)
is_long_enough = MinLengthValidator(MIN_LENGTH, _("A user name has at least %(limit_value)d characters."))
VALIDATORS: list[Callable[[Any], None]] = [has_name_characters, is_long_enough]


def normal(username: str) -> str:
    """The form in which a name is stored: full-width and composed letters become plain ones (NFKC)."""
    return unicodedata.normalize("NFKC", username)


def key(username: str) -> str:
    """What two spellings of one name have in common: "Ａlice", "ALICE" and "alice" share a key."""
    # NUL is in no name, but it may be asked for, and PostgreSQL would not even look.
    return normal(normal(username).casefold()).replace("\0", "")
