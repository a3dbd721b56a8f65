"""Before and after every view: bad input, the content policy, the language."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from wagtail.models import Workflow

from sishu.content.workflow import NAME
from sishu.web.middleware import MAX_PATH_LENGTH, MAX_QUERY_LENGTH
from tests.factories.content import make_article, make_creator, make_person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]


@pytest.mark.parametrize(
    "path",
    [
        "/a%00b/", "/articles?tag=%00", "/articles?tag=%ff%fe", "/search?q=%c3%28", f"/{'a' * MAX_PATH_LENGTH}/",
        f"/articles?x={'a' * MAX_QUERY_LENGTH}",
    ],
)  # fmt: skip
def test_what_no_database_could_look_up_is_refused(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 400
    assert response["Content-Security-Policy"].startswith("default-src 'none'")
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_program_reads_the_refusal_as_a_problem(client: Client) -> None:
    response = client.get("/search?q=%00", headers={"Accept": "application/json"})
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


HUGE = "9" * 30


@pytest.mark.parametrize(
    "path",
    [
        "/%ff/", f"/pictures/{HUGE}/480", f"/files/{HUGE}", f"/covers/{HUGE}.svg", f"/covers/{'9' * 900}.svg",
        "/pictures/9223372036854775807/480", "/pictures/0/480", f"/articles?page={HUGE}", f"/search?q=a&page={HUGE}",
        "/articles?page=-1", "/articles?category=" + "a" * 300, "/%E7%81%AF/%F0%9F%8F%AE/", "/en/../../etc/passwd",
        "/articles?page=²", "/search?q=" + "%F0%9F%8F%AE" * 40, "/search?q=" + "a " * 500, "/search?q=%22%27%5C%28%2A",
    ],
)  # fmt: skip
def test_odd_addresses_are_never_our_fault(client: Client, path: str) -> None:
    assert client.get(path).status_code < 500


def test_the_studio_has_its_policy_and_may_frame_previews(client: Client) -> None:
    author = make_creator()
    page = make_article(author)
    client.force_login(author)
    studio = client.get("/studio/")["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in studio
    assert "script-src 'self';" in studio
    preview = client.get(f"/studio/pages/{page.pk}/view_draft/")
    assert preview.status_code == 200
    assert "script-src 'self';" in preview["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in preview["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in client.get("/")["Content-Security-Policy"]


def test_no_page_of_the_studio_brings_a_script_of_its_own(client: Client) -> None:
    """The policy would stop it; a picker that Wagtail starts in a new way would be dead."""
    author = make_creator()
    page = make_article(author)
    client.force_login(make_person(role="owner", is_superuser=True))
    paths = [f"/studio/pages/{page.pk}/{verb}/" for verb in ("edit", "move", "copy")]
    for path in (
        *paths,
        f"/studio/workflows/edit/{Workflow.objects.get(name=NAME).pk}/",
        "/studio/reports/site-history/",
    ):
        text = client.get(path).content.decode()
        assert "<start-widget" in text or path.endswith("copy/"), path
        assert [tag for tag in re.findall(r"<script[^>]*>", text) if "src=" not in tag and "json" not in tag] == [], (
            path
        )


def test_content_speaks_the_language_of_its_address(client: Client) -> None:
    for path, tag in (("/", "zh-Hans"), ("/en/", "en"), ("/articles", "zh-Hans"), ("/en/articles", "en")):
        response = client.get(path, headers={"Accept-Language": "en" if tag == "zh-Hans" else "zh"})
        assert f'<html lang="{tag}">' in response.content.decode()
        assert "Accept-Language" not in response["Vary"]


def _language(client: Client, path: str = "/login", **headers: str) -> str:
    return client.get(path, headers=headers)["Content-Language"]


def test_other_pages_speak_the_readers_language(client: Client) -> None:
    assert _language(client) == "zh-hans"
    assert _language(client, Accept_Language="en-GB,en;q=0.9") == "en"
    assert _language(client, Accept_Language="zh-TW") == "zh-hans"
    assert _language(client, Accept_Language="fr") == "zh-hans"
    assert _language(client, "/login?language=en", Accept_Language="zh") == "en"
    assert _language(client, Accept_Language="zh") == "en"  # remembered in the cookie
    assert _language(client, "/login?language=xx", Accept_Language="zh") == "en"


def test_a_persons_setting_comes_before_cookie_and_browser(client: Client) -> None:
    client.force_login(make_person(language="en"))
    client.cookies["django_language"] = "zh-hans"
    assert _language(client, "/account", Accept_Language="zh") == "en"


def test_a_program_says_its_language_by_header(client: Client) -> None:
    client.cookies["django_language"] = "zh-hans"
    assert _language(client, Accept="application/json", Accept_Language="en") == "en"


def test_one_request_does_not_leave_its_language_to_the_next(client: Client) -> None:
    client.get("/en/")
    assert client.get("/a%00")["Content-Type"].startswith("text/html")
    assert '<html lang="zh-Hans">' in client.get("/x%00").content.decode()
