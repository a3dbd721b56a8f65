"""Roles are groups that hold what the table says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.db import connection
from django.db.models.signals import post_migrate
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from sishu.accounts import roles, selectors
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db


def held(role: str) -> set[str]:
    rows = Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def known() -> set[str]:
    return {f"{app}.{code}" for app, code in Permission.objects.values_list("content_type__app_label", "codename")}


def test_after_migrate_each_group_holds_its_role():
    roles.sync()
    for role, wanted in roles.ROLES.items():
        if role != roles.OWNER:
            assert held(role) == set(wanted) & known(), role
    assert {"accounts.add_user", "wagtailadmin.access_admin"} <= held(roles.OWNER)
    assert not {name for name in held(roles.OWNER) if name.startswith("sessions.")}


def test_every_permission_of_the_table_exists():
    wanted = {name for role in roles.ROLES.values() for name in role}
    assert wanted - known() == {roles.EVERYTHING}


def test_a_permission_is_spelt_out_in_one_place():
    names = known()
    house = Path(roles.__file__).parents[1]
    spelt = {
        (path.relative_to(house).as_posix(), node.value)
        for path in house.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names
    }
    assert {path for path, _name in spelt} == {"accounts/roles.py"}


def test_a_second_sync_writes_nothing():
    roles.sync()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        roles.sync()
    assert not [query["sql"] for query in queries if not query["sql"].startswith("SELECT")]


def test_sync_takes_away_what_was_given_by_hand_and_gives_back_what_was_taken():
    group = Group.objects.get(name=roles.SUPPORT)
    group.permissions.set(Permission.objects.filter(codename="add_user"))
    roles.sync()
    assert "accounts.add_user" not in held(roles.SUPPORT)
    assert "wagtailadmin.access_admin" in held(roles.SUPPORT)


def test_sync_runs_when_the_last_app_was_migrated():
    Group.objects.all().delete()
    *others, last = [config for config in apps.get_app_configs() if config.models_module is not None]
    for config in others:
        # Not by the signal: the ledger makes its triggers then, and MariaDB commits before it changes a schema.
        roles.sync_after_migrate(config)
    assert not Group.objects.exists()
    post_migrate.send(last, app_config=last, verbosity=0, interactive=False, using="default", apps=apps, plan=[])
    assert set(roles.ROLES) <= set(Group.objects.values_list("name", flat=True))


def test_a_role_given_or_taken_counts_at_once():
    user = make_user()
    assert not user.has_perm("wagtailadmin.access_admin")
    roles.assign(user, roles.CREATOR)
    roles.assign(user, roles.CREATOR)
    assert user.has_perm("wagtailadmin.access_admin")
    assert roles.has_role(user, roles.CREATOR)
    roles.revoke(user, roles.CREATOR)
    assert not user.has_perm("wagtailadmin.access_admin")
    assert not roles.has_role(user, roles.CREATOR, roles.OWNER)


def test_a_role_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="No role 'editor'; known: owner"):
        roles.assign(make_user(), "editor")
    assert not roles.has_role(AnonymousUser(), roles.OWNER)


@pytest.mark.parametrize(
    ("held_roles", "verified", "open_to_all", "may", "says"),
    [
        ((), False, False, False, "invitation"),
        ((), True, False, False, "invitation"),
        (("reviewer",), True, False, False, "invitation"),
        (("creator",), False, False, False, "verified"),
        (("creator",), True, False, True, ""),
        (("owner",), True, False, True, ""),
        ((), False, True, False, "verified"),
        ((), True, True, True, ""),
    ],
)
def test_who_may_publish(settings, held_roles, verified, open_to_all, may, says):
    settings.OPEN_PUBLISHING = open_to_all
    user = make_user("shen", *held_roles, verified=verified)
    assert selectors.may_publish(user) is may
    with translation.override("en"):
        assert says in selectors.why_not_publish(user)


def test_a_stranger_may_not_publish(settings):
    settings.OPEN_PUBLISHING = True
    assert not selectors.may_publish(AnonymousUser())


def test_a_changed_address_is_not_verified_any_more():
    user = make_user("shen", verified=True)
    assert selectors.has_verified_email(user)
    user.email = "new@example.org"
    user.save()
    assert not selectors.has_verified_email(user)
