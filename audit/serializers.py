from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import Role
from audit.models import TOLD_ROLES, AuditRecord


class WhoSerializer(serializers.Serializer[Any]):
    """Practitioners by name; staff and the clinic's computers (no role) by what they are."""

    name = serializers.CharField(allow_blank=True)
    role = serializers.ChoiceField(choices=TOLD_ROLES, allow_blank=True)
    is_me = serializers.BooleanField()


class AccessSerializer(serializers.ModelSerializer[AuditRecord]):
    """One entry of a patient's own access log: who did what with which part of the record, and why."""

    who = serializers.SerializerMethodField()

    class Meta:
        model = AuditRecord
        fields = ["id", "at", "who", "action", "kind", "purpose", "reason"]
        read_only_fields = fields

    @extend_schema_field(WhoSerializer)
    def get_who(self, record: AuditRecord) -> dict[str, Any]:
        is_named = record.actor_role == Role.PRACTITIONER
        is_me = record.actor_id is not None and record.actor_id == self.context["request"].user.pk
        return {"name": record.actor_name if is_named else "", "role": record.actor_role, "is_me": is_me}
