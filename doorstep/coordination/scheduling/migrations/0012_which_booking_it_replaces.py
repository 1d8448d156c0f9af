from django.db import migrations, models

_KNOWN = """
UPDATE scheduling_booking b SET replaces_key = o.key FROM scheduling_booking o WHERE o.id = b.changed_from_id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('scheduling', '0011_passed_numbers_line_up_again'),
    ]

    operations = [
        migrations.AddField(
            model_name='booking',
            name='replaces_key',
            field=models.UUIDField(null=True),
        ),
        migrations.RunSQL(_KNOWN, migrations.RunSQL.noop),
    ]
