import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('referrals', '0016_pregnancy'),
    ]

    operations = [
        migrations.AddField(
            model_name='referral',
            name='followers',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), db_default=[], default=list, size=None),
        ),
    ]
