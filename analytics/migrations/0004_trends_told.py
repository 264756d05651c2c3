import django.db.models.deletion
from django.db import migrations, models
from django.utils import timezone

REMEDY_CONDITION, REMEDY = 2, 3


def begin_today(apps, schema_editor):
    """What stands now counts as told: trends were remembered until now, but nobody heard of them."""
    told = apps.get_model("analytics", "Told").objects
    told.filter(kind=REMEDY_CONDITION).update(trend="")
    told.filter(kind=REMEDY).update(day=timezone.localdate())


class Migration(migrations.Migration):

    dependencies = [
        ("analytics", "0003_told"),
        ("diagnoses", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="told",
            name="day",
            field=models.DateField(null=True),
        ),
        migrations.CreateModel(
            name="Due",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recommendation", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="diagnoses.recommendation")),
            ],
        ),
        migrations.RunPython(begin_today, migrations.RunPython.noop),
    ]
