"""The catalogue as files refer to it: by slug, or by a name in either language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from diagnoses.models import CatalogueTerm, Condition, Remedy, SideEffect
from feedback.importing.names import name_key
from feedback.importing.records import Unusable

Term = TypeVar("Term", bound=CatalogueTerm)


class EmptyCatalogue(Exception):
    """There is nothing yet that reports could refer to."""


class Vocabulary(Generic[Term]):
    """The terms of one catalogue, found by slug or by name in either language, however it is spelled."""

    def __init__(self, model: type[Term]) -> None:
        self.model = model
        self._slugs: dict[str, Term] = {}
        self._names: dict[str, list[Term]] = {}
        for term in model._default_manager.all():
            self.add(term)

    def __bool__(self) -> bool:
        return bool(self._slugs)

    def __iter__(self) -> Iterator[Term]:
        return iter(self._slugs.values())

    def add(self, term: Term) -> Term:
        self._slugs[term.slug] = term
        for key in {name_key(term.name_en), name_key(term.name_fa)}:
            self._names.setdefault(key, []).append(term)
        return term

    def with_slug(self, slug: str) -> Term | None:
        return self._slugs.get(slug)

    def find(self, name: str) -> Term:
        if term := self._slugs.get(name.strip().lower()):
            return term
        named = self._names.get(name_key(name), [])
        if len(named) == 1:
            return named[0]
        what = self.model._meta.verbose_name
        if named:
            slugs = ", ".join(sorted(term.slug for term in named))
            raise Unusable(f"{what} “{name}” may be {slugs}: write the slug")
        raise Unusable(f"{what} “{name}” is not in the catalogue")


class Catalogue:
    """Loaded once per run. Raises EmptyCatalogue before `load_catalogue` was run."""

    def __init__(self) -> None:
        self.conditions = Vocabulary(Condition)
        self.remedies = Vocabulary(Remedy)
        self.effects = Vocabulary(SideEffect)
        if not (self.conditions and self.remedies and self.effects):
            raise EmptyCatalogue
