from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import actions
from accounts.access import Act, Resource, may
from accounts.models import Role, Session, User
from avicenna.admin import ReadOnlyAdmin, StaffAdmin

admin.site.unregister(Group)
# Tokens are secrets: sessions below show who is signed in.
admin.site.unregister(BlacklistedToken)
admin.site.unregister(OutstandingToken)


class NewUserForm(BaseUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ["email", "name", "role"]

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if User.objects.filter(email=email.lower()).exists():
            raise forms.ValidationError(User._meta.get_field("email").error_messages["unique"], code="unique")
        return email.lower()


@admin.register(User)
class UserAdmin(StaffAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    resource = Resource.ACCOUNT
    ordering = ["email"]
    list_display = ["email", "name", "role", "is_active", "last_login"]
    list_filter = ["role", "is_active"]
    search_fields = ["email", "name"]
    fieldsets = [(None, {"fields": ["email", "name", "role", "language", "is_active", "password"]})]
    add_fieldsets = [(None, {"fields": ["email", "name", "role", "password1", "password2"]})]
    add_form = NewUserForm
    readonly_fields = ["email"]
    filter_horizontal = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Whose account a patient's is, is about a patient."""
        users: QuerySet[User] = super().get_queryset(request)
        sees_patients = may(request.user, Act.READ, Resource.PATIENT_ACCOUNT)
        return users if sees_patients else users.exclude(role=Role.PATIENT)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["email"] if obj else []

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        actions.save_user(actor=request.user, user=obj)  # type: ignore[arg-type]  # staff only


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    resource = Resource.ACCOUNT
    list_display = ["user", "device", "created_at", "seen_at", "ended_at"]
    list_select_related = ["user"]
    search_fields = ["user__email"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        sessions: QuerySet[Session] = super().get_queryset(request)
        sees_patients = may(request.user, Act.READ, Resource.PATIENT_ACCOUNT)
        return sessions if sees_patients else sessions.exclude(user__role=Role.PATIENT)
