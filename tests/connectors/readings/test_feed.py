"""Store and forward: nothing is lost while the database is away, nothing bad stops the good."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from connectors.readings import ReadingSource, Sample, Spool
from connectors.readings.config import BadConfig, load
from connectors.readings.source import Emit, SourceLost, Status, settled
from tests.connectors.readings.conftest import NOW, Clock, Plant, run, running, until


class Told(ReadingSource):
    """A source that brings what the test puts into it."""

    def __init__(self, name: str, clock: Clock) -> None:
        super().__init__(name, clock)
        self.batches: asyncio.Queue[Sequence[Sample] | Exception] = asyncio.Queue()
        self.opened = self.safe = 0

    async def poll(self) -> Sequence[Sample]:
        return ()

    async def serve(self, emit: Emit) -> None:
        self.opened += 1
        while True:
            batch = await self.batches.get()
            if isinstance(batch, Exception):
                raise batch
            await emit(batch)
            self.safe += 1


def sample(value: float, detector: str = "GT-1") -> Sample:
    return Sample(detector, value, "%LEL", Status.OK, NOW)


def values(plant: Plant) -> list[float]:
    return [row["value"] for row in plant.rows]


def test_rows_survive_a_database_that_is_away(clock: Clock, tmp_path: Path):
    async def talk() -> None:
        plant, source, spool = Plant(away=True), Told("s", clock), Spool(tmp_path, max_bytes=10**6)
        async with running(plant.feed([source], spool, clock)):
            for n in range(3):
                source.batches.put_nowait([sample(n)])
            await until(lambda: source.safe == 3, "all on the disk")
            assert plant.rows == []
            assert len(spool) >= 1
            plant.away = False
            await until(lambda: len(spool) == 0, "delivered")
            assert sorted(values(plant)) == [0, 1, 2]

    run(talk)


def test_what_is_on_the_disk_survives_a_restart(clock: Clock, tmp_path: Path):
    async def talk() -> None:
        plant, source = Plant(away=True), Told("s", clock)
        async with running(plant.feed([source], Spool(tmp_path, max_bytes=10**6), clock)):
            source.batches.put_nowait([sample(7)])
            await until(lambda: source.safe == 1)
        plant.away = False
        async with running(plant.feed([Told("s", clock)], Spool(tmp_path, max_bytes=10**6), clock)):
            await until(lambda: values(plant) == [7])
        assert list(tmp_path.glob("*.jsonl")) == []

    run(talk)


def test_a_row_that_breaks_the_ingest_is_left_out_alone(clock: Clock, tmp_path: Path):
    async def talk() -> None:
        plant, source = Plant(breaks_on="BAD"), Told("s", clock)
        async with running(plant.feed([source], Spool(tmp_path, max_bytes=10**6), clock)):
            source.batches.put_nowait([*[sample(n) for n in range(50)], sample(99, "BAD"), sample(50)])
            await until(lambda: source.safe == 1)
        assert values(plant) == list(range(51))
        assert plant.calls <= 2 * 7 + 1  # halving, not row by row

    run(talk)


def test_a_source_that_fails_comes_back_and_disturbs_no_other(clock: Clock, tmp_path: Path):
    async def talk() -> None:
        plant, bad, good = Plant(), Told("bad", clock), Told("good", clock)
        async with running(plant.feed([bad, good], Spool(tmp_path, max_bytes=10**6), clock)):
            bad.batches.put_nowait(SourceLost("cable cut"))
            await until(lambda: plant.health.get("bad") and plant.health["bad"].last_error == "cable cut")
            bad.batches.put_nowait(ZeroDivisionError("a bug"))
            good.batches.put_nowait([sample(1)])
            await until(lambda: good.safe == 1)
            await until(lambda: bad.opened >= 3, "came back twice")
            bad.batches.put_nowait([sample(2)])
            await until(lambda: bad.safe == 1)
            assert plant.health["good"].last_error == ""
        assert sorted(values(plant)) == [1, 2]

    run(talk)


def test_big_bursts_go_in_calls_of_at_most_five_thousand(clock: Clock, tmp_path: Path):
    async def talk() -> None:
        plant, source = Plant(), Told("s", clock)
        async with running(plant.feed([source], Spool(tmp_path, max_bytes=10**6), clock)):
            source.batches.put_nowait([sample(n) for n in range(12_001)])
            await until(lambda: source.safe == 1)
        assert len(plant.rows) == 12_001
        assert plant.calls == 3

    run(talk)


# -- the spool


def rows(*numbers: int) -> list[dict[str, int]]:
    return [{"n": number} for number in numbers]


def test_the_oldest_comes_first_and_goes_when_removed(tmp_path: Path):
    spool = Spool(tmp_path, max_bytes=10**6)
    spool.put(rows(1))
    spool.put(rows(2))
    name, kept = spool.oldest() or ("", [])
    assert kept == rows(1)
    spool.remove(name)
    assert (Spool(tmp_path, max_bytes=10**6).oldest() or ("", []))[1] == rows(2)


def test_a_full_spool_gives_up_the_oldest_and_counts(tmp_path: Path):
    spool = Spool(tmp_path, max_bytes=25)  # {"n": 1}\n is 9 bytes
    spool.put(rows(1))
    spool.put(rows(2))
    assert spool.dropped_rows == 0
    spool.put(rows(3, 4))
    assert spool.dropped_rows == 2
    assert (spool.oldest() or ("", []))[1] == rows(3, 4)
    assert spool.bytes_kept == 18
    spool.put(rows(*range(10)))  # alone larger than the limit: kept, because it is all there is
    assert len(spool) == 1


def test_a_torn_file_costs_only_the_torn_line(tmp_path: Path):
    Spool(tmp_path, max_bytes=10**6).put(rows(1, 2))
    (tmp_path / "x.part").write_text("half")
    (file,) = tmp_path.glob("*.jsonl")
    file.write_text(file.read_text()[:-4])
    spool = Spool(tmp_path, max_bytes=10**6)
    assert (spool.oldest() or ("", []))[1] == rows(1)
    assert spool.dropped_rows == 1
    assert not (tmp_path / "x.part").exists()


# -- what may be stored


@pytest.mark.parametrize(
    ("value", "status", "after"),
    [
        (float("nan"), Status.OK, (None, "fault")),
        (float("inf"), Status.CALIBRATING, (None, "calibrating")),
        (None, Status.OK, (None, "fault")),
        (None, Status.OFFLINE, (None, "offline")),
        (0.0, Status.OK, (0.0, "ok")),
    ],
)
def test_no_ok_without_a_value(clock: Clock, value: float | None, status: Status, after: tuple):
    got = settled(Sample("a", value, "ppm", status, NOW), now=NOW, health=Told("s", clock).health)
    assert (got.value, got.status) == after


# -- the file


def test_the_file_of_the_manual_is_read(tmp_path: Path):
    from connectors.readings import sources

    manual = (Path(__file__).parents[3] / "docs" / "readings.md").read_text(encoding="utf-8")
    (tmp_path / "readings.toml").write_text(manual.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    config = load(tmp_path / "readings.toml", data_dir=tmp_path)
    assert [s.name for s in sources(config, clock=lambda: NOW)] == ["gds-1", "dcs", "loggers"]
    assert config.spool_dir == tmp_path / "readings"


@pytest.mark.parametrize("text", ["[[source", "", "spool = 3\n[[source]]", "x = 1\n[[source]]\nname='a'"])
def test_a_broken_file_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(BadConfig):
        load(path, data_dir=tmp_path)


def test_two_sources_of_one_name(tmp_path: Path):
    from connectors.readings import sources

    one = "[[source]]\nname='a'\ntype='modbus'\nhost='h'\n[[source.point]]\ndetector='d'\nunit='ppm'\naddress=1\n"
    path = tmp_path / "r.toml"
    path.write_text(one + one)
    with pytest.raises(BadConfig, match="used twice"):
        sources(load(path, data_dir=tmp_path), clock=lambda: NOW)
