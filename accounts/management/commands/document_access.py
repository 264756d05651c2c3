from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import access
from accounts.access import Act, Line, Reach, Right
from accounts.roles import Role

TABLE = re.compile(r"(<!-- table: access -->\n).*?(<!-- end -->)", re.DOTALL)
WHOSE = {Reach.OWN: "own", Reach.CARE: "care team", Reach.ALL: "all"}
WORDS = {Act.READ: "read", Act.CREATE: "create", Act.CHANGE: "change", Act.ERASE: "erase"}
HEADS = {Role.HEAD: "head of the clinic"}


class Command(BaseCommand):
    help = "Writes the table of docs/security.md that says who may do what from accounts/access.py."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail when the table is out of date")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        path = settings.BASE_DIR / "docs" / "security.md"
        text = path.read_text(encoding="utf-8")
        fresh, tables = TABLE.subn(lambda found: f"{found[1]}{table()}{found[2]}", text)
        if not tables:
            raise CommandError("docs/security.md has no place for the table.")
        if check and fresh != text:
            raise CommandError("Out of date: security.md. Run manage.py document_access.")
        path.write_text(fresh, encoding="utf-8")
        self.stdout.write("Written: security.md." if fresh != text else "The document agrees with the code.")


def table() -> str:
    """In Markdown."""
    head = ["of", "fields", *(HEADS.get(role, role.value) for role in access.ROLES)]
    rows = [_row(line) for line in access.MATRIX]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [head, ["---"] * len(head), *rows])


def _row(line: Line) -> list[str]:
    fields = " ".join(f"`{field}`" for field in line.fields)
    return [line.resource.value, fields, *(_cell(line.rights.get(role)) for role in access.ROLES)]


def _cell(right: Right | None) -> str:
    if right is None:
        return "-"
    return f"{WHOSE[right.reach]}: {', '.join(word for act, word in WORDS.items() if act in right.acts)}"
