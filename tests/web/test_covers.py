"""Drawn covers: always the same, always readable, never dangerous."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from sishu.core import clock
from sishu.web import covers
from tests.factories.content import make_article, make_house

# One title for each design, found by trying.
TITLES = {"slip": "", "columns": "", "moon": "", "lattice": ""}
for number in range(60):
    title = f"第{number}篇"
    TITLES[covers.draw(title).split("cover-")[1].split()[0]] = title


def test_the_same_title_gives_the_same_cover() -> None:
    assert covers.draw("从零记一本账") == covers.draw("从零记一本账")
    assert covers.draw("从零记一本账") != covers.draw("从零记一本书")


@pytest.mark.parametrize("design", TITLES)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_design_draws_in_both_languages(design: str, language: str) -> None:
    drawing = covers.draw(TITLES[design], language)
    assert f"cover-{design}" in drawing
    assert " style=" not in drawing
    ElementTree.fromstring(drawing)  # noqa: S314  our own words


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=200), st.booleans())
def test_any_title_can_be_drawn(title: str, alone: bool) -> None:
    for language in ("zh-hans", "en"):
        ElementTree.fromstring(covers.draw(title, language, alone=alone))  # noqa: S314  our own words


@pytest.mark.django_db
def test_a_cover_is_a_file_of_its_own(client: Client) -> None:
    make_house()
    page = make_article(title="<灯>")
    response = client.get(f"/covers/{page.pk}.svg")
    assert response["Content-Type"] == "image/svg+xml"
    assert "var(" not in response.content.decode()
    ElementTree.fromstring(response.content)  # noqa: S314  our own words
    type(page).objects.filter(pk=page.pk).update(withdrawn_at=clock.now())
    assert client.get(f"/covers/{page.pk}.svg").status_code == 404
