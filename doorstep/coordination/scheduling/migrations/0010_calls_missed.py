from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('scheduling', '0009_why_ended'),
    ]

    operations = [
        migrations.AddField(
            model_name=name,
            name='calls_missed',
            field=models.SmallIntegerField(default=0),
        )
        for name in ('rebooking', 'waitingentry')
    ] + [
        migrations.AddField(
            model_name=name,
            name='called_at',
            field=models.DateTimeField(null=True),
        )
        for name in ('rebooking', 'waitingentry')
    ]
