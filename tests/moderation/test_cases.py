"""Opening and deciding."""

from __future__ import annotations

import pytest

from sishu.core.errors import DomainError
from sishu.core.models import WrongStatus
from sishu.moderation import cases
from sishu.moderation.models import Case, Decision
from tests.factories import content as make

pytestmark = pytest.mark.django_db


def test_one_case_of_a_kind_is_open_for_one_thing():
    first = cases.open(ref="payment:12", kind="unapplied", note="a second payment")
    again = cases.open(ref="payment:12", kind="unapplied")
    other = cases.open(ref="payment:12", kind="dispute")
    assert first == again != other
    assert Case.objects.get(pk=first.pk).note == "a second payment"


def test_news_about_an_open_case_are_added_to_it():
    cases.open(ref="page:1", kind="review", findings=[{"code": "short"}])
    case = cases.open(ref="page:1", kind="review", findings=[], note="longer now")
    assert (case.findings, case.note) == ([], "longer now")


def test_what_is_known_is_kept_in_no_language_beside_what_was_noted():
    cases.open(ref="payment:12", kind="unapplied", note="rang them up", code="too_little", data={"due": 990})
    case = cases.open(ref="payment:12", kind="unapplied", code="surplus", data={"due": 1})
    again = cases.open(ref="payment:12", kind="unapplied")
    again.refresh_from_db()
    assert again == case
    assert (again.code, again.data, again.note) == ("surplus", {"due": 1}, "rang them up")


def test_a_decided_case_makes_room_for_the_next():
    case = cases.open(ref="payment:12", kind="unapplied")
    person = make.make_person()
    ruling = cases.decide(case, Decision.Outcome.SETTLED, who=person, reason="sent back")
    assert (ruling.case_id, ruling.who, case.status) == (case.pk, person, Case.Status.DECIDED)
    assert cases.find_open(ref="payment:12", kind="unapplied") is None
    assert cases.open(ref="payment:12", kind="unapplied") != case


def test_a_case_is_decided_once_and_for_all():
    case = cases.open(ref="payment:12", kind="unapplied")
    stale = Case.objects.get(pk=case.pk)
    ruling = cases.decide(case, Decision.Outcome.SETTLED)
    with pytest.raises(WrongStatus):
        cases.decide(stale, Decision.Outcome.REFUSED)
    ruling.reason = "rewritten"
    with pytest.raises(DomainError):
        ruling.save()
    with pytest.raises(DomainError):
        ruling.delete()
