from django.db import migrations, models
from django.db.models import Q


def fill_keys(apps, schema_editor):
    """What is held for good gets its key; of two for the same work the later one closes, the earlier still opens it."""
    entitlement = apps.get_model("commerce", "Entitlement")
    seen = set()
    for held in entitlement.objects.filter(ends_at=None, revoked_at=None).select_related("page").order_by("id"):
        key = f"{held.user_id}:{held.page.translation_key}"
        changes = {"revoked_at": held.updated_at} if key in seen else {"owned_key": key}
        entitlement.objects.filter(pk=held.pk).update(**changes)
        seen.add(key)


class Migration(migrations.Migration):
    """Nobody is sold the same work twice."""

    dependencies = [("commerce", "0003_offer_open_key")]

    operations = [
        migrations.AddField(
            "entitlement", "owned_key", models.CharField(max_length=60, unique=True, null=True, editable=False)
        ),
        migrations.RunPython(fill_keys, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            "entitlement",
            models.CheckConstraint(
                condition=Q(owned_key__isnull=False, ends_at__isnull=True, revoked_at__isnull=True)
                | Q(owned_key__isnull=True) & (Q(ends_at__isnull=False) | Q(revoked_at__isnull=False)),
                name="commerce_entitlement_key_while_owned",
            ),
        ),
    ]
