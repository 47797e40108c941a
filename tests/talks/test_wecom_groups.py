"""The 智能机器人 in a WeCom group: asked with @, it answers there once; what cannot be said there goes to the asker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import func, select

from bot import outbox
from emulators.wecom.aibot import ANSWER_WITHIN_S
from emulators.wsgi import WsgiAdapter
from jobs import deliver, inbound
from storage.models import Inbox
from tests.plant import APP, Phone, Plant
from tools import doctor_outside

GROUP = "设备检修群"


class PlantWithBot(Plant):
    def _environment(self, database_url: str, folder: Path) -> dict[str, str]:
        bot = self.data["wecom"]["bot"]
        keys = {"ANSHAO_WECOM_BOT_TOKEN": bot["token"], "ANSHAO_WECOM_BOT_AES_KEY": bot["aes_key"]}
        return super()._environment(database_url, folder) | keys


@pytest.fixture
def plant(sqlite_url: str, redis_client: Any, tmp_path: Path) -> Iterator[PlantWithBot]:
    made = PlantWithBot(sqlite_url, redis_client, tmp_path)
    yield made
    assert made.problems() == []
    made.services.engine.dispose()


def test_asked_with_its_name_it_answers_in_the_group(plant: PlantWithBot) -> None:
    zhang = plant.phone("张伟")
    zhang.says("管子咚咚砸是啥毛病", group=GROUP)
    zhang.sees("水锤", "先做", chat="group:", buttons=["有用", "不是这个", "问老师傅"])
    plant.phone("刘洋", "wecom").sees("水锤", chat="group:")
    assert not zhang._matching(("水锤",), "app"), "once is enough"


def test_a_name_typed_by_hand_is_a_call_too_and_talk_without_it_is_not_heard(plant: PlantWithBot) -> None:
    zhang = plant.phone("张伟")
    zhang.says("管子咚咚砸是啥毛病", group=GROUP, at_bot=False)
    zhang.does_not_see("水锤")
    assert _heard(plant) == 0
    zhang.says("管子咚咚砸是啥毛病 @安哨", group=GROUP, at_bot=False).sees("水锤", chat="group:")


def test_a_photo_with_words_is_answered_by_the_words(plant: PlantWithBot) -> None:
    zhang = plant.phone("张伟")
    zhang.sends_photo(b"\xff\xd8\xff\xe0picture", caption="管子咚咚砸是啥毛病", group=GROUP)
    zhang.sees("水锤", "先做", chat="group:")
    zhang.sees("群里的照片收不到,请到应用里发", chat="group:")


def test_a_press_counts_and_the_group_hears_of_it(plant: PlantWithBot) -> None:
    plant.phone("张伟").says("管子咚咚砸是啥毛病", group=GROUP)
    liu = plant.phone("刘洋", "wecom")
    liu.taps("有用", on="水锤").sees("记下了,谢谢", chat="app")
    liu.sees("水锤", "您点了“有用”", chat="group:", buttons=["✓有用"])
    plant.phone("张伟").sees("水锤", chat="group:", buttons=["有用", "不是这个", "问老师傅"])
    plant.phone("张伟").sees("刘洋:", "有用", chat="group:")
    liu.taps("有用", on="水锤")
    with plant.work(read_only=True) as work:
        question = work.knowledge.question(1)
        assert question is not None and question.state == "helped"
        card = work.knowledge.by_code(str(question.hits[0]["code"]))
        assert card is not None and card.used == 1, "twice by one person is once"


def test_the_second_of_the_list_is_chosen_in_the_group(plant: PlantWithBot) -> None:
    zhang = plant.phone("张伟")
    zhang.says("电机叫得跟杀猪似的", group=GROUP)
    with plant.work(read_only=True) as work:
        question = work.knowledge.question(1)
        assert question is not None and len(question.hits) > 1
        second = work.knowledge.by_code(str(question.hits[1]["code"]))
        assert second is not None
    zhang.taps("不是这个", choose=second.title[:8])
    with plant.work(read_only=True) as work:
        again = work.knowledge.by_code(second.code)
        assert again is not None and again.rejected == 1


def test_nothing_fits_and_the_veteran_is_asked(plant: PlantWithBot) -> None:
    zhang = plant.phone("张伟")
    zhang.says("老师傅 离心机上面的绿灯老是眨眼睛", group=GROUP)
    zhang.taps("问老师傅").sees("已经问了", chat="app")
    zhang.sees("已问", chat="group:")
    with plant.work(read_only=True) as work:
        question = work.knowledge.question(1)
        assert question is not None and question.state == "asked"
    veteran = next(p for p in ("刘洋", "陈刚", "周敏", "马德顺", "孙丽") if _was_asked(plant.phone(p)))
    plant.phone(veteran).taps("我来答")
    plant.phone(veteran).says("绿灯眨眼是变频器待机,先看面板代码")
    zhang.sees("师傅答", "变频器待机", chat="app")


def test_a_repeated_push_is_answered_once(plant: PlantWithBot) -> None:
    plant.wecom.core.switches.set({"duplicate_callbacks": 3})
    zhang = plant.phone("张伟")
    zhang.says("管子咚咚砸是啥毛病", group=GROUP)
    assert len([i for i in zhang._matching(("水锤", "先做"), "") if i["card"]]) == 1
    assert _heard(plant) == 1


def test_too_late_for_the_group_the_asker_gets_the_card_alone(plant: PlantWithBot) -> None:
    zhang = plant.phone("张伟")
    _says_while_nobody_works(plant, zhang, "管子咚咚砸是啥毛病")
    plant.wecom.tick()
    inbound.handle_ready(plant.services)
    plant.now += timedelta(seconds=ANSWER_WITHIN_S + 1)
    deliver.send_ready(plant.services)
    plant.settle()
    zhang.sees("水锤", chat="app", buttons=["有用", "不是这个", "问老师傅"])
    plant.phone("刘洋", "wecom").does_not_see("水锤")
    plant.phone("周敏").does_not_see("未送达")


def test_a_second_thing_to_say_goes_to_the_asker(plant: PlantWithBot) -> None:
    """One right a message: what is said beside the first answer is read in the 1:1 chat, and no admin is bothered."""
    zhang = plant.phone("张伟")
    zhang.says("管子咚咚砸是啥毛病", group=GROUP)
    with plant.work() as work:
        (payload,) = work.db.scalars(select(Inbox.payload))
        to = outbox.Address("wecom", group_id=payload["group"])
        outbox.say(work, to, "还有一句", purpose="reply", dedupe_key="more", reply_to=payload["reply_to"])
        work.commit()
    plant.settle()
    zhang.sees("还有一句", chat="app")
    plant.phone("刘洋", "wecom").does_not_see("还有一句")
    plant.phone("周敏").does_not_see("未送达")


def test_a_group_with_the_robot_cannot_be_bound(plant: PlantWithBot) -> None:
    zhang = plant.phone("张伟")
    zhang.says("绑定 合成车间", group=GROUP)
    zhang.sees("只有管理员或安全员", chat="group:")
    zhou = plant.phone("周敏")
    zhou.says("绑定 合成车间", group=GROUP)
    zhou.sees("智能机器人只能在群里回答", chat="group:")


def test_a_stranger_in_the_group_is_answered_politely(plant: PlantWithBot) -> None:
    plant.wecom.app.test_client().post("/_phone/people", json={"user": "NewHand", "name": "新来的"})
    plant.wecom.groups.groups["wrRepair0001"].members.append("NewHand")
    plant.phone("张伟")
    stranger = Phone(plant, "wecom", {"name": "新来的", "wecom": "NewHand"})
    stranger.says("管子咚咚砸是啥毛病", group=GROUP)
    stranger.sees("您还不在本厂安全员名册里", chat="app")


def test_the_doctor_finds_its_address(plant: PlantWithBot) -> None:
    http = requests.Session()
    http.trust_env = False
    http.mount(APP, WsgiAdapter(plant.app))
    findings = doctor_outside.callbacks(plant.services, http)
    assert {finding.what: finding.ok for finding in findings}["企业微信:回调地址 bot"]


def _heard(plant: Plant) -> int:
    with plant.work(read_only=True) as work:
        return work.db.scalar(select(func.count()).select_from(Inbox)) or 0


def _says_while_nobody_works(plant: Plant, phone: Phone, text: str) -> None:
    body = {"text": text, "group": "wrRepair0001", "at_bot": True}
    assert phone.client.post(f"/_phone/{phone.user}/say", json=body).status_code == 200


def _was_asked(phone: Phone) -> bool:
    return phone.count("请帮着听听") > 0
