from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0003_fewer_indexes")]

    operations = [
        migrations.AddField(
            model_name="notification", name="error_kind", field=models.CharField(blank=True, default="", max_length=12)
        ),
        migrations.AddIndex(
            model_name="notification", index=models.Index(fields=["subscription", "at"], name="notification_at")
        ),
        migrations.AlterField(
            model_name="subscription",
            name="content",
            field=models.CharField(
                choices=[
                    ("empty", "不含内容"),
                    ("id-only", "只含编号"),
                    ("full-resource", "完整资源"),
                    ("message", "FHIR 消息"),
                    ("hl7v2", "HL7 v2 消息"),
                ],
                default="empty",
                max_length=14,
            ),
        ),
    ]
