"""Major hazards on the page of the case and in the API: decided, treated, evaluated."""

from __future__ import annotations

from tests.pictures import scene
from tests.web.test_api import api  # noqa: F401  (a fixture)


def red(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台有人无票动火,旁边没监护")
    return "YH-0001"


def test_a_major_hazard_is_treated_on_its_page(quick_plant, browse, api):  # noqa: F811
    number = red(quick_plant)
    officer, owner, other = browse("王芳"), browse("陈刚"), browse("张伟")
    assert {"major", "treat"} <= set(officer.buttons(number))
    assert "treat" in owner.buttons(number)
    assert not {"major", "treat", "evaluate"} & set(other.buttons(number))
    told = api(f"/hazards/{number}").json
    assert (told["major"], told["treatment"]["missing"]) == (None, ["measures", "funds", "plan"])
    assert told["treatment"]["five_fixes"]["responsibility"] == {"words": "责任人陈刚", "by": None, "at": None}

    assert "请选重大隐患" in officer.does(number, "major", reason="没有票")
    assert officer.does(number, "major", major="yes", reason="对照第18条") == "已核定为重大隐患。"
    said = owner.does(number, "treat", measures="停工补票", funds="2000", plan="", responsibility="", time_limit="")
    assert said == "已记下,五落实还缺预案。"
    assert "没有新的内容" in owner.does(number, "treat", measures="停工补票")
    assert owner.does(number, "treat", plan="备灭火器<b>", measures="停工补票") == "已记下,五落实已齐。"
    page = other.get(f"/h5/hazards/{number}").text
    for words in ("重大隐患治理", "停工补票(陈刚", "备灭火器&lt;b&gt;", "还没写(销号前要有)", "责任人陈刚"):
        assert words in page, words
    owner.does(number, "start")
    quick_plant.forward(minutes=30)
    owner.does(number, "submit", photos=[scene(1, mended=True)], words="补办作业票,派了专职监护人")
    assert [s["id"] for s in api(f"/hazards/{number}").json["signals"] if s["id"] in ("FC-12", "FC-14")] == ["FC-12"]
    assert "evaluate" not in owner.buttons(number)
    assert officer.does(number, "evaluate", words="现场核对票证,重大隐患已消除") == "治理评估已记下。"
    told = api(f"/hazards/{number}").json
    assert told["treatment"]["evaluation"]["by"]["name"] == "王芳"
    assert told["treatment"]["five_fixes"]["funds"]["words"] == "2000"
    assert [s["id"] for s in told["signals"] if s["id"] in ("FC-12", "FC-14")] == []
    assert [line["action"] for line in told["trail"]][-1] == "evaluated"
    assert api("/hazards?state=to_accept").json["items"][0]["major"] is True


def test_a_general_hazard_has_no_treatment(quick_plant, browse, api):  # noqa: F811
    quick_plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    assert api("/hazards/YH-0001").json["treatment"] is None
    assert "重大隐患治理" not in browse("李强").get("/h5/hazards/YH-0001").text
    assert "是一般隐患" in browse("李强").does("YH-0001", "treat", funds="2000")
    assert browse("王芳").does("YH-0001", "major", major="yes", reason="上报后查出是防爆区") == "已核定为重大隐患。"
    assert (quick_plant.hazard("YH-0001").grade, quick_plant.hazard("YH-0001").major) == ("red", True)
