from django.db import migrations


class Migration(migrations.Migration):
    """What was rewritten is told to be visible to all, which an index needs to answer alone; nobody else would say so for long."""

    atomic = False
    dependencies = [
        ("record", "0014_texts_of_residents"),
    ]

    operations = [
        migrations.RunSQL("VACUUM (ANALYZE) record_searchstring", migrations.RunSQL.noop),
        migrations.RunSQL("VACUUM record_searchamount", migrations.RunSQL.noop),
    ]
