"""The register of risks: imported by the command, shown by the API and in chat."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.json_schema import faults

HEAD = "序号,风险点,作业活动,危险源,可能导致的事故,L,E,C,D,风险等级,现有控制措施,责任单位,责任人\n"
LINES = (
    "1,甲醇罐区,卸车,静电未释放,火灾,3,6,15,270,较大,静电接地,储运车间,王芳",
    "2,甲醇罐区,巡检,平台护栏松动,高处坠落,1,6,15,90,低,每班巡检,储运车间,",
    "3,装卸台,装车,鹤管脱落,泄漏,3,3,7,63,低,拉断阀,储运车间,王芳",
    "4,装卸台,装车,鹤管碰撞,泄漏,5,3,7,105,低,拉断阀,储运车间,王芳",
)


@pytest.fixture
def imported(quick_plant, tmp_path) -> Any:
    path = tmp_path / "risks.csv"
    path.write_text(HEAD + "\n".join(LINES), encoding="utf-8-sig")
    result = quick_plant.app.test_cli_runner().invoke(args=["import-risks", str(path)])
    assert result.exit_code == 1  # one row could not come in
    return result.output


def test_the_command_says_what_came_in_and_what_to_check(imported):
    assert "新增3" in imported and "有问题1" in imported
    assert "第3行 待核对:表里写低风险,按D=90应为一般风险" in imported
    assert "第5行 没有导入:L=5 不在取值表内" in imported
    assert "方案A" in imported


def test_a_file_that_is_no_register_is_refused(quick_plant, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("姓名,电话\n张三,1\n", encoding="utf-8")
    result = quick_plant.app.test_cli_runner().invoke(args=["import-risks", str(path)])
    assert result.exit_code == 1 and "没有找到表头" in result.output


def test_the_api_lists_them_as_its_document_says(quick_plant, imported):
    api, client = quick_plant.api(), quick_plant.app.test_client()
    document = client.get("/api/v1/openapi.json").json
    schema = document["components"]["schemas"]["Risks"]

    def ask(query: str, status: int = 200) -> Any:
        answer = api.get(f"/api/v1/risks{query}")
        assert answer.status_code == status
        if status == 200:
            assert faults(answer.json, schema, document) == []
        return answer.json

    first = ask("")["items"][0]
    assert (first["hazard"], first["level"], first["owner"]["name"]) == ("静电未释放", "orange", "王芳")
    assert first["computed"] == {"d": 270.0, "level": "orange", "scheme": "A"}
    assert [r["hazard"] for r in ask("?area=ZX")["items"]] == ["鹤管脱落"]
    assert [r["to_check"][0]["code"] for r in ask("?to_check=true")["items"]] == ["level_differs"]
    assert [r["seq"] for r in ask("?level=blue&to_check=false")["items"]] == ["3"]
    page = ask("?limit=2")
    assert [r["seq"] for r in ask(f"?limit=2&cursor={page['next_cursor']}")["items"]] == ["3"]
    for query in ("?level=high", "?area=NOWHERE", "?cursor=x", "?colour=red", "?to_check=maybe"):
        assert ask(query, 400)["status"] == 400
    assert client.get("/api/v1/risks").status_code == 401


def test_in_chat(quick_plant, imported):
    zhang = quick_plant.phone("张伟")
    zhang.says("风险").sees("全厂风险:较大风险1、低风险2", "静电未释放", "D=270", "责任:王芳")
    zhang.says("风险 甲醇罐区").sees("甲醇罐区风险:较大风险1、低风险1", "⚠待核对")
    zhang.says("装卸台风险清单").sees("装卸台风险:低风险1", "鹤管脱落")
    zhang.says("风险 月球").sees("没有找到区域“月球”", "甲醇罐区")


def test_a_report_that_begins_with_the_word_is_a_report(quick_plant):
    zhang = quick_plant.phone("张伟")
    zhang.says("风险:3号泵房护栏松动").does_not_see("没有找到区域").does_not_see("风险评价表")
    zhang.says("取消").says("风险 3号泵房着火了").sees("撤")
    assert quick_plant.hazard("YH-0001").grade == "red"


def test_without_a_register_it_says_how_to_get_one(quick_plant):
    quick_plant.phone("张伟").says("风险").sees("import-risks")
