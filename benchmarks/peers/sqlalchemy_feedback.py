"""A FastAPI service that stores a report and raises one rollup in one transaction, and does nothing else.

No sign-in, no rights, no idempotency, no encryption, no other figures, no events. The same as async and as sync route:
`/async` and `/sync`. `python -m benchmarks.peers.sqlalchemy_feedback` makes the tables.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from fastapi import FastAPI
from pydantic import BaseModel, Field
from sqlalchemy import create_engine
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

URL = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
# Connections of one worker, of one kind; there are 16 clients and 2 workers.
POOL = {"pool_size": 8, "max_overflow": 8}

application = FastAPI()
engine = create_engine(URL, **POOL)
async_engine = create_async_engine(URL, **POOL)


class Base(DeclarativeBase):
    pass


class Report(Base):
    __tablename__ = "peer_feedback"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    recommendation_id: Mapped[UUID] = mapped_column(index=True)
    rating: Mapped[int]
    symptom_improvement: Mapped[int]
    comment: Mapped[str]
    created_at: Mapped[datetime]


class Rollup(Base):
    __tablename__ = "peer_rollup"

    recommendation_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    n: Mapped[int]
    rating_sum: Mapped[int]


class NewReport(BaseModel):
    recommendation: UUID
    rating: int = Field(ge=1, le=5)
    symptom_improvement: int = Field(ge=1, le=5)
    comment: str = Field(default="", max_length=500)


class StoredReport(NewReport):
    id: UUID
    created_at: datetime


@application.post("/async", status_code=201)
async def report_async(given: NewReport) -> StoredReport:
    async with AsyncSession(async_engine, expire_on_commit=False) as session, session.begin():
        row = stored(given)
        session.add(row)
        await session.execute(raised(row))
    return StoredReport(id=row.id, created_at=row.created_at, **given.model_dump())


@application.post("/sync", status_code=201)
def report_sync(given: NewReport) -> StoredReport:
    with Session(engine, expire_on_commit=False) as session, session.begin():
        row = stored(given)
        session.add(row)
        session.execute(raised(row))
    return StoredReport(id=row.id, created_at=row.created_at, **given.model_dump())


def stored(given: NewReport) -> Report:
    return Report(
        id=uuid4(),
        recommendation_id=given.recommendation,
        rating=given.rating,
        symptom_improvement=given.symptom_improvement,
        comment=given.comment,
        created_at=datetime.now(UTC).replace(tzinfo=None),
    )


def raised(row: Report) -> Any:
    upsert = insert(Rollup).values(
        recommendation_id=row.recommendation_id, day=row.created_at.date(), n=1, rating_sum=row.rating
    )
    sums = {"n": Rollup.n + upsert.excluded.n, "rating_sum": Rollup.rating_sum + upsert.excluded.rating_sum}
    return upsert.on_conflict_do_update(index_elements=["recommendation_id", "day"], set_=sums)


if __name__ == "__main__":
    Base.metadata.create_all(engine)
