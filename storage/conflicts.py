"""What tells that another writer came between: the whole unit of work is to be tried again from its beginning."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

CONFLICTS: tuple[type[Exception], ...] = (StaleDataError, IntegrityError)
