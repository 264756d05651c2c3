from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Names only: no row is touched, also none of the role that there was."""

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
        migrations.AlterField(
            model_name="auditrecord",
            name="kind",
            field=models.CharField(
                choices=[
                    ("patient", "record"),
                    ("diagnosis", "diagnosis"),
                    ("recommendation", "recommendation"),
                    ("contraindication", "contraindication"),
                    ("emergency_access", "emergency access"),
                    ("feedback", "report"),
                    ("severe_flag", "severe side effect"),
                    ("statistics", "statistics"),
                    ("prediction", "prediction"),
                    ("events", "live events"),
                    ("session", "session"),
                ],
                max_length=16,
                verbose_name="what",
            ),
        ),
    ]
