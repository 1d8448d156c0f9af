from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('scheduling', '0010_calls_missed'),
    ]

    operations = [
        migrations.AddField(
            model_name='ticket',
            name='turn_in',
            field=models.SmallIntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(
                condition=models.Q(turn_in__isnull=True) | models.Q(turn_in__gte=0), name='ticket_turn_in'
            ),
        ),
    ]
