"""Groups, duplicates, anonymity, codes, menus, late presses, two people at once."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor

import pytest
import segno
from PIL import Image

from cards import images
from handlers import people
from jobs import inbound
from rules.terms import Role
from storage.models import ApiToken
from storage.people import has_role
from tests.pictures import scene

pytestmark = pytest.mark.sqlite_suffices


def api(plant, path):
    with plant.work() as work:
        if work.people.token("secret-token") is None:
            digest = hashlib.sha256(b"secret-token").hexdigest()
            work.db.add(ApiToken(name="test", sha256=digest, created_at=work.at))
            work.commit()
    answer = plant.app.test_client().get(path, headers={"Authorization": "Bearer secret-token"})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def test_a_group_report_with_a_photo_and_a_caption(plant):
    chen = plant.phone("黄梅")
    chen.sends_photo(scene(3), caption="装卸台照明不足,灯坏一片", group="储运车间安全群")
    chen.sees("YH-0001", "已上报", chat="group:")
    plant.phone("李强").sees("YH-0001", "三级(黄)")


def test_an_admin_binds_a_group_and_others_may_not(plant):
    with plant.work() as work:
        for group in work.people.groups_of_workshop("储运车间"):
            group.active = False
        work.commit()
    plant.phone("黄梅").says("绑定 储运车间", group="储运车间安全群")
    plant.phone("黄梅").sees("只有管理员或安全员", chat="group:")
    plant.phone("王芳").says("绑定 无此车间", group="储运车间安全群")
    plant.phone("王芳").sees("可以绑定", "储运车间", chat="group:")
    plant.phone("王芳").says("绑定 储运车间", group="储运车间安全群")
    plant.phone("王芳").sees("已绑定", chat="group:")
    plant.phone("张伟").sends_photo(scene(1)).says("1号甲醇储罐V-201旁边地沟盖板没了,踩空危险")
    plant.phone("陈刚", "dingtalk").sees("YH-0001", chat="group:")


def test_the_same_hazard_seen_by_another_person_can_be_joined(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("V-201 旁边地沟盖板缺失,踩空危险")
    lin = plant.phone("林雪")
    lin.sends_photo(scene(9)).says("V-201旁边的地沟盖板没了")
    lin.sees("和 YH-0001 是同一个问题吗").taps("是同一个")
    lin.sees("已加入 YH-0001")
    with plant.work(read_only=True) as work:
        assert work.hazards.by_number("YH-0002") is None
    chen = plant.phone("陈刚", "dingtalk")
    chen.taps("开始整改", on="YH-0001")
    plant.forward(minutes=30)
    chen.sends_photo(scene(1, mended=True)).says("盖板已复位并固定")
    plant.phone("王芳").taps("验收通过", on="YH-0001")
    lin.sees("YH-0001", "已闭环")


def test_it_can_be_reported_apart_all_the_same(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("V-201 旁边地沟盖板缺失,踩空危险")
    lin = plant.phone("林雪")
    lin.sends_photo(scene(9)).says("V-201旁边的地沟盖板没了")
    lin.taps("不是,另报一条")
    lin.sees("YH-0002", "已上报")


def test_an_anonymous_reporter_is_seen_by_nobody(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("匿名 装卸台照明不足,灯坏一片")
    zhang.sees("YH-0001")
    li = plant.phone("李强")
    li.sees("上报人:匿名").does_not_see("张伟")
    plant.phone("王芳").says("YH-0001").does_not_see("张伟")
    found = api(plant, "/api/v1/hazards/YH-0001")
    assert found["reporter"] is None
    assert "张伟" not in str(found)
    assert "张伟" not in str(api(plant, "/api/v1/deliveries?case=YH-0001"))


def test_a_code_in_the_photo_itself_finds_the_equipment(plant):
    drawn = io.BytesIO()
    segno.make("P-101A", error="m").save(drawn, kind="png", scale=14, border=4)
    code = Image.open(drawn).convert("RGB")
    picture = Image.open(io.BytesIO(scene(4)))
    picture.paste(code, (60, 60))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=92)
    assert [c.text for c in images.decode_codes(out.getvalue())] == ["P-101A"]
    plant.phone("张伟").sends_photo(out.getvalue()).says("泵密封渗油,地面有油污")
    assert plant.hazard("YH-0001").equipment.code == "P-101A"


def test_a_scanned_plate_gives_the_place(plant):
    plant.services.platforms["wecom"].set_menu()
    zhang = plant.phone("张伟")
    zhang.scans("P-101A")
    zhang.sees("请拍一张现场照片")
    zhang.sends_photo(scene(2)).says("泵基础地脚螺栓松动")
    hazard = plant.hazard("YH-0001")
    assert (hazard.equipment.code, hazard.area.code) == ("P-101A", "BF")


def test_queries_answer_what_stands(plant):
    zhang = plant.phone("张伟")
    zhang.says("我的隐患").sees("还没有报过隐患")
    zhang.sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    zhang.says("我的隐患").sees("YH-0001 三级(黄) 待整改")
    zhang.says("yh-1").sees("YH-0001 三级(黄) 待整改", "责任人:李强")
    zhang.says("YH-0099").sees("没有找到")
    zhang.says("本周").sees("共报1条")
    plant.phone("李强").says("待办").sees("要整改的(1)", "YH-0001")
    zhang.says("待办").sees("没有待办")


def test_a_button_works_three_days_later(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    li = plant.phone("李强")
    plant.forward(days=3)
    li.taps("开始整改", on="YH-0001")
    assert plant.hazard("YH-0001").state == "rectifying"


def test_nobody_answers_so_it_goes_up(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("V-201 旁边地沟盖板缺失,踩空危险")
    plant.forward(hours=5)
    plant.phone("王芳").sees("还没有人确认", "YH-0001")
    plant.forward(hours=5)
    plant.phone("赵建国").sees("还没有人确认", "YH-0001")


def test_a_closed_case_wakes_nobody(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("V-201 旁边地沟盖板缺失,踩空危险")
    zhang.taps("撤回", on="YH-0001")
    plant.forward(hours=48)
    plant.phone("赵建国").does_not_see("YH-0001")
    plant.phone("陈刚", "dingtalk").sees("YH-0001", "已撤回", buttons=[])


def test_two_people_accept_in_the_same_second(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    li = plant.phone("李强")
    li.taps("开始整改", on="YH-0001")
    plant.forward(minutes=30)
    li.sends_photo(scene(1, mended=True)).says("更换了三只灯管,试亮正常")
    wang, zhou = plant.phone("王芳"), plant.phone("周敏")
    for phone in (wang, zhou):
        item, button = phone._find_button("验收通过", "YH-0001")
        phone.client.post(f"/_phone/{phone.user}/tap", json={"item": item["id"], "key": button["key"], "selected": {}})
    plant.wecom.tick()
    plant.dingtalk.tick()
    with plant.work(read_only=True) as work:
        ids = work.inbox.ready_ids(plant.now)
    assert len(ids) == 2
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda row_id: inbound.handle(plant.services, row_id), ids))
    plant.settle()
    assert plant.hazard("YH-0001").state == "closed"
    assert wang.count("已由周敏") + zhou.count("已由王芳") == 1
    with plant.work(read_only=True) as work:
        actions = [line.action for line in work.trail.of("hazard", plant.hazard("YH-0001").id)]
    assert actions.count("accepted") == 1


def test_the_reporter_corrects_adds_a_photo_and_withdraws(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    zhang.taps("更正描述", on="YH-0001").says("装卸台2号鹤位照明不足,两只灯不亮")
    plant.phone("李强").sees("YH-0001", "2号鹤位")
    zhang.taps("补照片", on="YH-0001").sends_photo(scene(6)).says("好了")
    assert len(plant.hazard("YH-0001").photos) == 2
    zhang.taps("撤回", on="YH-0001")
    assert plant.hazard("YH-0001").state == "withdrawn"


def test_the_safety_officer_lowers_a_grade_and_others_cannot(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("V-201 旁边地沟盖板缺失,踩空危险")
    plant.phone("陈刚", "dingtalk").says("YH-0001 改为黄 没那么严重").sees("等级只能调高")
    plant.phone("王芳").says("YH-0001 改为黄 已核实深度20厘米").sees("已改为三级(黄)")
    hazard = plant.hazard("YH-0001")
    assert (hazard.grade, hazard.owner.name) == ("yellow", "李强")


def test_a_voice_message_is_a_sentence_too(plant):
    li = plant.phone("黄梅")
    li.sends_photo(scene(1)).sends_voice("装卸台照明不足,灯坏一片")
    li.sees("YH-0001", "照明不足")


def test_redis_is_lost_and_nothing_with_it(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1))
    plant.services.redis.flushall()
    zhang.says("装卸台照明不足,灯坏一片")
    zhang.sees("YH-0001")
    plant.services.redis.flushall()
    plant.phone("李强").taps("开始整改", on="YH-0001")
    assert plant.hazard("YH-0001").state == "rectifying"


def test_an_admin_named_in_the_settings_is_one_from_the_first_word(plant):
    people.use_admins(("wecom:zhangwei",))
    try:
        plant.phone("张伟").says("帮助")
    finally:
        people.use_admins(())
    with plant.work(read_only=True) as work:
        assert has_role(work.people.by_code("zhangwei"), Role.ADMIN)


def test_an_anonymous_owner_is_not_given_away_by_a_hidden_line(plant):
    li = plant.phone("李强")
    li.sends_photo(scene(1)).says("匿名 装卸台照明不足,灯坏一片")
    li.taps("开始整改", on="YH-0001")
    with plant.work(read_only=True) as work:
        lines = work.trail.of("hazard", plant.hazard("YH-0001").id)
    assert [(line.action, line.by_hidden) for line in lines] == [
        ("filed", True),
        ("assigned", False),
        ("started", False),
    ]
