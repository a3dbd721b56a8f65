"""What templates ask about works: covers, what stands around a text, how to open the rest of it."""

from __future__ import annotations

from typing import Any

from django import template
from django.conf import settings
from django.template import Context
from django.utils.safestring import SafeString, mark_safe

from sishu.content.models import ArticlePage, HomePage
from sishu.content.paywall import Level
from sishu.core import addresses
from sishu.web import bodies, covers, listings, structured
from sishu.web.context import House, house_of

register = template.Library()


@register.simple_tag(takes_context=True)
def article_context(context: Context, page: ArticlePage) -> listings.ArticleContext:
    """What stands around an article; worked out here for a preview, whose view knows only the page."""
    return context.get("around") or listings.article_context(page)


@register.simple_tag(takes_context=True)
def body_of(context: Context, page: ArticlePage) -> bodies.Body:
    """The text up to `level`, which a view or Wagtail's preview has set; a stranger's part when nobody has."""
    level = Level(context.get("level") or Level.PUBLIC)
    is_live = context.get("generation") is not None
    return bodies.live_body(page.pk, level) if is_live else bodies.body_of(page, level)


@register.simple_tag(takes_context=True)
def title_page(context: Context, page: HomePage | None = None) -> House:
    """What the title page says: as it is live, or of the draft being previewed."""
    house: House = context["house"]
    return house_of(page, page.locale.language_code, house.works_count) if page else house


@register.simple_tag
def contents_of(house: House) -> listings.Contents:
    """What stands on the title page beside the name."""
    return listings.contents(house)


@register.simple_tag
def cover(thing: listings.Row | ArticlePage, extra: str = "") -> SafeString:
    """The drawn cover of a row or a page."""
    language = thing.language if isinstance(thing, listings.Row) else thing.locale.language_code
    return mark_safe(covers.draw(thing.title, language, extra=extra))  # noqa: S308  titles are escaped


@register.simple_tag
def article_footer(page: ArticlePage) -> listings.ArticleFooter:
    """What stands below an article that was read to its end."""
    return listings.article_footer(page)


@register.inclusion_tag("parts/offer_box.html", takes_context=True)
def offer_box(
    context: Context, page: ArticlePage, body: bodies.Body, around: listings.ArticleContext
) -> dict[str, Any]:
    """What lies beyond the cut, and the ways to open it."""
    return {
        "page": page,
        "body": body,
        "around": around,
        "ways": listings.opening_offers(page),
        "is_known": context.get("is_known"),
        "house": context.get("house"),
        "refund_days": settings.REFUND_WINDOW_DAYS,
    }


@register.simple_tag(takes_context=True)
def article_data(context: Context, page: ArticlePage, around: listings.ArticleContext) -> SafeString:
    """The article as JSON-LD: what is paid for is said to be, and none of it is told."""
    return structured.script(structured.article(page, around, context["house"].name))


@register.filter
def absolute(path: str) -> str:
    """A path with the site's name before it."""
    return addresses.absolute(path)
