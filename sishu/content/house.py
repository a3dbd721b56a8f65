"""Building the house: languages, title pages, rooms, and who may do what in them. Safe to repeat."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.utils.text import slugify
from wagtail.coreutils import find_available_slug
from wagtail.models import Collection, GroupCollectionPermission, GroupPagePermission, Locale, Page, Site

from sishu.accounts import roles
from sishu.accounts.models import User
from sishu.content.models import CreatorHub, HomePage

DEFAULT_NAMES = {"zh-hans": "私塾", "en": "Sishu"}
# role → what it may do with pages below the title pages. Creators only add; OwnPages narrows that to their own rooms.
PAGE_PERMISSIONS = {
    roles.OWNER: ("add", "change", "publish", "lock", "unlock", "bulk_delete"),
    roles.REVIEWER: ("change", "publish", "lock", "unlock"),
    roles.CREATOR: ("add",),
}
# role → what it may do with uploads.
MEDIA_PERMISSIONS = {
    roles.OWNER: ("add", "change", "delete", "choose"),
    roles.REVIEWER: ("choose",),
    roles.CREATOR: ("add", "choose"),
}


@transaction.atomic
def ensure_house(names: Mapping[str, str] | None = None) -> dict[str, HomePage]:
    """Make sure there is a title page in each language; language code → page. `names` are used for new pages only."""
    names = {**DEFAULT_NAMES, **(names or {})}
    root = Page.objects.get(depth=1)
    main = _ensure_main_home(root, names[settings.LANGUAGE_CODE])
    homes = {settings.LANGUAGE_CODE: main}
    for code, _label in settings.LANGUAGES:
        if code != settings.LANGUAGE_CODE:
            homes[code] = _ensure_translated_home(main, code, names.get(code, main.site_name))
    _ensure_site(main)
    _remove_welcome(root)
    _ensure_permissions(list(homes.values()))
    return homes


@transaction.atomic
def ensure_hub(user: User, locale: Locale | str) -> CreatorHub:
    """The creator's room in that language, made when it is first wanted; the rooms of one creator are translations."""
    if isinstance(locale, str):
        locale = Locale.objects.get(language_code=locale)
    hubs = {hub.locale_id: hub for hub in CreatorHub.objects.filter(user=user)}
    if locale.pk in hubs:
        return hubs[locale.pk]
    if hubs:
        hub = next(iter(hubs.values())).copy_for_translation(locale)
    else:
        hub = CreatorHub(user=user, owner=user, locale=locale, live=False, title=user.name, slug="")
        home = HomePage.objects.get(locale=locale)
        hub.slug = find_available_slug(home, slugify(user.get_username(), allow_unicode=True) or "room")
        home.add_child(instance=hub)
    hub.save_revision(user=None).publish()
    hub.refresh_from_db()
    return hub


def _ensure_main_home(root: Page, name: str) -> HomePage:
    locale = _ensure_locale(settings.LANGUAGE_CODE)
    if home := HomePage.objects.filter(locale=locale).first():
        return home
    home = HomePage(title=name, site_name=name, slug="house", locale=locale, live=False)
    root.add_child(instance=home)
    return _published(home)


def _ensure_translated_home(main: HomePage, code: str, name: str) -> HomePage:
    locale = _ensure_locale(code)
    if home := main.get_translation_or_none(locale):
        return home.specific
    home = main.copy_for_translation(locale)
    home.title = home.draft_title = home.site_name = name
    return _published(home)


def _published(page: HomePage) -> HomePage:
    page.save_revision().publish()
    page.refresh_from_db()
    return page


def _ensure_locale(code: str) -> Locale:
    return Locale.objects.get_or_create(language_code=code)[0]


def _ensure_site(home: HomePage) -> None:
    address = urlsplit(settings.SITE_URL)
    port = address.port or (443 if address.scheme == "https" else 80)
    values = {"hostname": address.hostname, "port": port, "root_page": home}
    site = Site.objects.filter(is_default_site=True).first() or Site(is_default_site=True)
    if any(getattr(site, name) != value for name, value in values.items() if name != "root_page") or (
        site.root_page_id != home.pk
    ):
        for name, value in values.items():
            setattr(site, name, value)
        site.site_name = home.site_name
        site.save()


def _remove_welcome(root: Page) -> None:
    """Wagtail's own first page, if it is still as Wagtail made it: a bare Page that no site points at."""
    for page in root.get_children().filter(slug="home", numchild=0, sites_rooted_here=None):
        if page.specific_class is Page:
            page.delete()


def _ensure_permissions(homes: list[HomePage]) -> None:
    for role, actions in PAGE_PERMISSIONS.items():
        group, _made = Group.objects.get_or_create(name=role)
        for action in actions:
            permission = Permission.objects.get(content_type__app_label="wagtailcore", codename=f"{action}_page")
            for home in homes:
                GroupPagePermission.objects.get_or_create(group=group, page=home.page_ptr, permission=permission)
    everything = Collection.get_first_root_node()
    for role, actions in MEDIA_PERMISSIONS.items():
        group, _made = Group.objects.get_or_create(name=role)
        # Wagtail asks for the permissions of its own models, whatever model a project puts in their place.
        wanted = [f"{action}_{model}" for action in actions for model in ("image", "document")]
        apps = ("wagtailimages", "wagtaildocs")
        for permission in Permission.objects.filter(content_type__app_label__in=apps, codename__in=wanted):
            GroupCollectionPermission.objects.get_or_create(group=group, collection=everything, permission=permission)
