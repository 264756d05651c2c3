from __future__ import annotations

from django.db import transaction

from accounts.access import Act, Resource
from accounts.models import User
from avicenna.permissions import require
from diagnoses.models import CatalogueTerm


@transaction.atomic
def save_term(*, actor: User | None, term: CatalogueTerm) -> CatalogueTerm:
    """Adds or changes a word of the catalogue. Staff decides."""
    require(actor, Act.CHANGE, Resource.CATALOGUE)
    term.full_clean()
    term.save()
    return term
