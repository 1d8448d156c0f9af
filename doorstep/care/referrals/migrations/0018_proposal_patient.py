from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('referrals', '0017_followers'),
    ]

    operations = [
        migrations.AddField(
            model_name='downproposal',
            name='patient_birth_date',
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name='downproposal',
            name='patient_gender',
            field=models.CharField(blank=True, db_default='', default='', max_length=8),
        ),
    ]
