"""By which second fact somebody tried to prove presence: at a machine in a hall each way is counted by itself."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0014_terminals")]

    operations = [
        migrations.AddField(
            model_name="presenceattempt",
            name="second",
            field=models.CharField(blank=True, db_default="", default="", max_length=8),
        )
    ]
