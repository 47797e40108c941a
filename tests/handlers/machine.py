"""A plant that hypothesis plays with: what the state machines of cases and of ladders have in common."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.plant import Plant


class PlantMachine(RuleBasedStateMachine):
    """A plant of its own for each example; `name` is of its folder."""

    new_plant: Callable[[Path], Plant]
    name = "plant"

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        self.plant = type(self).new_plant(self.folder)

    def teardown(self) -> None:
        self.plant.services.engine.dispose()
        shutil.rmtree(self.folder)


def play(machine: type[PlantMachine], new_sqlite: Any, redis_client: Any, *, max_examples: int, steps: int) -> None:
    """Run the machine with an empty database and an empty Redis for every example."""
    opened = []

    def new_plant(folder: Path) -> Plant:
        redis_client.flushall()
        opened.append(new_sqlite())
        return Plant(opened[-1].__enter__(), redis_client, folder)

    machine.new_plant = staticmethod(new_plant)  # type: ignore[assignment]
    how = settings(
        max_examples=max_examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    try:
        run_state_machine_as_test(machine, settings=how)
    finally:
        for database in opened:
            database.__exit__(None, None, None)
