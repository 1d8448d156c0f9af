import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0002_by_month")]

    operations = [
        migrations.CreateModel(
            name="WaitingEvent",
            fields=[
                ("event_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                (
                    "handlers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=160), size=None
                    ),
                ),
            ],
        ),
    ]
