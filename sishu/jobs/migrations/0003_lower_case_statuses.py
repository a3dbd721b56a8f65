from typing import Any

from django.db import migrations, models
from django.db.models.functions import Lower, Upper


def lower(apps: Any, _editor: Any) -> None:
    apps.get_model("jobs", "JobRun").objects.update(status=Lower("status"))


def upper(apps: Any, _editor: Any) -> None:
    apps.get_model("jobs", "JobRun").objects.update(status=Upper("status"))


class Migration(migrations.Migration):
    """A job's status is written as every other status."""

    dependencies = [("jobs", "0002_labels")]

    operations = [
        migrations.AlterField(
            "jobrun",
            "status",
            models.CharField(
                choices=[
                    ("ready", "Ready"),
                    ("running", "Running"),
                    ("succeeded", "Succeeded"),
                    ("failed", "Failed"),
                ],
                default="ready",
                max_length=9,
                verbose_name="status",
            ),
        ),
        migrations.RunPython(lower, upper),
    ]
