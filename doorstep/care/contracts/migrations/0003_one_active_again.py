from django.db import migrations, models

from doorstep.care.contracts.states import LIVE

RULE = "contract_one_active"


class Migration(migrations.Migration):
    """Taking the index of the resident's key away took the partial unique rule over the same column with it."""

    dependencies = [("contracts", "0002_fewer_indexes")]

    operations = [
        migrations.RemoveConstraint(model_name="contract", name=RULE),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", LIVE)), fields=("resident",), name=RULE
            ),
        ),
    ]
