from django.db import migrations, models
from django.db.models import OuterRef, Subquery
from django.utils import timezone


def take_from_orders(apps, schema_editor):
    """Until now a payment ended with its order, which a transfer put off."""
    orders = apps.get_model("commerce", "Order").objects.filter(pk=OuterRef("order_id"))
    apps.get_model("commerce", "Payment").objects.update(expires_at=Subquery(orders.values("expires_at")))


class Migration(migrations.Migration):
    """A payment has a time of its own."""

    dependencies = [("commerce", "0014_trial_purchases")]

    operations = [
        migrations.AddField(
            "payment",
            "expires_at",
            models.DateTimeField(default=timezone.now, verbose_name="expires"),
            preserve_default=False,
        ),
        migrations.RunPython(take_from_orders, migrations.RunPython.noop, elidable=True),
    ]
