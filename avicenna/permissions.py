"""The access matrix (`accounts/access.py`) at the doors: what a view or an action asks before it does anything."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.access import ROLES, Act, Reach, Resource, may, reach
from accounts.models import User
from avicenna.errors import Forbidden

ACTS = {"POST": Act.CREATE, "PUT": Act.CHANGE, "PATCH": Act.CHANGE, "DELETE": Act.ERASE}


class Asks(BasePermission):
    """Whether the caller's role may do it at all; with whose data it may, `visible_to` and the action say."""

    resource: ClassVar[Resource]
    field: ClassVar[str | None] = None
    act: ClassVar[Act | None] = None
    least: ClassVar[Reach] = Reach.OWN

    def has_permission(self, request: Request, view: APIView) -> bool:
        act = self.act or _act_of(request.method or "", view)
        return may(request.user, act, self.resource, self.field, least=self.least)

    @classmethod
    def refuses_a_role(cls, method: str, view: APIView) -> bool:
        """Whether somebody may be turned away here who is signed in."""
        act = cls.act or _act_of(method, view)
        reaches = (reach(role, act, cls.resource, cls.field) for role in ROLES)
        return any(found is None or found < cls.least for found in reaches)


def allowed(
    resource: Resource, field: str | None = None, *, act: Act | None = None, least: Reach = Reach.OWN
) -> type[Asks]:
    """The permission class of a view. `act` is that of the method unless said otherwise."""
    return type("Allowed", (Asks,), {"resource": resource, "field": field, "act": act, "least": least})


def _act_of(method: str, view: APIView) -> Act:
    """A POST to one object (stop, lift, look at) changes it."""
    if method in SAFE_METHODS:
        return Act.READ
    act = ACTS[method]
    return Act.CHANGE if act is Act.CREATE and getattr(view, "detail", False) else act


def require(
    actor: User | None, act: Act, resource: Resource, field: str | None = None, *, least: Reach = Reach.OWN
) -> None:
    """Raises `Forbidden`. None is the operator at the command line."""
    if actor is not None and not may(actor, act, resource, field, least=least):
        raise Forbidden
