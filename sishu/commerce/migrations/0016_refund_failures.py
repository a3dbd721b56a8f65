from django.db import migrations, models


def count_the_last(apps, schema_editor):
    """How often before the last time, nobody wrote down."""
    apps.get_model("commerce", "Refund").objects.filter(status="failed").update(failure_count=1)


class Migration(migrations.Migration):
    """A refund knows how often the provider gave it up."""

    dependencies = [("commerce", "0015_payment_expires_at")]

    operations = [
        migrations.AddField(
            "refund",
            "failure_count",
            models.PositiveSmallIntegerField(default=0, verbose_name="times given up"),
        ),
        migrations.RunPython(count_the_last, migrations.RunPython.noop, elidable=True),
    ]
