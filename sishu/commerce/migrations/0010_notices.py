from django.db import migrations, models


class Migration(migrations.Migration):
    """What providers wrote is kept as it came, sealed."""

    dependencies = [("commerce", "0009_disputes")]

    operations = [
        migrations.CreateModel(
            "ReceivedNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("gateway", models.CharField(max_length=20, verbose_name="gateway")),
                ("notice_id", models.CharField(max_length=128, verbose_name="number")),
                ("reference", models.CharField(blank=True, db_index=True, max_length=64, verbose_name="payment")),
                ("subject", models.CharField(editable=False, max_length=80)),
                ("sealed", models.BinaryField(editable=False)),
                ("count", models.PositiveIntegerField(default=1, verbose_name="times")),
                ("received_at", models.DateTimeField(db_index=True, verbose_name="received")),
                ("applied_at", models.DateTimeField(null=True, verbose_name="applied")),
            ],
            options={
                "verbose_name": "notice",
                "verbose_name_plural": "notices",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=["gateway", "notice_id"], name="commerce_notice_once")
                ],
            },
        ),
    ]
