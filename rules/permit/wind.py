"""Wind force from a mean speed (GB/T 28591-2012); 8.0 m/s is force 5, 10.8 m/s force 6 (GB 30871-2022 5.2.15, 9.2.4)."""

from __future__ import annotations

import bisect

# lower bound of the mean speed in m/s of force 0, 1, 2 …
BEAUFORT_M_S = (0.0, 0.3, 1.6, 3.4, 5.5, 8.0, 10.8, 13.9, 17.2, 20.8, 24.5, 28.5, 32.7)


def beaufort(speed_m_s: float) -> int:
    """The force (0 to 12) of a mean speed in m/s."""
    return bisect.bisect_right(BEAUFORT_M_S, max(0.0, speed_m_s)) - 1
