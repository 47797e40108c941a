"""What tells that the database cannot be used now: nothing is wrong with the work, it is to be done again later."""

from __future__ import annotations

from sqlalchemy import exc

AWAY: tuple[type[Exception], ...] = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
"""Lost connection, no free connection, a lock not given in time, a deadlock solved against us."""
