import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Objections to a charge, as the provider tells of them."""

    dependencies = [("commerce", "0008_lines_of_old_refunds")]

    operations = [
        migrations.CreateModel(
            "Dispute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="last changed")),
                ("reference", models.CharField(max_length=64, unique=True, verbose_name="provider's reference")),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "open"), ("won", "won"), ("lost", "lost")],
                        db_index=True,
                        default="open",
                        max_length=6,
                        verbose_name="status",
                    ),
                ),
                ("amount", models.BigIntegerField(verbose_name="amount in minor units")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="commerce.payment",
                        verbose_name="payment",
                    ),
                ),
            ],
            options={
                "verbose_name": "dispute",
                "verbose_name_plural": "disputes",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(condition=Q(amount__gt=0), name="commerce_dispute_amount_positive")
                ],
            },
        ),
    ]
