from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import actions
from accounts.access import Act, Resource, may
from accounts.models import Role, Session, User
from avicenna.admin import NewestFirst, Period, ReadOnlyAdmin, StaffAdmin, act, related
from avicenna.pagination import NewestPaginator

admin.site.unregister(Group)
# Tokens are secrets: sessions below show who is signed in.
admin.site.unregister(BlacklistedToken)
admin.site.unregister(OutstandingToken)


class NewUserForm(UserCreationForm):
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
    list_filter = ["role", "is_active", "language"]
    list_per_page = 50
    paginator = NewestPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ["email", "name"]
    fieldsets = [(None, {"fields": ["email", "name", "role", "language", "is_active", "password"]})]
    add_fieldsets = [(None, {"fields": ["email", "name", "role", "password1", "password2"]})]
    form, add_form, change_password_form = UserChangeForm, NewUserForm, AdminPasswordChangeForm
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


class StillOpen(admin.EmptyFieldListFilter):
    """Sessions by whether somebody is signed in with them."""

    def choices(self, changelist: Any) -> Any:
        words = [_("All"), _("signed in"), _("signed out")]
        for word, choice in zip(words, super().choices(changelist), strict=True):
            yield choice | {"display": word}


@admin.register(Session)
class SessionAdmin(NewestFirst, ReadOnlyAdmin):
    """Who is signed in, with what; staff ends what somebody has lost."""

    resource = Resource.ACCOUNT
    list_display = ["account", "device", "created_at", "seen_at", "ended_at"]
    list_select_related = ["user"]
    list_filter = [("ended_at", StillOpen), ("created_at", Period), ("user__role")]
    account = related("user", _("account"))
    fields = ["its_account", "device", "created_at", "seen_at", "ended_at", "was_reused"]
    its_account = related("user", _("account"), is_link=True)
    readonly_fields = ["its_account"]
    found_by_id = ("pk",)
    found_by_email = "user__email"
    search_help_text = _("The email of an account, or the id of a session.")
    actions = ["end"]

    @admin.action(description=_("End these sessions"), permissions=["end"])
    def end(self, request: HttpRequest, sessions: QuerySet[Session]) -> None:
        staff = cast(User, request.user)
        done = gettext("Sessions ended.")
        act(request, sessions, lambda session: actions.end_session(actor=staff, session=session), done)

    def has_end_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Act.CHANGE, Resource.ACCOUNT)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        sessions: QuerySet[Session] = super().get_queryset(request)
        sees_patients = may(request.user, Act.READ, Resource.PATIENT_ACCOUNT)
        return sessions if sees_patients else sessions.exclude(user__role=Role.PATIENT)
