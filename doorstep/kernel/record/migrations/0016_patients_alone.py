from django.db import migrations, models


class Migration(migrations.Migration):
    """Patients by their number with what links to them: a chain by name asks it of some hundred at once. A small index, one walk."""

    dependencies = [
        ("record", "0015_rewritten_tables"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="resource",
            index=models.Index(
                condition=models.Q(("type", "Patient")), fields=["id"], include=("ref",), name="resource_patient"
            ),
        ),
    ]
