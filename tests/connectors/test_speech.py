"""Voice to text against the emulators: signatures, tokens, hot words, formats, limits, the chain; AMR by a real decoder."""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, datetime, timedelta

import pytest
import requests

from connectors.errors import OutsideError
from connectors.speech import Chain, SpeechAccount, SpeechRefused, build, examine
from connectors.speech.decode import loudness, to_samples
from connectors.speech.local import LocalSpeech
from connectors.speech.tencent import hot_word_list
from emulators.speech import SpeechEmulator
from emulators.wsgi import WsgiAdapter
from tests.sounds import amr, wav

URL = "http://asr.test"
WORDS = "泵里头像放鞭炮"


class World:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
        self.emulator = SpeechEmulator(
            {"access_key_id": "AKID", "access_key_secret": "secret", "app_key": "app"},
            clock=lambda: self.now.timestamp(),
        )
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.mount(URL, WsgiAdapter(self.emulator.app))

    def chain(self, *providers: str, **account: object) -> Chain:
        given = {"key_id": "AKID", "key_secret": "secret", "app_key": "app", "token_endpoint": URL + "/"} | account
        given.setdefault("endpoint", URL + ("/stream/v1/asr" if "aliyun" in providers else "/"))
        made = build(
            SpeechAccount(providers=providers, **given),  # type: ignore[arg-type]
            self.http,
            clock=lambda: self.now,
            hot_words=lambda: ["甲醇罐区", "机封"],
        )
        assert made is not None
        return made


@pytest.fixture
def world() -> World:
    return World()


class KnownSounds:
    """A recogniser for tests: words by the hash of the decoded samples."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known = known

    def recognise(self, samples: list[float]) -> str:
        return self.known.get(print_of(samples), "")


def print_of(samples: list[float]) -> str:
    return hashlib.sha256(repr([round(s, 4) for s in samples[:4000]]).encode()).hexdigest()


@pytest.mark.parametrize("provider", ["tencent", "aliyun"])
def test_amr_is_taken_as_it_comes(world, provider):
    recording = amr(3)
    world.emulator.tell(recording, WORDS)
    heard = world.chain(provider).transcribe(recording, format="amr")
    assert (heard.text, heard.provider) == (WORDS, provider)
    assert world.emulator.expect_nothing_unexpected() == []


def test_a_wrong_key_is_refused_for_good_and_seen_by_the_gateway(world):
    with pytest.raises(OutsideError) as error:
        world.chain("tencent", key_secret="other").transcribe(amr(1), format="amr")
    assert (error.value.code, error.value.permanent) == ("AuthFailure.SignatureFailure", True)
    assert world.emulator.expect_nothing_unexpected() == ["tencent: SignatureFailure"]


def test_hot_words_reach_the_gateway(world):
    world.chain("tencent").transcribe(amr(1), format="amr")
    assert world.emulator.heard[0]["hot_words"] == "甲醇罐区|10,机封|10"


def test_hot_words_keep_to_the_limits():
    listed = hot_word_list([f"设备{n}" for n in range(200)] + ["一二三四五六七八九十十一", "带|线", "短"])
    assert len(listed.split(",")) == 128
    assert (
        hot_word_list(["一二三四五六七八九十", "一二三四五六七八九十多", "有,逗号", "有|线", "单"])
        == "一二三四五六七八九十|10"
    )


def test_the_token_is_kept_and_made_anew_when_refused_or_old(world):
    chain, recording = world.chain("aliyun"), amr(2)
    world.emulator.tell(recording, WORDS)
    chain.transcribe(recording, format="amr")
    chain.transcribe(recording, format="amr")
    assert world.emulator.calls["aliyun:CreateToken"] == 1
    world.emulator.app.test_client().post("/_phone/faults", json={"expire_token": True, "times": 1})
    assert chain.transcribe(recording, format="amr").text == WORDS
    assert world.emulator.calls["aliyun:CreateToken"] == 2
    world.now += timedelta(hours=36) - timedelta(minutes=9)
    assert chain.transcribe(recording, format="amr").text == WORDS
    assert world.emulator.calls["aliyun:CreateToken"] == 3


@pytest.mark.parametrize("provider", ["tencent", "aliyun"])
@pytest.mark.parametrize("fault", ["http_500", "limit"])
def test_what_may_pass_is_not_permanent(world, provider, fault):
    chain = world.chain(provider)
    if provider == "aliyun":
        chain.transcribe(amr(1), format="amr")  # has its token
    world.emulator.app.test_client().post("/_phone/faults", json={fault: True})
    with pytest.raises(OutsideError) as error:
        chain.transcribe(amr(1), format="amr")
    assert not error.value.permanent


def test_the_next_provider_is_asked_when_one_fails_or_hears_nothing(world):
    recording = amr(2, seed=6)
    local = LocalSpeech(
        SpeechAccount(), recogniser=KnownSounds({print_of([s / 32768 for s in to_samples(recording)]): WORDS})
    )
    chain = Chain([*world.chain("tencent").providers, local])
    assert chain.transcribe(recording, format="amr").provider == "local"
    world.emulator.app.test_client().post("/_phone/faults", json={"http_500": True})
    assert chain.transcribe(recording, format="amr").text == WORDS


def test_nothing_heard_is_empty_not_an_error(world):
    heard = world.chain("tencent").transcribe(amr(60, kind="noise"), format="amr")
    assert heard.text == ""


def test_local_without_a_model_says_not_configured(tmp_path):
    with pytest.raises(OutsideError) as error:
        LocalSpeech(SpeechAccount(model_dir=tmp_path / "none")).hear(amr(1), examine(amr(1)))
    assert error.value.code == "not_configured"


def test_local_refuses_silence_before_any_model():
    with pytest.raises(SpeechRefused) as refused:
        LocalSpeech(SpeechAccount(), recogniser=KnownSounds({})).hear(amr(2, kind="silence"), examine(amr(2)))
    assert refused.value.code == "silence"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\0" * (3 * 1024 * 1024 + 1), "too_big"),
        (b"hello there, no sound", "codec"),
        (b"#!AMR\n", "codec"),
        (b"#!AMR\n" + b"\x7c" * 200, "silence"),
        (amr(0.2), "too_short"),
        (amr(62), "too_long"),
    ],
)
def test_what_cannot_be_recognised_is_refused_before_any_call(world, data, code):
    with pytest.raises(SpeechRefused) as refused:
        world.chain("tencent").transcribe(data, format="amr")
    assert refused.value.code == code and "打字" in refused.value.message_zh
    assert not world.emulator.calls


def test_three_megabytes_of_wav_are_too_big_after_base64(world):
    sound = wav(2)
    padded = sound + b"\0" * (3 * 1024 * 1024 - len(sound))
    with pytest.raises(SpeechRefused):
        world.chain("tencent").transcribe(padded, format="wav")


@pytest.mark.parametrize(("seconds", "accepted"), [(60.0, True), (60.9, True), (61.2, False)])
def test_a_minute_is_the_limit(seconds, accepted):
    if accepted:
        assert examine(amr(seconds)).seconds == pytest.approx(seconds, abs=0.05)
    else:
        with pytest.raises(SpeechRefused):
            examine(amr(seconds))


def test_amr_decodes_to_the_right_length_and_loudness():
    samples = to_samples(amr(5))
    assert len(samples) == pytest.approx(5 * 16000, rel=0.01)
    assert 0.1 < loudness(samples) < 0.3
    assert loudness(to_samples(amr(1, kind="silence"))) < 0.001


def test_a_broken_file_is_refused_not_crashed():
    with pytest.raises(SpeechRefused):
        to_samples(b"#!AMR\n" + b"\xff" * 50)
    cut = amr(2)[:500]
    assert examine(cut).seconds < 2


class FakeSherpa:
    """Stands in for the library: keeps what it was loaded with, and the samples it was given."""

    def __init__(self, *, broken: bool = False) -> None:
        self.loaded: dict[str, object] = {}
        self.broken, self.samples, self.rate = broken, [], 0
        self.OfflineRecognizer = self
        self.result = type("Result", (), {"text": " 泵里头像放鞭炮 "})

    def from_sense_voice(self, **given: object) -> FakeSherpa:
        return self._load("sense_voice", given)

    def from_paraformer(self, **given: object) -> FakeSherpa:
        return self._load("paraformer", given)

    def _load(self, kind: str, given: dict[str, object]) -> FakeSherpa:
        if self.broken:
            raise RuntimeError("protobuf parsing failed")
        self.loaded = {"kind": kind, **given}
        return self

    def create_stream(self) -> FakeSherpa:
        return self

    def accept_waveform(self, rate: int, samples: list[float]) -> None:
        self.rate, self.samples = rate, samples

    def decode_stream(self, stream: FakeSherpa) -> None:
        assert stream is self


def model_dir(path, *, tokens: str):
    path.mkdir(parents=True)
    (path / "model.int8.onnx").write_bytes(b"onnx")
    (path / "tokens.txt").write_text(tokens, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("tokens", "kind"), [("<unk> 0\n<|zh|> 24884\n", "sense_voice"), ("<blank> 0\n泵 1\n", "paraformer")]
)
def test_the_admins_model_is_loaded_and_given_16_khz_floats(monkeypatch, tmp_path, tokens, kind):
    library = FakeSherpa()
    monkeypatch.setitem(sys.modules, "sherpa_onnx", library)
    folder = model_dir(tmp_path / "asr" / "sherpa-onnx-2024", tokens=tokens)  # as an archive unpacks, one folder deeper
    chain = Chain([LocalSpeech(SpeechAccount(model_dir=tmp_path / "asr"))])
    assert chain.transcribe(amr(2), format="amr").text == WORDS
    assert (library.loaded["kind"], library.rate) == (kind, 16000)
    assert str(folder / "tokens.txt") == library.loaded["tokens"]
    assert len(library.samples) == pytest.approx(2 * 16000, rel=0.01) and max(map(abs, library.samples)) <= 1


@pytest.mark.parametrize(("files", "code"), [(False, "model_files_missing"), (True, "model_not_readable")])
def test_a_model_that_is_missing_or_broken_is_said_not_crashed(monkeypatch, tmp_path, files, code):
    monkeypatch.setitem(sys.modules, "sherpa_onnx", FakeSherpa(broken=True))
    if files:
        model_dir(tmp_path / "asr", tokens="x 0")
    (tmp_path / "asr").mkdir(exist_ok=True)
    with pytest.raises(OutsideError) as error:
        LocalSpeech(SpeechAccount(model_dir=tmp_path / "asr")).hear(amr(1), examine(amr(1)))
    assert error.value.code == code


def test_without_the_library_it_is_said(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sherpa_onnx", None)
    with pytest.raises(OutsideError) as error:
        LocalSpeech(SpeechAccount(model_dir=model_dir(tmp_path / "asr", tokens="x 0"))).hear(amr(1), examine(amr(1)))
    assert error.value.code == "sherpa_onnx_missing"
