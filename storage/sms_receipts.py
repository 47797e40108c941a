"""What operators made of SMS: whom to ask about, and how each ended. Columns of the outbox's own rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from storage.database import rows_changed
from storage.models import Delivery
from storage.models.messages import TO_ASK
from storage.outbox import URGENT


class SmsReceipts:
    def __init__(self, db: Session) -> None:
        self.db = db

    def due(self, at: datetime, *, after: timedelta, since: timedelta, limit: int) -> Sequence[Delivery]:
        """Urgent SMS the gateway took between `since` and `after` ago, of which no end is known and which are to be asked
        about now, oldest first."""
        return self.db.scalars(
            select(Delivery)
            .where(
                TO_ASK,
                Delivery.state == "confirmed",
                Delivery.confirmed_at > at - since,
                Delivery.confirmed_at <= at - after,
                or_(Delivery.receipt_due_at.is_(None), Delivery.receipt_due_at <= at),
                Delivery.urgency <= URGENT,
            )
            .order_by(Delivery.confirmed_at, Delivery.id)
            .limit(limit)
        ).all()

    def later(self, row_id: int, at: datetime) -> None:
        """The operator has not said yet what became of an SMS."""
        self.db.execute(update(Delivery).values(receipt_due_at=at).where(Delivery.id == row_id, TO_ASK))

    def end(self, row_id: int, at: datetime, receipt: str, *, error: str = "") -> bool:
        """What became of an SMS is known, or will not be known; False when another worker wrote it down already.

        One that failed did not arrive: its state says so, like that of any other message that was refused.
        """
        state = {"state": "refused"} if receipt == "failed" else {}
        return (
            rows_changed(
                self.db,
                update(Delivery)
                .values(receipt=receipt, checked_at=at, error=error[:100], **state)
                .where(Delivery.id == row_id, TO_ASK, Delivery.state == "confirmed"),
            )
            == 1
        )
