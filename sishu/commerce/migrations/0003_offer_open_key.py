from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """The key of an open offer bears the same name as that of an open order, payment and case."""

    dependencies = [("commerce", "0002_labels")]

    operations = [
        migrations.RemoveConstraint("offer", "commerce_offer_slot_while_open"),
        migrations.RenameField("offer", "slot", "open_key"),
        migrations.AddConstraint(
            "offer",
            models.CheckConstraint(
                condition=Q(is_open=False, open_key__isnull=True) | Q(is_open=True, open_key__isnull=False),
                name="commerce_offer_key_while_open",
            ),
        ),
    ]
