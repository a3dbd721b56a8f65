import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """What providers say moved on a day, line by line."""

    dependencies = [("commerce", "0010_notices")]

    operations = [
        migrations.CreateModel(
            "ProviderBill",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="last changed")),
                ("gateway", models.CharField(max_length=20, verbose_name="gateway")),
                ("book", models.CharField(max_length=8, verbose_name="book")),
                ("day", models.DateField(verbose_name="day")),
                ("digest", models.CharField(max_length=64, verbose_name="digest")),
                ("sealed", models.BinaryField(editable=False)),
                ("closing", models.JSONField(default=list, verbose_name="closing balance")),
                ("reconciled_at", models.DateTimeField(null=True, verbose_name="compared")),
            ],
            options={
                "verbose_name": "bill",
                "verbose_name_plural": "bills",
                "ordering": ["-day", "-id"],
                "constraints": [
                    models.UniqueConstraint(fields=["gateway", "day", "digest"], name="commerce_bill_once")
                ],
            },
        ),
        migrations.CreateModel(
            "BillLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="line")),
                ("kind", models.CharField(max_length=10, verbose_name="kind")),
                ("reference", models.CharField(blank=True, db_index=True, max_length=64, verbose_name="payment")),
                ("refund_reference", models.CharField(blank=True, db_index=True, max_length=64, verbose_name="refund")),
                (
                    "provider_reference",
                    models.CharField(blank=True, max_length=128, verbose_name="provider's reference"),
                ),
                ("amount", models.BigIntegerField(verbose_name="amount in minor units")),
                ("fee", models.BigIntegerField(default=0, verbose_name="fee in minor units")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("at", models.DateTimeField(verbose_name="moved")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("matched", "agrees"),
                            ("timing", "not yet comparable"),
                            ("posted", "booked from the bill"),
                            ("missing_local", "unknown here"),
                            ("amount_differs", "another amount"),
                            ("status_differs", "another state"),
                            ("duplicate", "twice in the bills"),
                            ("fee_differs", "another fee"),
                        ],
                        db_index=True,
                        default="timing",
                        max_length=16,
                        verbose_name="comparison",
                    ),
                ),
                (
                    "bill",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="commerce.providerbill",
                        verbose_name="bill",
                    ),
                ),
            ],
            options={
                "verbose_name": "bill line",
                "verbose_name_plural": "bill lines",
                "ordering": ["number"],
                "constraints": [
                    models.UniqueConstraint(fields=["bill", "number"], name="commerce_billline_once")
                ],
            },
        ),
    ]
