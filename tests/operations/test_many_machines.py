"""Several machines on one PostgreSQL and one Redis: two clocks, old workers on a new schema, Redis with password and TLS."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import func, select, text

import wiring
import worker
from jobs import escalate, schedule
from jobs.queue import CHAT, NoKicker, RqKicker
from settings import SettingsError, load
from storage import schema
from storage.database import Base, open_engine
from storage.models import Delivery, LadderStep, TrailLine
from tests.pictures import scene
from tests.plant import Plant
from tools import embedded

WAIT_S = 30
STEPS = 40


@pytest.fixture
def plant(postgres_url, redis_client, tmp_path) -> Iterator[Plant]:
    engine = open_engine(postgres_url)
    Base.metadata.create_all(engine)
    engine.dispose()
    made = Plant(postgres_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


def twin(plant: Plant):
    """The services of another machine on the same database."""
    return wiring.build(plant.settings, clock=lambda: plant.now, redis_client=plant.services.redis, kick=NoKicker())


def test_two_schedulers_take_each_step_once(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    with plant.work() as work:
        hazard = work.hazards.by_number("YH-0001")
        for position in range(100, 100 + STEPS):
            step = {"notices": [{"to": "owner", "channels": ["app"]}]}
            work.ladder.add(
                LadderStep(
                    case_kind="hazard", case_id=hazard.id, generation=hazard.generation, ladder="confirm",
                    position=position, step=step, due_at=plant.now,
                )
            )  # fmt: skip
        work.commit()
    machines, stop, taken = [plant.services, twin(plant)], threading.Event(), [0, 0]

    def climb(number):
        def run(services):
            taken[number] += escalate.escalate_due(services)

        return schedule.Duty("escalate", 0.01, run)

    loops = [
        threading.Thread(target=schedule.run, args=(machine, stop, (climb(number),)))
        for number, machine in enumerate(machines)
    ]
    for loop in loops:
        loop.start()
    began, pause = monotonic(), threading.Event()
    while sum(taken) < STEPS and monotonic() - began < WAIT_S:
        pause.wait(0.02)
    stop.set()
    for loop in loops:
        loop.join()
    assert sum(taken) == STEPS
    with plant.work(read_only=True) as work:
        open_steps = (
            select(func.count())
            .select_from(LadderStep)
            .where(LadderStep.taken_at.is_(None), LadderStep.due_at <= plant.now)
        )
        assert work.db.scalar(open_steps) == 0
        escalated = select(func.count()).select_from(TrailLine).where(TrailLine.action == "escalated")
        assert work.db.scalar(escalated) == STEPS
        told = work.db.scalars(select(Delivery.dedupe_key).where(Delivery.dedupe_key.like("step:%"))).all()
        assert len(told) == len(set(told)) == STEPS
        assert list(work.trail.broken()) == []
    machines[1].engine.dispose()


def test_an_older_worker_goes_on_while_the_schema_is_newer(plant):
    with plant.services.engine.begin() as connection:
        connection.execute(text("CREATE TABLE of_the_next_release (id BIGINT PRIMARY KEY)"))
        for table in ("hazard", "delivery", "inbox", "ladder_step"):
            connection.execute(text(f"ALTER TABLE {table} ADD COLUMN of_the_next_release TEXT"))
        connection.execute(text("UPDATE alembic_version SET version_num = 'feedfacecafe'"))
    assert schema.is_usable(plant.services.engine)
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    plant.phone("李强").taps("确认收到", on="YH-0001")
    plant.forward(hours=1)
    assert plant.hazard("YH-0001").confirmed_at is not None


def test_a_newer_worker_does_not_start_on_an_older_schema(plant, redis_url, monkeypatch):
    monkeypatch.setattr(worker, "load", lambda: plant.settings.model_copy(update={"redis_url": redis_url}))
    with plant.services.engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    assert not schema.is_usable(plant.services.engine)
    with pytest.raises(SettingsError, match="db upgrade"):
        worker.run_worker("chat")


# -- Redis


@contextmanager
def guarded_redis(folder: Path, password: str) -> Iterator[int]:
    """A Valkey on a TCP port that asks for a password; gives the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(embedded.binary()), "--port", str(port), "--bind", "127.0.0.1", "--requirepass", password]
    child = subprocess.Popen([*command, "--save", "", "--dir", str(folder)], stdout=subprocess.DEVNULL)
    client = redis.Redis(port=port, password=password)
    began, pause = monotonic(), threading.Event()
    while True:
        try:
            client.ping()
            break
        except redis.ConnectionError:
            assert monotonic() - began < WAIT_S
            pause.wait(0.02)
    yield port
    client.close()
    child.terminate()
    child.wait(WAIT_S)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of our own for 127.0.0.1, as a plant's own authority would give."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis.plant.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "redis.pem", folder / "redis.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, secret


class TlsFront:
    """TLS in front of a plain port, for a server that was built without it."""

    def __init__(self, port: int, pem: Path, key: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, key)
        self._to, self._context = port, context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(raw,), daemon=True).start()

    def _carry(self, raw: socket.socket) -> None:
        try:
            inner = self._context.wrap_socket(raw, server_side=True)
        except (ssl.SSLError, OSError):
            raw.close()
            return
        with socket.create_connection(("127.0.0.1", self._to)) as plain, inner:
            back = threading.Thread(target=self._pump, args=(plain, inner), daemon=True)
            back.start()
            self._pump(inner, plain)

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            return

    def close(self) -> None:
        self._listener.close()


def client_of(url: str):
    return wiring.open_redis(load({"ANSHAO_SECRET_KEY": "s" * 40, "ANSHAO_REDIS_URL": url}))


def test_redis_with_a_password(tmp_path):
    with guarded_redis(tmp_path, "p@ss/word") as port:
        client = client_of(f"redis://:p%40ss%2Fword@127.0.0.1:{port}/0")
        assert client.ping()
        RqKicker(client)(CHAT)
        assert client.exists(f"rq:queue:{CHAT}")
        client.close()
        wrong = client_of(f"redis://127.0.0.1:{port}/0")
        with pytest.raises(redis.AuthenticationError):
            wrong.ping()
        RqKicker(wrong)(CHAT)  # a wrong password makes callbacks late, never fail
        wrong.close()


def test_redis_over_tls_with_the_plants_own_authority(tmp_path):
    pem, key = certificate(tmp_path)
    with guarded_redis(tmp_path, "secret") as port:
        front = TlsFront(port, pem, key)
        client = client_of(f"rediss://:secret@localhost:{front.port}/0?ssl_ca_certs={pem}")
        assert client.ping()
        RqKicker(client)(CHAT)
        assert client.exists(f"rq:queue:{CHAT}")
        client.close()
        unknown = client_of(f"rediss://:secret@localhost:{front.port}/0")
        with pytest.raises(redis.ConnectionError, match=r"certificate verify failed"):
            unknown.ping()
        unknown.close()
        front.close()
