"""What an error of the database means: another writer came between, or the database is away."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError

CONFLICTS: tuple[type[Exception], ...] = (StaleDataError, IntegrityError)
"""Another writer came between: the whole unit of work is to be tried again from its beginning."""

AWAY: tuple[type[Exception], ...] = (OperationalError,)
"""The database cannot be asked now: asking for something else helps no more."""
