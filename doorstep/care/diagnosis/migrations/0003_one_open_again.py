from django.db import migrations, models

from doorstep.care.diagnosis import states

RULE = "critical_one_open_per_order"


class Migration(migrations.Migration):
    """Taking the index of the order's key away took the partial unique rule over the same column with it."""

    dependencies = [("diagnosis", "0002_fewer_indexes")]

    operations = [
        migrations.RemoveConstraint(model_name="criticalvalue", name=RULE),
        migrations.AddConstraint(
            model_name="criticalvalue",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", [states.TOLD, states.ACKNOWLEDGED])), fields=("order",), name=RULE
            ),
        ),
    ]
