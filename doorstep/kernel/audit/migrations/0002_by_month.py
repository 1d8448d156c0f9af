from django.db import migrations

from doorstep.kernel.database.months import ByMonth


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [ByMonth("AuditEntry", "at")]
