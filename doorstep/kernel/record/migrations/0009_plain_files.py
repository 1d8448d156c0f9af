from django.db import migrations

# Files are written once, read once and deleted: compressing them costs more than it saves.
_PLAIN = "ALTER TABLE record_bulkfile ALTER COLUMN body SET STORAGE EXTERNAL"
_PACKED = "ALTER TABLE record_bulkfile ALTER COLUMN body SET STORAGE EXTENDED"


class Migration(migrations.Migration):

    dependencies = [
        ('record', '0008_bulk_import'),
    ]

    operations = [
        migrations.RunSQL(_PLAIN, _PACKED),
    ]
