"""Putting the demo school into an empty house, by the same calls that people make."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction

from sishu.accounts import addresses, roles, signin
from sishu.accounts.models import User
from sishu.cli.demo import texts
from sishu.commerce import offers
from sishu.commerce.models import Offer
from sishu.commerce.splits import WHOLE_BPS, of_authors
from sishu.content import house, workflow, writing
from sishu.content.drafts import DraftValues
from sishu.content.models import ArticlePage, Authorship, Category, CreatorHub, HomePage
from sishu.core.money import Money

PASSWORD = signin.DEMO_PASSWORD
# user name → role; the first five are printed for the visitor.
ACCOUNTS = {
    "owner": roles.OWNER,
    "creator": roles.CREATOR,
    "reviewer": roles.REVIEWER,
    "finance": roles.FINANCE,
    "reader": roles.MEMBER,
    "zhoulan": roles.CREATOR,
    "heqi": roles.CREATOR,
}
PRINTED = tuple(ACCOUNTS)[:5]


def is_wanted() -> bool:
    """Whether the house is empty and open to be tried."""
    return settings.DEBUG and not User.objects.exists()


@transaction.atomic
def seed() -> int:
    """Fill an empty house; how many pages went live."""
    site = texts.site()
    homes = house.ensure_house({texts.LANGUAGES[code]: name for code, name in site["name"].items()})
    workflow.ensure_workflow()
    people = _people(site["creators"])
    _title_pages(homes, site)
    for creator in site["creators"]:
        _rooms(people[creator["username"]], creator)
    categories = _categories(site["categories"])
    pages = [_work(versions, people, categories) for versions in texts.works().values()]
    _plan(homes[settings.LANGUAGE_CODE], site["plan"], people)
    return sum(pages)


def _people(creators: list[dict[str, Any]]) -> dict[str, User]:
    names = {creator["username"]: creator["name"]["zh"] for creator in creators}
    people = {}
    for username, role in ACCOUNTS.items():
        user = User.objects.create_user(
            username, f"{username}@example.org", PASSWORD, display_name=names.get(username, "")
        )
        user.is_superuser = role == roles.OWNER
        user.save()
        roles.assign(user, role)
        addresses.trust(user)
        people[username] = user
    return people


def _title_pages(homes: dict[str, HomePage], site: dict[str, Any]) -> None:
    for code, language in texts.LANGUAGES.items():
        home = homes[language]
        home.title = home.site_name = site["name"][code]
        home.credo = "\n".join(site["credo"][code])
        home.lead = site["lead"][code]
        home.footer = site["footer"][code]
        home.save_revision().publish()


def _rooms(user: User, creator: dict[str, Any]) -> None:
    for code, language in texts.LANGUAGES.items():
        hub = CreatorHub.objects.get(pk=house.ensure_hub(user, language).pk)
        hub.title, hub.bio, hub.slug = creator["name"][code], creator["bio"][code], creator["hub"]
        hub.save_revision().publish()


def _categories(tree: list[dict[str, Any]]) -> dict[str, Category]:
    found: dict[str, Category] = {}
    for branch in tree:
        top = Category.add_root(slug=branch["slug"], name_zh=branch["name"]["zh"], name_en=branch["name"]["en"])
        found[branch["slug"]] = top
        for leaf in branch.get("children", []):
            top = Category.objects.get(pk=top.pk)  # treebeard counts children on the object it is asked of
            child = top.add_child(slug=leaf["slug"], name_zh=leaf["name"]["zh"], name_en=leaf["name"]["en"])
            found[leaf["slug"]] = child
    return found


def _work(versions: list[texts.Text], people: dict[str, User], categories: dict[str, Category]) -> int:
    """One work in its languages, published, and on sale if it is; how many pages that makes."""
    first = versions[0]
    author = people[first.author]
    page = writing.create(author, first.language, _values(first, categories))
    for name in first.coauthors:
        Authorship.objects.create(page=page, user=people[name], role=Authorship.Role.COAUTHOR)
    _publish(page, first)
    for text in versions[1:]:
        other = writing.add_translation(page, author)
        writing.save_draft(other, author, _values(text, categories), other.latest_revision_id or 0)
        _publish(ArticlePage.objects.get(pk=other.pk), text)
    if first.amount is not None:
        offers.price(page, Money(first.amount, settings.CURRENCY), shares=_shares(first, people))
    return len(versions)


def _publish(page: ArticlePage, text: texts.Text) -> None:
    draft = page.get_latest_revision_as_object()
    draft.slug = text.slug
    draft.save_revision(user=page.owner).publish()
    ArticlePage.objects.filter(pk=page.pk).update(
        first_published_at=text.published_at, last_published_at=text.published_at
    )


def _values(text: texts.Text, categories: dict[str, Category]) -> DraftValues:
    return DraftValues(
        title=text.title, summary=text.summary, category_id=categories[text.category].pk, tags=text.tags,
        markdown=text.body,
    )  # fmt: skip


def _shares(text: texts.Text, people: dict[str, User]) -> dict[int, int]:
    """What the platform leaves: to each co-author as agreed, the rest to the author."""
    agreed = {people[name].pk: bps for name, bps in text.coauthors.items()}
    whole = {people[text.author].pk: WHOLE_BPS - sum(agreed.values()), **agreed}
    return of_authors(whole, settings.PLATFORM_SHARE_BPS)


def _plan(home: HomePage, plan: dict[str, Any], people: dict[str, User]) -> None:
    shares = {people["creator"].pk: 4000, people["zhoulan"].pk: 2500, people["heqi"].pk: 2500}
    offers.price(
        home, Money(plan["amount"], settings.CURRENCY), interval=Offer.Interval.MONTH, title=plan["title"]["zh"],
        shares=shares,
    )  # fmt: skip
