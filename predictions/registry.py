"""The model in use. A process notices a new version within REFRESH_SECONDS."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime

from predictions.engine import DamagedModel, Model
from predictions.models import PredictionModel

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 5.0


@dataclass(frozen=True)
class ActiveModel:
    """`identity` also tells a row from one that had its primary key before: SQLite gives a freed one out again.

    The model has learned from reports up to `trained_until`.
    """

    identity: tuple[int, datetime]
    version: int
    model: Model
    trained_until: datetime | None


class Registry:
    """Keeps the opened model between requests; a damaged one is refused and the present one goes on serving."""

    def __init__(self) -> None:
        self._active: ActiveModel | None = None
        self._checked_at = float("-inf")

    def active(self) -> ActiveModel | None:
        now = time.monotonic()
        if now - self._checked_at >= REFRESH_SECONDS:
            self._checked_at = now
            self._refresh()
        return self._active

    def forget(self) -> None:
        """The next call asks the database."""
        self._checked_at = float("-inf")

    def _refresh(self) -> None:
        identity = PredictionModel.objects.filter(is_active=True).values_list("pk", "trained_at").first()
        if identity is None:
            self._active = None
        elif self._active is None or self._active.identity != identity:
            self._open(PredictionModel.objects.get(pk=identity[0]))

    def _open(self, row: PredictionModel) -> None:
        try:
            model = Model.from_dict(row.coefficients)
        except DamagedModel:
            serving = self._active.version if self._active else "none"
            logger.exception("prediction model v%s is damaged and is not used; serving: %s", row.version, serving)
        else:
            self._active = ActiveModel((row.pk, row.trained_at), row.version, model, row.trained_until)


registry = Registry()
