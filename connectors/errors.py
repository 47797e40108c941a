"""The one error an outside system gives."""

from __future__ import annotations


class OutsideError(Exception):
    """A call that failed. `permanent`: the same call can never work; `unknown`: it may have been carried out."""

    def __init__(self, system: str, code: str, *, permanent: bool, unknown: bool = False, wait_s: float = 0.0) -> None:
        super().__init__(f"{system}: {code}")
        self.system, self.code, self.permanent, self.unknown, self.wait_s = system, code, permanent, unknown, wait_s
