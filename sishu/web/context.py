"""What every page knows: the house, its two languages, and what the reader may do beside reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.cache import caches
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from sishu.accounts import roles, selectors
from sishu.content import generation
from sishu.content.models import HomePage
from sishu.web import paths

# How long a link to the desk may outlive the right to sit there. The desk itself asks every time.
DUTIES_SECONDS = 60
NAMES = {"zh-hans": "私塾", "en": "Sishu"}
LABELS = {"zh-hans": "中文", "en": "EN"}
INVITATIONS = {"zh-hans": "阅读中文版", "en": "Read in English"}


@dataclass(frozen=True, slots=True)
class Language:
    """One of the languages of the house, as a link to it needs it."""

    code: str
    tag: str
    label: str
    invitation: str
    home: str


@dataclass(frozen=True, slots=True)
class House:
    """The house in one language."""

    name: str
    footer: tuple[str, ...]
    language: Language
    others: tuple[Language, ...]

    @property
    def home(self) -> str:
        return self.language.home


@dataclass(frozen=True, slots=True)
class Duties:
    """What else a reader does here; decides which links are shown, nothing more."""

    writes: bool = False
    has_studio: bool = False


def house(request: HttpRequest) -> dict[str, Any]:
    """For every template: `house`, `duties` and, for the address bar's sake, `site_url`. Costs nothing until used."""
    return {
        "house": SimpleLazyObject(house_now),
        "duties": SimpleLazyObject(partial(duties_of, getattr(request, "user", AnonymousUser()))),
        "site_url": settings.SITE_URL,
    }


def house_now() -> House:
    """The house in the language of the moment."""
    language = get_language() or settings.LANGUAGE_CODE
    return per_generation(f"house:{language}", partial(_read_house, language))


def duties_of(user: AbstractBaseUser | AnonymousUser) -> Duties:
    """What the links in the header depend on."""
    if not user.is_authenticated:
        return Duties()
    return caches["pages"].get_or_set(f"duties:{user.pk}", partial(_read_duties, user), DUTIES_SECONDS)


def per_generation(key: str, make: Callable[[], Any]) -> Any:
    """What `make` returned in this generation, kept in this process. Only for what is the same for every reader."""
    return caches["pages"].get_or_set(f"{generation.current()}:{key}", make)


def _read_house(code: str) -> House:
    home = HomePage.objects.filter(locale__language_code=code).first()
    return House(
        name=home.site_name if home else NAMES.get(code, NAMES["en"]),
        footer=tuple(home.footer.splitlines()) if home else (),
        language=_language(code),
        others=tuple(_language(other) for other, _name in settings.LANGUAGES if other != code),
    )


def _language(code: str) -> Language:
    return Language(code, paths.tag_of(code), LABELS[code], INVITATIONS[code], paths.home_path(code))


def _read_duties(user: AbstractBaseUser) -> Duties:
    return Duties(writes=selectors.may_publish(user), has_studio=user.has_perm(roles.STUDIO))
