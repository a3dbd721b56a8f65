from django.db import migrations, models
from django.db.models import F, Q, Value
from django.db.models.functions import Cast, Concat


def fill_keys(apps, schema_editor):
    """What is under way gets its key."""
    under_way = apps.get_model("commerce", "Refund").objects.exclude(status="succeeded")
    under_way.update(open_key=Concat(Cast("payment_id", models.CharField(max_length=20)), Value(":"), F("part")))


class Migration(migrations.Migration):
    """Money set apart after a refund of earlier such money can go back too; refunds of the provider's own come in."""

    dependencies = [("commerce", "0004_entitlement_owned_key")]

    operations = [
        migrations.RemoveConstraint("refund", "commerce_refund_once_per_part"),
        migrations.AddField(
            "refund", "open_key", models.CharField(max_length=48, unique=True, null=True, editable=False)
        ),
        migrations.AlterField(
            "refund", "reference", models.CharField("reference", max_length=64, unique=True)
        ),
        migrations.RunPython(fill_keys, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            "refund",
            models.CheckConstraint(
                condition=Q(status="succeeded", open_key__isnull=True)
                | Q(status__in=["requested", "failed"], open_key__isnull=False),
                name="commerce_refund_key_while_open",
            ),
        ),
    ]
