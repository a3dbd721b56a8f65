import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q


def free_failed(apps, schema_editor):
    """One that was given up holds no money and bars no other."""
    apps.get_model("commerce", "Refund").objects.filter(status="failed").update(open_key=None)


class Migration(migrations.Migration):
    """Parts go back, line by line; above a limit a second person agrees."""

    dependencies = [
        ("commerce", "0006_products"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            "orderline",
            "refund_days",
            models.PositiveSmallIntegerField(default=0, verbose_name="days to ask for it back"),
        ),
        migrations.AddField(
            "orderline",
            "refunded_amount",
            models.BigIntegerField(default=0, verbose_name="given back in minor units"),
        ),
        migrations.AddConstraint(
            "orderline",
            models.CheckConstraint(
                condition=Q(refunded_amount__gte=0, refunded_amount__lte=F("amount")),
                name="commerce_line_refunded_within_amount",
            ),
        ),
        migrations.RemoveConstraint("refund", "commerce_refund_key_while_open"),
        migrations.AddField(
            "refund",
            "approved_by",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="approved by",
            ),
        ),
        migrations.AddField(
            "refund", "closes_access", models.BooleanField(default=True, verbose_name="closes what was bought")
        ),
        migrations.AddField(
            "refund", "form_key", models.CharField(editable=False, max_length=40, null=True, unique=True)
        ),
        migrations.AlterField(
            "refund",
            "status",
            models.CharField(
                choices=[
                    ("proposed", "waits for a second person"),
                    ("requested", "requested"),
                    ("processing", "on its way"),
                    ("succeeded", "succeeded"),
                    ("failed", "failed"),
                    ("rejected", "rejected"),
                ],
                db_index=True,
                default="requested",
                max_length=10,
                verbose_name="status",
            ),
        ),
        migrations.CreateModel(
            "RefundLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", models.BigIntegerField(verbose_name="amount in minor units")),
                ("parts", models.JSONField(default=list, verbose_name="taken from")),
                (
                    "refund",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="commerce.refund",
                        verbose_name="refund",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="commerce.orderline",
                        verbose_name="order line",
                    ),
                ),
            ],
            options={
                "verbose_name": "refunded line",
                "verbose_name_plural": "refunded lines",
                "constraints": [
                    models.UniqueConstraint(fields=["refund", "line"], name="commerce_refundline_once"),
                    models.CheckConstraint(condition=Q(amount__gt=0), name="commerce_refundline_amount_positive"),
                ],
            },
        ),
        migrations.RunPython(free_failed, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            "refund",
            models.CheckConstraint(
                condition=Q(status__in=["proposed", "requested", "processing"], open_key__isnull=False)
                | Q(status__in=["succeeded", "failed", "rejected"], open_key__isnull=True),
                name="commerce_refund_key_while_open",
            ),
        ),
        migrations.AddConstraint(
            "refund",
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("requested_by")),
                name="commerce_refund_two_people",
            ),
        ),
    ]
