"""What every page knows: the house, its two languages, and what the reader may do beside reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.cache import caches
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from sishu.accounts import roles, selectors
from sishu.content import generation
from sishu.content.house import DEFAULT_NAMES
from sishu.content.models import HomePage
from sishu.web import paths

Kept = TypeVar("Kept")

# How long a link to the desk may outlive the right to sit there. The desk itself asks every time.
DUTIES_SECONDS = 60
LABELS = {"zh-hans": "中文", "en": "EN"}
INVITATIONS = {"zh-hans": "阅读中文版", "en": "Read in English"}
ALSO = {"zh-hans": "另有中文版", "en": "Also in English"}

# By hand, as `content.selectors.WORKS` is, and for the same reason. The works counted are those of `published`.
HOME = """
SELECT page.id, page.translation_key, home.page_ptr_id, home.site_name, home.credo, home.lead, home.footer, (
    SELECT COUNT(*) FROM wagtailcore_page other JOIN content_articlepage work ON work.page_ptr_id = other.id
    WHERE other.live AND work.withdrawn_at IS NULL AND other.locale_id = page.locale_id
) AS works_count
FROM content_homepage home
JOIN wagtailcore_page page ON page.id = home.page_ptr_id
JOIN wagtailcore_locale locale ON locale.id = page.locale_id
WHERE page.live AND locale.language_code = %s ORDER BY page.id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Language:
    """One of the languages of the house, as a link to it needs it."""

    code: str
    tag: str
    label: str
    invitation: str
    also: str
    home: str


@dataclass(frozen=True, slots=True)
class House:
    """The house in one language: what its title page says. `page_id` and `key`, its translation key, are None while there is none."""

    page_id: int | None
    key: UUID | None
    name: str
    credo: tuple[str, ...]
    lead: str
    footer: tuple[str, ...]
    works_count: int
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
    kept = caches["pages"].get_or_set(f"duties:{user.pk}", partial(_read_duties, user), DUTIES_SECONDS)
    return cast("Duties", kept)


def per_generation(key: str, make: Callable[[], Kept], asked_in: int | None = None) -> Kept:
    """What `make` returned in this generation, kept in this process. Only for what is the same for every reader.

    A `make` that draws on what was read before names the generation of before that: `asked_in`.
    """
    now = generation.current() if asked_in is None else asked_in
    return cast("Kept", caches["pages"].get_or_set(f"{now}:{key}", make))


def house_of(page: HomePage | None, code: str, works_count: int = 0) -> House:
    """The house as a title page, live or still a draft, describes it."""
    return House(
        page_id=page.pk if page else None,
        key=page.translation_key if page else None,
        name=page.site_name if page else DEFAULT_NAMES[code],
        credo=tuple(page.credo_lines) if page else (),
        lead=page.lead if page else "",
        footer=tuple(page.footer.splitlines()) if page else (),
        works_count=works_count,
        language=language_named(code),
        others=tuple(language_named(other) for other, _name in settings.LANGUAGES if other != code),
    )


def language_named(code: str) -> Language:
    """What a link to that language needs."""
    return Language(code, paths.tag_of(code), LABELS[code], INVITATIONS[code], ALSO[code], paths.home_path(code))


def _read_house(code: str) -> House:
    home = next(iter(HomePage.objects.raw(HOME, [code])), None)
    return house_of(home, code, home.works_count if home else 0)


def _read_duties(user: Any) -> Duties:
    return Duties(writes=selectors.may_publish(user), has_studio=user.has_perm(roles.STUDIO))
