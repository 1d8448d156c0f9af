from django.db import migrations


class Migration(migrations.Migration):
    """Tokens are found by their hashes from now on: what was kept of them in clear is forgotten."""

    initial = True

    dependencies = [
        ("oauth2_provider", "0022_refreshtoken_token_family_index"),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE oauth2_provider_accesstoken SET token = '' WHERE token <> '';"
            " UPDATE oauth2_provider_refreshtoken SET token = '' WHERE token <> '';",
            migrations.RunSQL.noop,
        ),
    ]
