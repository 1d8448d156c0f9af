import uuid

from django.db import migrations, models

from doorstep.kernel.database.months import ByMonth


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]
    operations = [
        migrations.AlterField("eventrow", "key", models.UUIDField(default=uuid.uuid4, editable=False)),
        ByMonth("EventRow", "at"),
    ]
