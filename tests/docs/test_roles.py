"""docs/reference/roles.md beside the roles, and beside the table that is tried on every address of the studio."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse

from sishu.accounts import roles
from sishu.content import house
from tests.docs.reading import rows, words
from tests.web.studio.test_roles import OURS, WAGTAILS, studio_urls

PAGE = "roles.md"


def test_every_role_has_its_permissions():
    written = {words(row[0])[0]: tuple(words(row[2])) for row in rows(PAGE)[: len(roles.ROLES)]}
    assert written == roles.ROLES


def test_rights_over_works_and_uploads_are_those_of_the_code():
    written = {
        words(row[0])[0]: (tuple(words(row[1])), tuple(words(row[2]))) for row in rows(PAGE, "## Works and uploads")
    }
    assert written == {
        role: (house.PAGE_PERMISSIONS[role], house.MEDIA_PERMISSIONS[role]) for role in house.PAGE_PERMISSIONS
    }
    assert house.PAGE_PERMISSIONS.keys() == house.MEDIA_PERMISSIONS.keys()


def own_addresses() -> Iterator[tuple[str, set[str]]]:
    takes_row = {name: takes for name, _pattern, takes in studio_urls()}
    for name, allowed in OURS.items():
        if not name.endswith("_results"):  # a part of its list, with the same row
            address = reverse(name, args=(1,)).replace("/1/", "/<id>/") if takes_row[name] else reverse(name)
            yield address, set(allowed)


def test_the_addresses_of_ours_open_to_whom_the_table_says():
    found = rows(PAGE, "## The back office")
    written = {words(row[0])[0]: set(words(row[2])) for row in found}
    assert len(found) == len(written)
    assert written == dict(own_addresses())


def test_the_addresses_of_wagtails_open_to_whom_the_table_says():
    written = {
        (address, frozenset(words(row[0]))) for row in rows(PAGE, "## Wagtail's own pages") for address in words(row[1])
    }
    assert written == {(reverse(name), frozenset(allowed)) for name, allowed in WAGTAILS.items()}
