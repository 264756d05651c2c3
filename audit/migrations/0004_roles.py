from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Names of roles only: no row is touched, also those of the role that there was."""

    dependencies = [("audit", "0003_refused_sign_ins")]

    operations = [
        migrations.AlterField(
            model_name="auditrecord",
            name="actor_role",
            field=models.CharField(
                blank=True,
                choices=[
                    ("patient", "patient"),
                    ("practitioner", "practitioner"),
                    ("reception", "reception"),
                    ("head", "head of the clinic"),
                    ("operator", "operator"),
                    ("staff", "staff"),
                ],
                max_length=12,
                verbose_name="role",
            ),
        ),
    ]
