import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """A gateway is tried by buying nothing for a little money, which goes back."""

    dependencies = [("commerce", "0013_merchant_keys"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            "TrialPurchase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="last changed")),
                ("gateway", models.CharField(db_index=True, max_length=20, verbose_name="gateway")),
                ("product", models.CharField(blank=True, max_length=20, verbose_name="product")),
                ("book", models.CharField(max_length=8, verbose_name="book")),
                ("reference", models.CharField(max_length=32, unique=True, verbose_name="reference")),
                (
                    "refund_reference",
                    models.CharField(blank=True, db_index=True, max_length=32, verbose_name="refund"),
                ),
                (
                    "provider_reference",
                    models.CharField(blank=True, max_length=128, verbose_name="provider's reference"),
                ),
                ("amount", models.BigIntegerField(verbose_name="amount in minor units")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "not paid yet"),
                            ("captured", "paid, on its way back"),
                            ("returned", "given back"),
                            ("refused", "paid; the provider refused to give it back"),
                            ("ended", "ended without payment"),
                        ],
                        db_index=True,
                        default="pending",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("captured_amount", models.BigIntegerField(default=0, verbose_name="captured in minor units")),
                ("returned_amount", models.BigIntegerField(default=0, verbose_name="given back in minor units")),
                ("captured_at", models.DateTimeField(null=True, verbose_name="captured")),
                ("returned_at", models.DateTimeField(null=True, verbose_name="given back")),
                (
                    "begun_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="begun by",
                    ),
                ),
            ],
            options={
                "verbose_name": "trial purchase",
                "verbose_name_plural": "trial purchases",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount__gt", 0),
                            ("returned_amount__gte", 0),
                            ("returned_amount__lte", models.F("captured_amount")),
                        ),
                        name="commerce_trial_amounts",
                    )
                ],
            },
        ),
    ]
