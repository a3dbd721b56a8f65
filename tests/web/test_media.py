"""Pictures and files: who gets them, how, and for how long."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.test import Client
from PIL import Image

from sishu.content.models import ArticlePage, Authorship, MediaUse
from sishu.core import clock
from tests.factories.content import (
    make_article,
    make_attachment,
    make_creator,
    make_house,
    make_person,
    make_picture,
    paywall,
    prose,
)  # fmt: skip

pytestmark = pytest.mark.django_db

CONTENT = b"0123456789"


def _image(key: int) -> dict:
    return {"type": "image", "value": {"image": key, "alt": "", "caption": ""}}


def _file(key: int) -> dict:
    return {"type": "file", "value": {"document": key, "title": ""}}


@pytest.fixture
def author():
    make_house()
    return make_creator("shen")


def test_a_public_picture_may_be_kept_and_comes_drawn_anew(author, client: Client) -> None:
    picture = make_picture(author, width=900, height=600)
    make_article(author, body=[prose("Look."), _image(picture.pk)])
    response = client.get(f"/pictures/{picture.pk}/480")
    assert response["Cache-Control"] == "public, max-age=3600"
    assert Image.open(BytesIO(b"".join(response))).size == (480, 320)
    assert "sandbox" in response["Content-Security-Policy"]


def test_only_a_few_widths_are_ever_drawn(author, client: Client) -> None:
    picture = make_picture(author)
    make_article(author, body=[prose("Look."), _image(picture.pk)])
    assert client.get(f"/pictures/{picture.pk}/481").status_code == 404
    assert client.get(f"/pictures/{picture.pk}/999999999999999999999").status_code == 404
    assert picture.renditions.count() == 0


def test_what_no_live_work_shows_is_open_to_those_who_write_it(author) -> None:
    coauthor, reviewer, other = make_creator(), make_person(role="reviewer"), make_creator()
    picture, file = make_picture(author), make_attachment(author)
    draft = make_article(author, body=[_image(picture.pk), _file(file.pk)], live=False)
    for writer in (coauthor, other):
        common = draft if writer == coauthor else make_article(author, live=False)
        Authorship.objects.create(page=common, user=writer, role=Authorship.Role.COAUTHOR)
    assert not MediaUse.objects.exists()
    for path in (f"/pictures/{picture.pk}/480", f"/files/{file.pk}"):
        assert Client().get(path).status_code == 404
        for person, status in ((author, 200), (coauthor, 200), (reviewer, 200), (other, 404)):
            client = Client()
            client.force_login(person)
            response = client.get(path)
            assert response.status_code == status, (path, person)
            if status == 200:
                assert response["Cache-Control"] == "private, no-store"


def test_of_several_uses_the_most_open_counts(author, client: Client) -> None:
    file = make_attachment(author)
    make_article(author, body=[prose("Open."), paywall("PAID"), _file(file.pk)])
    assert client.get(f"/files/{file.pk}").status_code == 404
    free = make_article(author, body=[prose("Open."), _file(file.pk)])
    assert client.get(f"/files/{file.pk}").status_code == 200
    ArticlePage.objects.filter(pk=free.pk).update(withdrawn_at=clock.now())
    assert client.get(f"/files/{file.pk}").status_code == 404


def test_a_cover_is_public_even_of_a_paid_work(author, client: Client) -> None:
    picture = make_picture(author)
    make_article(author, body=[paywall("PAID"), prose("Closed.")], cover=picture)
    assert client.get(f"/pictures/{picture.pk}/480").status_code == 200


def test_a_file_is_taken_away_not_opened(author, client: Client) -> None:
    file = make_attachment(author, title="账本", content=CONTENT)
    make_article(author, body=[_file(file.pk)])
    response = client.get(f"/files/{file.pk}")
    assert response["Content-Disposition"].startswith("attachment;")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert b"".join(response) == CONTENT


@pytest.mark.parametrize(
    ("asked", "status", "content", "range_"),
    [
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, CONTENT, "bytes 0-9/10"),
        ("bytes=5-99", 206, b"56789", "bytes 5-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=4-2", 416, b"", "bytes */10"),
        ("bytes=-0", 416, b"", "bytes */10"),
        ("bytes=0-1,3-4", 200, CONTENT, None),
        ("bytes=-", 200, CONTENT, None),
        ("lines=1-2", 200, CONTENT, None),
    ],
)
def test_a_file_may_be_asked_for_in_part(author, client: Client, asked, status, content, range_) -> None:
    file = make_attachment(author, content=CONTENT)
    make_article(author, body=[_file(file.pk)])
    response = client.get(f"/files/{file.pk}", headers={"Range": asked})
    assert (response.status_code, b"".join(response), response.get("Content-Range")) == (status, content, range_)


def test_storage_and_wagtail_have_no_addresses_of_their_own(author, client: Client) -> None:
    file, picture = make_attachment(author), make_picture(author)
    make_article(author, body=[_file(file.pk), _image(picture.pk)])
    assert file.url == f"/files/{file.pk}"
    for path in (f"/media/{file.file.name}", f"/documents/{file.pk}/{file.filename}", f"/media/{picture.file.name}"):
        assert client.get(path).status_code in {301, 404}
        assert client.get(path + "/").status_code == 404


def test_nobody_writes_to_media(author, client: Client) -> None:
    assert client.post(f"/files/{make_attachment(author).pk}").status_code == 405
