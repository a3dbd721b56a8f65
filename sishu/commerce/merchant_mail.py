"""Mails to the owners about the house's keys at payment providers."""

from __future__ import annotations

from django_tasks import task

from sishu.accounts import mail, roles
from sishu.accounts.models import User
from sishu.commerce.models import MerchantKeysChange


@task()
def send_keys_changed(change_id: int) -> None:
    """To every owner: who changed which keys, and when. Never a value."""
    change = MerchantKeysChange.objects.select_related("changed_by").get(pk=change_id)
    facts = {
        "gateway": change.gateway,
        "by": change.changed_by.username if change.changed_by else "",
        "at": f"{change.changed_at:%Y-%m-%d %H:%M}",
        "keys": ", ".join(change.names),
        "url": mail.link("merchants:keys", change.gateway),
    }
    for owner in User.objects.filter(groups__name=roles.OWNER, is_active=True).exclude(email=""):
        mail.send("commerce/mail/keys_changed.txt", owner.email, mail.language_for(owner), name=owner.name, **facts)
