from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Names only: no row is touched."""

    dependencies = [("audit", "0002_append_only_on_postgresql")]

    operations = [
        migrations.AlterField(
            model_name="auditrecord",
            name="action",
            field=models.CharField(
                choices=[
                    ("read", "read"),
                    ("listed", "saw in a list"),
                    ("exported", "exported"),
                    ("replayed", "opened the live stream"),
                    ("delivered", "watched live"),
                    ("created", "created"),
                    ("changed", "changed"),
                    ("broke_glass", "opened in an emergency"),
                    ("signed_in", "signed in"),
                    ("signed_out", "signed out"),
                    ("refused", "was refused"),
                ],
                max_length=11,
                verbose_name="action",
            ),
        ),
    ]
