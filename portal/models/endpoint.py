"""The other side of a web service, while it fails: it is asked less often until it answers.

Each item has waits of its own, and a hundred items would still ask a web service that is down a
hundred times in the same minutes, and keep a worker busy with each. So after some failures in a row
one of them asks for all, now and then.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.database.types import UTCDateTime
from portal.extensions import Model, db

MANY = 5  # failures in a row
# From one probe to the next; the last of them from then on.
PAUSES = [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 10)]


class Endpoint(Model):
    """One with a row has not answered since it failed. `next_probe_at` is set once it has failed
    too often; before that, everybody may ask."""

    __tablename__ = "endpoints"

    origin: Mapped[str] = mapped_column(String(300), primary_key=True)
    failures: Mapped[int] = mapped_column(default=1)
    probes: Mapped[int] = mapped_column(default=0)
    next_probe_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @classmethod
    def turn(cls, origin: str) -> datetime | None:
        """None if `origin` may be asked now, or else when to come back for another turn.

        While it fails, one caller in each pause gets None. Commit before you ask: others wait for
        that, and a probe whose process dies is followed by the next one as if it had failed.
        """
        taken = (
            db.update(cls)
            .where(cls.origin == origin, cls.next_probe_at <= clock.now())
            .values(probes=cls.probes + 1, next_probe_at=_next_probe())
            .returning(cls.origin)
            .execution_options(synchronize_session=False)
        )
        if db.session.scalar(taken):
            return None
        return db.session.scalar(db.select(cls.next_probe_at).filter_by(origin=origin))

    @classmethod
    def probe_now(cls, origin: str) -> None:
        """Let the next caller ask `origin`, in the transaction of the caller: a person wants it."""
        db.session.execute(
            db.update(cls)
            .where(cls.origin == origin, cls.next_probe_at > clock.now())
            .values(next_probe_at=clock.now())
            .execution_options(synchronize_session=False)
        )

    @classmethod
    def failed(cls, origin: str) -> None:
        """Count one more failure of `origin`, in the transaction of the caller."""
        dialect: Any = sqlite if db.engine.dialect.name == "sqlite" else postgresql
        first_probe_at = _moment(clock.now() + PAUSES[0])
        db.session.execute(
            dialect.insert(cls)
            .values(origin=origin, failures=1, probes=0)
            .on_conflict_do_update(
                index_elements=[cls.origin],
                set_={
                    "failures": cls.failures + 1,
                    "next_probe_at": db.func.coalesce(
                        cls.next_probe_at, db.case((cls.failures + 1 >= MANY, first_probe_at))
                    ),
                },
            )
        )

    @classmethod
    def answered(cls, origin: str) -> bool:
        """Forget the failures of `origin`, in the transaction of the caller, and say whether there
        had been so many that others wait for this."""
        gone = db.delete(cls).where(cls.origin == origin).returning(cls.next_probe_at)
        return any(db.session.scalars(gone.execution_options(synchronize_session=False)))


def _next_probe() -> ColumnElement[datetime]:
    """The end of the pause after the probe that is taken now."""
    ends = [_moment(clock.now() + pause) for pause in PAUSES]
    later = dict(enumerate(ends[1:-1]))
    return db.case(later, value=Endpoint.probes, else_=ends[-1])


def _moment(time: datetime) -> ColumnElement[datetime]:
    return db.literal(time, UTCDateTime)
