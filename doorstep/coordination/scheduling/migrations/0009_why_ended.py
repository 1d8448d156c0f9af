from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('scheduling', '0008_rooms_by_day'),
    ]

    operations = [
        migrations.AddField(
            model_name='booking',
            name='end_reason',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
    ]
