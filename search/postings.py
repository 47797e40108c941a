"""Posting lists and their weighted sum over all cards at once, on whole numbers used as bit rows.

A row is one Python int with bit n set when card n has the feature. A weighted sum over all cards is kept as planes:
bit n of plane p is bit p of card n's sum. Adding a row costs a few and/xor on whole rows (12.5 kB at 100,000 cards),
never a loop over cards, so no posting has to be cut short, however many cards share a word.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator


class Posting:
    """Cards having one feature: positions in order of adding, and the same as a bit row made when first asked for."""

    __slots__ = ("_done", "_row", "positions")

    def __init__(self) -> None:
        self.positions = array("I")
        self._row = 0
        self._done = 0

    def __len__(self) -> int:
        return len(self.positions)

    def add(self, position: int) -> None:
        """position: greater than all before."""
        self.positions.append(position)

    def row(self) -> int:
        """The bit row; only positions added since the last call are worked in."""
        waiting = len(self.positions) - self._done
        if waiting:
            fresh = self.positions[self._done :]
            if waiting <= 8:
                for position in fresh:
                    self._row |= 1 << position
            else:
                self._row |= row_of(fresh)
            self._done += len(fresh)
        return self._row


def row_of(positions: array) -> int:
    """Bit row of many positions in ascending order."""
    octets = bytearray((positions[-1] >> 3) + 1)
    for position in positions:
        octets[position >> 3] |= 1 << (position & 7)
    return int.from_bytes(octets, "little")


def positions_of(row: int, limit: int) -> Iterator[int]:
    """The first `limit` positions of a row, ascending."""
    while row and limit > 0:
        lowest = row & -row
        yield lowest.bit_length() - 1
        row ^= lowest
        limit -= 1


class Planes:
    """A sum per card, added up row by row."""

    __slots__ = ("planes",)

    def __init__(self) -> None:
        self.planes: list[int] = []

    def add(self, row: int, weight: int) -> None:
        """Add `weight` (>= 0, whole) to every card of the row."""
        plane = 0
        while weight:
            if weight & 1:
                self._carry(row, plane)
            weight >>= 1
            plane += 1

    def _carry(self, row: int, plane: int) -> None:
        planes = self.planes
        while row:
            while len(planes) <= plane:
                planes.append(0)
            old = planes[plane]
            planes[plane] = old ^ row
            row &= old
            plane += 1

    def plus(self, other: Planes) -> Planes:
        """A new sum of both."""
        total = Planes()
        total.planes = self.planes.copy()
        for plane, row in enumerate(other.planes):
            total._carry(row, plane)
        return total

    def top(self, among: int, count: int) -> list[int]:
        """Positions of the `count` greatest sums above zero among the cards of a row; ties at the end by position."""
        taken, left = 0, count
        among &= self._any()
        for row in reversed(self.planes):
            both = among & row
            size = both.bit_count()
            if size > left:
                among = both
                continue
            taken |= both
            left -= size
            among &= ~row
        chosen = list(positions_of(taken, count))
        chosen.extend(positions_of(among, left))
        return chosen

    def _any(self) -> int:
        row = 0
        for plane in self.planes:
            row |= plane
        return row

    def reader(self) -> PlaneReader:
        """Reads single sums; made once per query."""
        return PlaneReader(self.planes)


class PlaneReader:
    """Sums of single cards out of planes."""

    __slots__ = ("_octets",)

    def __init__(self, planes: list[int]) -> None:
        self._octets = [row.to_bytes((row.bit_length() + 7) // 8, "little") for row in planes]

    def __getitem__(self, position: int) -> int:
        byte, bit = position >> 3, position & 7
        total = 0
        for plane, octets in enumerate(self._octets):
            if byte < len(octets) and octets[byte] >> bit & 1:
                total |= 1 << plane
        return total
