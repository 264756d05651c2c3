from __future__ import annotations

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import Role, User


def role_of(request: Request) -> str | None:
    return request.user.role if isinstance(request.user, User) else None


def is_clinic(request: Request) -> bool:
    return role_of(request) in (Role.PRACTITIONER, Role.STAFF)


class IsStaff(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return role_of(request) == Role.STAFF


class IsClinic(BasePermission):
    """Practitioners and staff."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return is_clinic(request)


class PractitionerWrites(BasePermission):
    """Everyone signed in reads what is visible to them; practitioners write. Actions check the care team."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in SAFE_METHODS:
            return request.user.is_authenticated
        return role_of(request) == Role.PRACTITIONER


class ClinicWrites(BasePermission):
    """Like `PractitionerWrites`, but the reception (staff) may also register patients."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in SAFE_METHODS:
            return request.user.is_authenticated
        return role_of(request) in (Role.PRACTITIONER, Role.STAFF)


class PatientWrites(BasePermission):
    """Everyone signed in reads what is visible to them; patients write about themselves."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in SAFE_METHODS:
            return request.user.is_authenticated
        return role_of(request) == Role.PATIENT
