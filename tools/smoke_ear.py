"""The voice rounds of `./anshao smoke`: a WeCom worker asks by voice, a veteran contributes by voice, it is reviewed and found."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

from tools.phones import DEADLINE_S, Phone

if TYPE_CHECKING:
    from tools.smoke import Round

ASKED = "泵里头像放鞭炮,噼里啪啦的"
TOLD = "锅炉给水泵一启动就呱呱叫,跟青蛙似的,后来查出来是入口滤网堵了"
FIRST = "先停泵把滤网拆下来洗"


def recording(seconds: float, *, seed: int) -> bytes:
    """A well-formed AMR-NB file of 12.2 kbit/s frames (RFC 4867 §5.3); what it says the emulator is told."""
    chance = random.Random(seed)
    frames = (b"\x3c" + bytes(chance.randrange(256) for _ in range(31)) for _ in range(round(seconds / 0.02)))
    return b"#!AMR\n" + b"".join(frames)


def play(run: Round) -> None:
    """Both rounds. Raises NotSeen at the first step that did not happen."""
    ask(run)
    contribute(run)


def _speaks(run: Round, phone: Phone, words: str, *, seed: int) -> None:
    data = recording(3, seed=seed)
    known = {"sha256": hashlib.sha256(data).hexdigest(), "words": words}
    url = f"{run.stack.phones_url}/speech/_phone/words"
    run.http.post(url, json=known, timeout=DEADLINE_S).raise_for_status()
    run.talk.say(f"{phone.name} 发语音: {words}")
    phone._post("voice", files={"file": ("voice.amr", data, "audio/amr")})


def ask(run: Round) -> None:
    """张伟 speaks in WeCom; what was heard is shown, the card of the starter pack answers."""
    zhang = run.phone("张伟")
    zhang.mark()
    _speaks(run, zhang, ASKED, seed=1)
    zhang.sees("听到的是", "放鞭炮")
    zhang.sees("先做", "汽蚀", "K04")
    run.seen("语音问异响,老师傅的经验答上来 asked by voice, answered by a card")


def contribute(run: Round) -> None:
    """马德顺 tells an experience by voice, 王芳 approves it, 孙丽 finds it at once."""
    ma, wang, sun = run.phone("马德顺"), run.phone("王芳"), run.phone("孙丽")
    ma.mark()
    wang.mark()
    sun.mark()
    ma.says("经验")
    ma.sees("哪台设备")
    ma.mark()
    _speaks(run, ma, TOLD, seed=2)
    ma.sees("先做什么")
    _speaks(run, ma, FIRST, seed=3)
    ma.sees("这样记,对吗", "滤网")
    ma.taps("提交,署我的名")
    wang.sees("待审核", "滤网")
    wang.taps("通过", "滤网")
    ma.sees("已发布", "+10分")
    sun.says("给水泵呱呱叫像青蛙")
    sun.sees("马德顺师傅", "滤网")
    run.seen("语音贡献经验,审核后马上能搜到 told by voice, reviewed, found at once")
