"""Pictures and files at the desk: what is kept, what is refused, and who sees them."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from sishu.content.models import Attachment, Picture
from tests.factories import content as make

pytestmark = pytest.mark.django_db
PNG = make.picture_bytes()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def give(client: Client, name: str, content: bytes, path: str = "/writing/images", kind: str = "image/png"):
    return client.post(path, {"file": SimpleUploadedFile(name, content, kind)})


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is that large and holds next to nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def test_a_picture_is_kept_drawn_anew_and_shown_to_its_uploader(desk):
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    out = BytesIO()
    Image.new("RGB", (40, 30)).save(out, "JPEG", exif=exif)
    response = give(desk, "家.jpg", out.getvalue() + b"<script>alert(1)</script>", kind="image/jpeg")
    assert response.status_code == 201
    picture = Picture.objects.get()
    assert (response.json()["id"], response.json()["url"]) == (picture.pk, f"/writing/images/{picture.pk}")
    kept = picture.file.read()
    assert b"where I live" not in kept
    assert b"<script>" not in kept
    assert desk.get(response.json()["url"])["Content-Type"].startswith("image/")
    assert Client().get(response.json()["url"]).status_code == 404
    desk.force_login(make.make_creator("he"))
    assert desk.get(response.json()["url"]).status_code == 404


ODD = {
    "svg": ("a.svg", SVG), "svg in disguise": ("a.png", SVG), "heic": ("a.heic", b"\0\0\0\x18ftypheic" + b"\0" * 40),
    "heic in disguise": ("a.jpg", b"\0\0\0\x18ftypheic" + b"\0" * 40), "html": ("a.png", b"<html><script>1</script>"),
    "nothing": ("a.png", b""), "cut short": ("a.png", PNG[:60]), "another kind": ("a.jpg", PNG), "no kind": ("a", PNG),
    "a program": ("a.png.php", PNG), "a bomb": ("a.png", bomb(60_000, 60_000)), "too wide": ("a.png", bomb(8_000, 5_001)),
    "a liar": ("a.png", bomb(1_000, 1_000)), "a tiff": ("a.tiff", b"II*\0" + b"\0" * 20),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content"), ODD.values(), ids=ODD.keys())
def test_what_is_no_honest_picture_is_refused_in_a_sentence(desk, name, content):
    response = give(desk, name, content)
    assert 400 <= response.status_code < 500
    assert response.json()["message"]
    assert not Picture.objects.exists()
    assert give(desk, "a.png", PNG).status_code == 201, "an honest one is kept"


def test_size_is_looked_at_before_anything_is_read(desk):
    response = give(desk, "a.png", PNG + b"\0" * (20 * 2**20))
    assert 400 <= response.status_code < 500
    assert "20" in response.json()["message"]
    announced = desk.generic(
        "POST", "/writing/images", b"x", "multipart/form-data; boundary=b", CONTENT_LENGTH="99999999999"
    )
    assert announced.status_code == 413


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.png", "..\\..\\x.png", "/etc/x.png", "a\0.png", "长" * 200 + ".png", "-rf .png"]
)
def test_a_name_leads_nowhere(desk, name):
    response = give(desk, name, PNG)
    assert response.status_code in (201, 400, 422)
    for picture in Picture.objects.all():
        assert picture.file.name.startswith("original_images/")
        assert ".." not in picture.file.name


def test_a_file_is_kept_by_its_kind(desk):
    response = give(desk, "清单.pdf", b"%PDF-1.7 x", "/writing/files", "application/pdf")
    assert response.status_code == 201
    assert response.json()["title"] == "清单"
    for name, content in (("a.html", b"<script>"), ("a.exe", b"MZ"), ("a.svg", SVG), ("a", b"x"), ("a.pdf", b"")):
        refused = give(desk, name, content, "/writing/files")
        assert refused.status_code == 422
        assert refused.json()["message"]
    assert Attachment.objects.count() == 1


@pytest.mark.parametrize("path", ["/writing/images", "/writing/files"])
def test_only_who_may_publish_uploads(client, path, house):
    assert give(client, "a.png", PNG, path).status_code == 401
    client.force_login(make.make_person())
    assert give(client, "a.png", PNG, path).status_code == 403
    assert client.get(path).status_code == 405
    client.force_login(make.make_creator("he"))
    assert client.post(path, {"file": "words"}).status_code == 422
    assert client.post(path, b"{}", content_type="application/json").status_code == 422
