"""An owner's open browser makes nobody an owner: people and groups change after the password only."""

from __future__ import annotations

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings as site
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from sishu.accounts import roles
from sishu.accounts.models import User
from tests.factories.accounts import PASSWORD, make_user
from tests.web.test_joining import link_in, mails

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client) -> User:
    owner = make_user("boss", roles.OWNER)
    assert client.post("/login", {"login": "boss", "password": PASSWORD}).status_code == 302
    return owner


@pytest.fixture
def reader(owner: User) -> User:
    return make_user("reader")


def leave_open(client: Client) -> None:
    """Let the sign-in of this session lie further back than it counts."""
    session = client.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] -= site.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1
    session.save()


def person(**said: object) -> dict[str, object]:
    return {"username": "thief", "email": "thief@example.org", "first_name": "T", "last_name": "H", **said}


def bulk(action: str, user: User) -> str:
    return f"{reverse('wagtail_bulk_action', args=['accounts', 'user', action])}?id={user.pk}&next=/studio/users/"


def doors(reader: User) -> dict[str, dict[str, object]]:
    """Every address that changes a person or a group, and what would be sent there."""
    finance = Group.objects.get(name=roles.FINANCE)
    change = person(username="reader", is_active="on", groups=[finance.pk])
    return {
        reverse("wagtailusers_users:add"): person(groups=[finance.pk]),
        reverse("wagtailusers_users:copy", args=[reader.pk]): person(),
        reverse("wagtailusers_users:edit", args=[reader.pk]): change,
        reverse("wagtailusers_users:delete", args=[reader.pk]): {},
        reverse("wagtailusers_groups:add"): {"name": "helpers"},
        reverse("wagtailusers_groups:edit", args=[finance.pk]): {"name": "helpers"},
        reverse("wagtailusers_groups:delete", args=[finance.pk]): {},
        bulk("assign_role", reader): {"role": finance.pk},
        bulk("set_active_state", reader): {"mark_as_active": "False"},
        bulk("delete", reader): {},
    }


def state() -> list[object]:
    people = User.objects.order_by("pk").values_list("username", "email", "is_active", "is_superuser", "groups")
    return [*people, *Group.objects.order_by("pk").values_list("name", "permissions")]


def test_an_open_browser_changes_nobody(client, reader):
    leave_open(client)
    before = state()
    for url, said in doors(reader).items():
        for answer in (client.get(url), client.post(url, said)):
            assert answer.status_code == 302, url
            assert answer["Location"].startswith("/reauthenticate?next="), url
    assert state() == before


def test_lists_are_shown_without_the_password(client, reader):
    leave_open(client)
    for name in ("users:index", "users:index_results", "groups:index"):
        assert client.get(reverse(f"wagtailusers_{name}")).status_code == 200
    assert client.get(reverse("wagtailusers_users:history", args=[reader.pk])).status_code == 200


def test_after_the_password_the_form_is_open_and_was_not_carried_out(client, reader):
    leave_open(client)
    url = reverse("wagtailusers_users:edit", args=[reader.pk])
    page = client.post(url, doors(reader)[url])["Location"]
    shown = client.post(page, {"password": PASSWORD}, follow=True)
    assert shown.redirect_chain == [(url, 302)]
    assert "Nothing was changed yet." in shown.content.decode()
    assert not roles.has_role(reader, roles.FINANCE)
    client.post(url, doors(reader)[url])
    assert roles.has_role(reader, roles.FINANCE)


def test_who_may_not_change_people_is_refused_and_not_asked(client, reader):
    client.force_login(make_user("cashier", roles.FINANCE))
    leave_open(client)
    for url, said in doors(reader).items():
        for answer in (client.get(url), client.post(url, said)):
            assert "reauthenticate" not in answer.get("Location", ""), url
            assert answer.status_code in (302, 403, 404), url
    assert not roles.has_role(reader, roles.FINANCE)


def test_no_owner_knows_anothers_password(client, reader):
    before = reader.password
    url = reverse("wagtailusers_users:edit", args=[reader.pk])
    assert "password1" not in client.get(url).context["form"].fields
    client.post(url, doors(reader)[url] | {"password1": "of-the-owner-1", "password2": "of-the-owner-1"})
    reader.refresh_from_db()
    assert (reader.email, reader.password) == ("thief@example.org", before)


def test_somebody_made_in_the_studio_chooses_their_own_password(client, owner):
    said = person(username="newcomer", email="newcomer@example.org")
    client.post(
        reverse("wagtailusers_users:add"), said | {"password1": "of-the-owner-1", "password2": "of-the-owner-1"}
    )
    newcomer = User.objects.get(username="newcomer")
    theirs = Client()
    for guess in ("", "of-the-owner-1"):
        theirs.post("/login", {"login": "newcomer", "password": guess})
        assert "_auth_user_id" not in theirs.session
    theirs.post("/password/forgot", {"email": newcomer.email})
    (sent,) = (letter for letter in mails() if letter.to == [newcomer.email])
    form = theirs.get(link_in(sent))["Location"]
    assert theirs.post(form, {"password1": "another-ink-stone"})["Location"] == "/login"
    newcomer.refresh_from_db()
    assert newcomer.check_password("another-ink-stone")


@pytest.mark.parametrize("door", ["edit", "assign_role", "copy", "set_active_state"])
def test_owners_hear_of_everybody_who_can_now_move_money(client, owner, reader, door):
    finance = Group.objects.get(name=roles.FINANCE)
    if door == "set_active_state":
        roles.assign(reader, roles.FINANCE)
        User.objects.filter(pk=reader.pk).update(is_active=False)
        client.post(bulk(door, reader), {"mark_as_active": "True"})
    elif door == "assign_role":
        client.post(bulk(door, reader), {"role": finance.pk})
    elif door == "edit":
        url = reverse("wagtailusers_users:edit", args=[reader.pk])
        client.post(url, doors(reader)[url])
    else:
        client.post(reverse("wagtailusers_users:copy", args=[reader.pk]), person(is_superuser="on"))
    (sent,) = mails()
    assert sent.to == [owner.email]
    assert ("thief" if door == "copy" else "reader") in sent.subject
    assert "boss" in sent.body


# Those that the form of a group offers; the others about money come with a role only.
GIVEN_BY_GROUP = (roles.REFUND_PAYMENT, roles.REQUEST_PAYOUT, roles.APPROVE_PAYOUT)


def name_of(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"


def test_a_group_is_given_no_other_permissions_about_money(client, owner):
    form = client.get(reverse("wagtailusers_groups:add")).context["form"]
    offered = {name_of(one) for one in form.fields["permissions"].queryset}
    assert offered & set(roles.MOVES_MONEY) == set(GIVEN_BY_GROUP)


def edit_group(client: Client, group: Group, *permissions: str) -> None:
    """Send the studio's form of a group with these permissions ticked, and nothing else changed."""
    url = reverse("wagtailusers_groups:edit", args=[group.pk])
    shown = client.get(url).context
    ticked = [one.pk for one in shown["form"].fields["permissions"].queryset if name_of(one) in permissions]
    said: dict[str, object] = {"name": group.name, "permissions": ticked}
    for panel in shown["permission_panels"]:
        said |= {f"{panel.prefix}-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS")}
        said[f"{panel.prefix}-MAX_NUM_FORMS"] = 1000
    assert client.post(url, said).status_code == 302
    assert {name_of(one) for one in group.permissions.all()} == set(permissions)


@pytest.mark.parametrize("permission", GIVEN_BY_GROUP)
def test_owners_hear_of_all_members_of_a_group_that_is_given_money(client, owner, reader, permission):
    helpers = Group.objects.create(name="helpers")
    other, away = make_user("other"), make_user("away", is_active=False)
    helpers.user_set.add(reader, other, away)
    edit_group(client, helpers, roles.VIEW_PAYOUT)
    assert mails() == []
    edit_group(client, helpers, roles.VIEW_PAYOUT, permission)
    assert [(sent.to, sent.subject.partition(" ")[0]) for sent in mails()] == [
        ([owner.email], "reader"), ([owner.email], "other"),
    ]  # fmt: skip
    assert all("boss" in sent.body for sent in mails())
    edit_group(client, helpers, permission)
    assert mails() == [], "who could before is no news"


def test_who_moves_money_by_another_group_is_no_news(client, owner, reader):
    roles.assign(reader, roles.FINANCE)
    helpers = Group.objects.create(name="helpers")
    helpers.user_set.add(reader)
    edit_group(client, helpers, roles.APPROVE_PAYOUT)
    assert mails() == []


def test_nobody_is_written_to_about_a_role_without_money(client, owner, reader):
    client.post(bulk("assign_role", reader), {"role": Group.objects.get(name=roles.CREATOR).pk})
    assert roles.has_role(reader, roles.CREATOR)
    assert mails() == []
