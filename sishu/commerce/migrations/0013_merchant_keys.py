import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import sishu.core.clock


class Migration(migrations.Migration):
    """Keys at payment providers may be entered in the studio; each change is written down."""

    dependencies = [("commerce", "0012_bank_entries"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            "MerchantKeys",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("gateway", models.CharField(max_length=20, unique=True, verbose_name="gateway")),
                ("stamp", models.CharField(editable=False, max_length=32)),
                ("sealed", models.BinaryField(editable=False)),
            ],
            options={"verbose_name": "merchant keys", "verbose_name_plural": "merchant keys"},
        ),
        migrations.CreateModel(
            "MerchantKeysChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("gateway", models.CharField(db_index=True, max_length=20, verbose_name="gateway")),
                (
                    "changed_at",
                    models.DateTimeField(db_index=True, default=sishu.core.clock.now, verbose_name="changed"),
                ),
                ("names", models.JSONField(default=list, verbose_name="keys")),
                ("replaced_stamp", models.CharField(blank=True, editable=False, max_length=32)),
                ("replaced", models.BinaryField(editable=False, null=True)),
                (
                    "changed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="changed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "change of merchant keys",
                "verbose_name_plural": "changes of merchant keys",
                "ordering": ["-id"],
            },
        ),
    ]
