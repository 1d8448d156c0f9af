from django.db import migrations

# Functions of another form take their place: the chart is text now, and names each entry once.
_FORMER = """
DROP FUNCTION IF EXISTS record_chart(bigint, jsonb);
DROP FUNCTION IF EXISTS record_chart_entries(bigint, jsonb, boolean);
DROP FUNCTION IF EXISTS record_chart_summary(bigint, boolean);
DROP FUNCTION IF EXISTS record_chart_values(bigint, boolean, bigint[], integer);
DROP FUNCTION IF EXISTS record_slim(jsonb);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('record', '0009_plain_files'),
    ]

    operations = [
        migrations.RunSQL(_FORMER, migrations.RunSQL.noop),
    ]
