"""One suite for all checks, then what each is for."""

from __future__ import annotations

import json

import pytest
from django.utils.translation import override

from sishu.core import plugins
from sishu.moderation import checks
from sishu.moderation.base import Finding, Severity, Subject

GOOD = Subject(ref="page:1", family="a", title="复盘", text="字" * 100, words=100, digest="d1")
EMPTY = Subject(ref="page:1", family="a", title="复盘", text="", words=0, digest="")


@pytest.mark.django_db
@pytest.mark.parametrize("name", plugins.names("checks"))
@pytest.mark.parametrize("subject", [GOOD, EMPTY])
def test_every_check_answers_in_findings(name, subject):
    check = plugins.load("checks", name)
    assert check.name == name
    for finding in check.look(subject):
        assert isinstance(finding, Finding)
        assert finding.as_json() == {"severity": finding.severity, "code": finding.code, "data": finding.data}
        assert json.loads(json.dumps(finding.data)) == finding.data
        with override("en"):
            english = checks.describe(finding.code, finding.data)
        with override("zh-hans"):
            assert english != checks.describe(finding.code, finding.data) != finding.code


@pytest.mark.django_db
def test_a_good_work_passes():
    assert checks.look(GOOD) == []


@pytest.mark.django_db
def test_an_empty_work_hears_one_reason_only():
    assert [finding.code for finding in checks.look(EMPTY)] == ["empty"]


@pytest.mark.parametrize(("words", "codes"), [(59, ["short"]), (60, []), (0, [])])
def test_short_means_fewer_than_least(words, codes):
    subject = Subject(ref="page:1", family="a", title="", text="", words=words, digest="")
    assert [finding.code for finding in checks.ShortCheck(least=60).look(subject)] == codes


def test_a_copy_is_refused_with_the_name_of_what_is_here(settings):
    settings.PLUGINS = {**settings.PLUGINS, "corpus": {"shelf": "tests.moderation.shelf.same_text"}}
    (finding,) = checks.DuplicateCheck().look(GOOD)
    assert (finding.severity, finding.code) == (Severity.REFUSE, "duplicate")
    assert "从零记一本账" in checks.describe(finding.code, finding.data)
    assert checks.DuplicateCheck().look(EMPTY) == []


def test_a_finding_of_a_check_that_is_gone_is_told_by_its_code(settings):
    settings.PLUGINS = {**settings.PLUGINS, "checks": {}}
    assert checks.describe("short", {"words": 3, "least": 60}) == "short"
