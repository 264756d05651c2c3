from __future__ import annotations

from typing import Any

from django.db import migrations, models

ROLES = ["patient", "practitioner", "reception", "head", "operator"]


def staff_become_heads(apps: Any, schema_editor: Any) -> None:
    """Nobody loses what they could see; whom it is too much for, the head gives another role."""
    apps.get_model("accounts", "User").objects.filter(role="staff").update(role="head")


def heads_become_staff(apps: Any, schema_editor: Any) -> None:
    """There is no smaller role than staff to go back to that opens the admin: the others see nothing."""
    users = apps.get_model("accounts", "User").objects
    users.filter(role="head").update(role="staff")
    users.filter(role__in=["reception", "operator"]).update(role="patient")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_devices_and_second_factor")]

    operations = [
        migrations.RemoveConstraint(model_name="user", name="user_role_known"),
        migrations.AlterField(
            model_name="user",
            name="role",
            field=models.CharField(
                choices=[
                    ("patient", "patient"),
                    ("practitioner", "practitioner"),
                    ("reception", "reception"),
                    ("head", "head of the clinic"),
                    ("operator", "operator"),
                ],
                default="patient",
                max_length=12,
                verbose_name="role",
            ),
        ),
        migrations.RunPython(staff_become_heads, heads_become_staff),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(condition=models.Q(role__in=ROLES), name="user_role_known"),
        ),
    ]
