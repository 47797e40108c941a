"""The page of an experience card: the whole content, its recording (not of somebody unnamed), where it helped."""

from __future__ import annotations

import io
import wave

from tests.plant import walked
from tests.sounds import amr


@walked
def told(plant, *, named=True):
    sun = plant.phone("孙丽")
    sun.says("经验").sees("哪台设备")
    form = {"file": (io.BytesIO(amr(2, seed=8)), "voice.amr"), "recognition": ""}
    sun._post("voice", data=form, content_type="multipart/form-data")
    sun.says("给水泵呱呱叫,多半是入口滤网堵了,先停泵洗滤网")
    sun.taps("提交,署我的名" if named else "提交,不署名")
    plant.phone("王芳").taps("通过", on="JY-0001")


def test_a_card_shows_what_it_is_who_reviewed_it_and_where_it_helped(quick_plant, browse):
    told(quick_plant)
    zhang = quick_plant.phone("张伟")
    zhang.says("给水泵呱呱叫").taps("有用").sees("JY-0001 工单")
    zhang.says("JY-0001 工单 wo-2031").sees("用在工单 WO-2031")
    page = browse("张伟").get("/h5/knowledge/JY-0001")
    for words in ("先停泵洗滤网", "孙丽师傅", "王芳", "第1版", "工单 WO-2031", "有用1次", "只是怀疑"):
        assert words in page.text, words


def test_the_recording_plays_as_wav(quick_plant, browse):
    told(quick_plant)
    zhang = browse("张伟")
    assert "<audio" in zhang.get("/h5/knowledge/JY-0001").text
    sound = zhang.get("/h5/knowledge/JY-0001/voice")
    assert sound.mimetype == "audio/wav"
    with wave.open(io.BytesIO(sound.data)) as file:
        assert (file.getframerate(), round(file.getnframes() / 16000)) == (16000, 2)


def test_the_voice_of_somebody_unnamed_is_for_reviewers_only(quick_plant, browse):
    told(quick_plant, named=False)
    zhang = browse("张伟")
    page = zhang.get("/h5/knowledge/JY-0001").text
    assert "<audio" not in page and "孙丽" not in page
    assert zhang.get("/h5/knowledge/JY-0001/voice").status_code == 404
    assert browse("王芳").get("/h5/knowledge/JY-0001/voice").status_code == 200


def test_cards_are_found_on_the_page_and_who_helped_is_seen(quick_plant, browse):
    told(quick_plant)
    quick_plant.phone("张伟").says("给水泵呱呱叫").taps("有用")
    zhang = browse("张伟")
    page = zhang.get("/h5/knowledge?q=泵里噼里啪啦响").text
    assert "K04" in page and "孙丽师傅的经验本月帮到 1 人" in page
    assert "没有合适的经验" in zhang.get("/h5/knowledge?q=今天食堂吃什么").text
    assert zhang.get("/h5/knowledge/JY-9999").status_code == 404


def test_a_card_in_review_is_seen_by_its_author_and_reviewers(quick_plant, browse):
    quick_plant.phone("孙丽").says("经验 给水泵呱呱叫,多半是滤网堵了,先停泵洗滤网").taps("提交,署我的名")
    seen = [browse(who).get("/h5/knowledge/JY-0001").status_code for who in ("孙丽", "王芳", "张伟")]
    assert seen == [200, 200, 404]
