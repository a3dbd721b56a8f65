from django.db import migrations


def write_lines(apps, schema_editor):
    """Until now a refund of a sale gave back all of it, or is about to."""
    lines = apps.get_model("commerce", "RefundLine").objects
    refunds = apps.get_model("commerce", "Refund").objects.filter(part="sale", status__in=["succeeded", "requested"])
    for refund in refunds.select_related("payment__order"):
        for line in refund.payment.order.lines.filter(amount__gt=0):
            lines.get_or_create(refund=refund, line=line, defaults={"amount": line.amount})
            line.refunded_amount = line.amount
            line.save(update_fields=["refunded_amount"])


class Migration(migrations.Migration):
    """Refunds from before there were parts say of what they are."""

    dependencies = [("commerce", "0007_refund_parts")]

    operations = [migrations.RunPython(write_lines, migrations.RunPython.noop, elidable=True)]
