from django.db import migrations


class Migration(migrations.Migration):
    """Nothing gave a job a key: what must be done once is a delivery of a fact."""

    dependencies = [("jobs", "0003_lower_case_statuses")]

    operations = [migrations.RemoveField("jobrun", "key")]
