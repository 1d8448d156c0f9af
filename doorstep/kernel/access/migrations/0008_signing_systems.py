from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0007_app_launches'),
    ]

    operations = [
        migrations.AddField(
            model_name='apiclient',
            name='issuer',
            field=models.CharField(blank=True, db_default='', default='', max_length=500),
        ),
        migrations.AddField(
            model_name='apiclient',
            name='jku',
            field=models.CharField(blank=True, db_default='', default='', max_length=500),
        ),
        migrations.AddConstraint(
            model_name='apiclient',
            constraint=models.UniqueConstraint(condition=models.Q(('issuer', ''), _negated=True), fields=('issuer',), name='issuer_once'),
        ),
    ]
