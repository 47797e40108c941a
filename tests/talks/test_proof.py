"""Proof of the rectification: kind refusals of what proves nothing, hints for the acceptor, the picture for everyone."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from storage import guards
from tests.pictures import recompressed, scene
from tests.plant import walked

pytestmark = pytest.mark.sqlite_suffices


@walked
def filed(plant, seed=1):
    plant.phone("张伟").sends_photo(scene(seed)).says("装卸台照明不足,灯坏一片")
    li = plant.phone("李强")
    li.taps("开始整改", on="YH-0001")
    plant.forward(minutes=30)
    return li


def test_no_photo_no_submission(plant):
    li = filed(plant)
    li.says("换好了三只灯管")
    li.sees("还缺整改后的照片")
    assert plant.hazard("YH-0001").state == "rectifying"


def test_the_same_file_is_refused_kindly(plant):
    li = filed(plant)
    li.sends_photo(scene(1)).says("换好了三只灯管")
    li.sees("同一个文件", "重新拍")
    assert plant.hazard("YH-0001").state == "rectifying"
    li.sends_photo(scene(1, mended=True))
    li.sees("已提交")


def test_a_forwarded_copy_of_the_before_photo_is_noticed(plant):
    li = filed(plant)
    li.sends_photo(recompressed(scene(1))).says("换好了三只灯管")
    li.sees("几乎一样")
    assert plant.hazard("YH-0001").state == "rectifying"


def test_a_photo_of_another_case_is_noticed(plant):
    li = filed(plant)
    li.sends_photo(scene(1, mended=True)).says("换好了三只灯管")
    plant.phone("王芳").taps("验收通过", on="YH-0001")
    plant.phone("孙丽").sends_photo(scene(5), caption="装卸台 护栏缺损 栏杆断了")
    chen = plant.phone("陈刚", "dingtalk")
    chen.taps("开始整改", on="YH-0002")
    plant.forward(minutes=30)
    chen.sends_photo(scene(1, mended=True)).says("栏杆已焊好并刷漆")
    chen.sees("YH-0001", "重新拍")


def _cropped(data: bytes, part: float) -> bytes:
    picture = Image.open(io.BytesIO(data))
    width, height = picture.size
    box = (int(width * part), int(height * part), int(width * (1 - part)), int(height * (1 - part)))
    out = io.BytesIO()
    picture.crop(box).save(out, "JPEG", quality=80)
    return out.getvalue()


def test_a_cropped_copy_of_another_cases_proof_is_noticed(plant):
    li = filed(plant)
    li.sends_photo(scene(1, mended=True)).says("换好了三只灯管")
    plant.phone("王芳").taps("验收通过", on="YH-0001")
    plant.phone("孙丽").sends_photo(scene(5), caption="装卸台 护栏缺损 栏杆断了")
    chen = plant.phone("陈刚", "dingtalk")
    chen.taps("开始整改", on="YH-0002")
    plant.forward(minutes=30)
    chen.sends_photo(_cropped(scene(1, mended=True), 0.06)).says("栏杆已焊好并刷漆")
    chen.sees("几乎一样", "YH-0001")


def test_an_honest_photo_of_a_like_place_is_accepted(plant):
    """The hashes of these two scenes agree by chance; a look at them does not."""
    li = filed(plant, seed=2)
    li.sends_photo(scene(2, mended=True)).says("换好了三只灯管")
    plant.phone("王芳").taps("验收通过", on="YH-0001")
    plant.phone("孙丽").sends_photo(scene(5), caption="装卸台 护栏缺损 栏杆断了")
    chen = plant.phone("陈刚", "dingtalk")
    chen.taps("开始整改", on="YH-0002")
    plant.forward(minutes=30)
    chen.sends_photo(scene(7, mended=True)).says("栏杆已焊好并刷漆")
    chen.sees("YH-0002 已提交")


def test_template_words_are_shown_to_the_acceptor(plant):
    li = filed(plant)
    li.sends_photo(scene(1, mended=True)).says("已整改")
    plant.phone("王芳").sees("YH-0001", "请留意")


def test_the_fixer_cannot_accept(plant):
    li = filed(plant)
    li.sends_photo(scene(1, mended=True)).says("换好了三只灯管")
    li.taps("验收通过", on="YH-0001")
    li.sees("整改人不能验收自己")
    assert plant.hazard("YH-0001").state == "to_accept"


def test_every_change_is_in_the_sealed_trail(plant):
    li = filed(plant)
    li.sends_photo(scene(1, mended=True)).says("换好了三只灯管")
    plant.phone("王芳").taps("验收通过", on="YH-0001")
    with plant.work(read_only=True) as work:
        hazard = work.hazards.by_number("YH-0001")
        actions = [line.action for line in work.trail.of("hazard", hazard.id)]
        assert actions == ["filed", "assigned", "started", "submitted", "accepted"]
        assert list(work.trail.broken()) == []


def test_a_changed_trail_line_is_found(plant):
    filed(plant)
    with plant.work() as work:
        guards.remove(work.db.connection())  # the database itself would refuse it (storage/guards.py)
        hazard = work.hazards.by_number("YH-0001")
        work.trail.of("hazard", hazard.id)[1].why = "另一个说法"
        work.commit()
    with plant.work(read_only=True) as work:
        assert [(line.action, what) for line, what in work.trail.broken()] == [("assigned", "the line was changed")]


def test_the_same_thing_again_within_thirty_days_of_its_closing_is_shown(plant):
    li = filed(plant)
    li.sends_photo(scene(1, mended=True)).says("换好了三只灯管")
    plant.phone("王芳").taps("验收通过", on="YH-0001")
    plant.forward(days=29)
    plant.phone("张伟").sends_photo(scene(5)).says("装卸台灯又不亮了,照明不足")
    plant.phone("孙丽").sends_photo(scene(6), caption="装卸台 地面有油打滑")
    plant.forward(days=3)  # handed in later than thirty days after, reported within them
    li.taps("开始整改", on="YH-0002").sends_photo(scene(5, mended=True)).says("更换了整流器,试亮正常")
    plant.phone("王芳").sees("YH-0002", "刚整改过")
    li.taps("开始整改", on="YH-0003").sends_photo(scene(6, mended=True)).says("油污已用锯末清干净")
    assert "FC-11" not in [s["id"] for s in plant.hazard("YH-0003").signals]


@pytest.mark.parametrize(("area", "signal"), [("ZX", False), ("HC", True)])
def test_an_acceptor_whose_phone_is_elsewhere_is_noted_for_sampling(plant, area, signal):
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片").sends_location(*plant.area_point("ZX"))
    li = plant.phone("李强")
    li.taps("开始整改", on="YH-0001")
    plant.forward(minutes=30)
    li.sends_photo(scene(1, mended=True)).says("换好了三只灯管,试亮正常")
    zhou = plant.phone("周敏")
    zhou.opens_app(*plant.area_point(area), precision=10)
    zhou.taps("验收通过", on="YH-0001")
    assert ("FC-13" in [s["id"] for s in plant.hazard("YH-0001").signals]) is signal


def test_a_photo_sent_to_the_wrong_place_first_is_still_a_proof(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    li = plant.phone("李强")
    plant.forward(minutes=30)
    li.sends_photo(scene(1, mended=True)).sees("在哪个区域").says("取消")
    li.taps("开始整改", on="YH-0001").sends_photo(scene(1, mended=True)).says("换好了三只灯管,试亮正常")
    li.sees("YH-0001 已提交")
