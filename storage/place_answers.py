"""What was answered of a place last time, by kind of work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.models import PlaceAnswer


class PlaceAnswers:
    def __init__(self, db: Session) -> None:
        self.db = db

    def of(self, place_key: str, work: str) -> dict[str, Any]:
        """fact → what was answered last time for this place and work."""
        if not place_key:
            return {}
        rows = self.db.scalars(
            select(PlaceAnswer).where(PlaceAnswer.place_key == place_key, PlaceAnswer.work == work)
        ).all()
        return {row.fact: row.value.get("value") for row in rows}

    def remember(self, place_key: str, work: str, answers: Mapping[str, Any], *, at: datetime) -> None:
        if not place_key or not answers:
            return
        known = {
            row.fact: row
            for row in self.db.scalars(
                select(PlaceAnswer).where(PlaceAnswer.place_key == place_key, PlaceAnswer.work == work)
            )
        }
        for fact, value in answers.items():
            row = known.get(fact)
            if row is None:
                self.db.add(PlaceAnswer(place_key=place_key, work=work, fact=fact, value={"value": value}, at=at))
            else:
                row.value, row.at = {"value": value}, at
        self.db.flush()
