"""The commands of `flask --app app …`: imports that name each bad row, tokens, groups, audit, policy, doctor."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import text

from rules import escalation
from storage import guards
from tests.pictures import scene
from tests.web.test_case_page import filed
from tools import plant_files
from tools.stack import ROOT

pytestmark = pytest.mark.sqlite_suffices

PEOPLE = "工号,姓名,手机,职务,班组,企业微信账号,钉钉账号,钉钉unionid,角色\n"


@pytest.fixture
def run(request):
    plant = request.getfixturevalue("plant" if "plant" in request.fixturenames else "quick_plant")
    runner = plant.app.test_cli_runner()

    def call(*arguments, code=0):
        result = runner.invoke(args=[str(a) for a in arguments])
        assert result.exit_code == code, result.output
        return result

    return call


def write(folder: Path, words: str, *, encoding: str = "utf-8-sig", name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(words.encode(encoding))
    return path


def person(plant, code):
    with plant.work(read_only=True) as work:
        found = work.people.by_code(code)
        if found is not None:
            assert found.accounts is not None and found.roles is not None  # loaded while the session is open
        return found


def test_the_demo_plant_in_and_in_again(plant, run, tmp_path):
    """Every table of the demo, through the importers, twice: the second time nothing changes."""
    with plant.work() as work:
        for table in (
            "certificate",
            "detector",
            "zone",
            "group_chat",
            "role_grant",
            "account",
            "person",
            "equipment",
            "area",
        ):
            work.db.execute(text(f"DELETE FROM {table}"))
        work.commit()
    files = plant_files.write(plant.data, tmp_path / "files")
    for command, path in files.items():
        assert "有问题0" in run(command, path).output
    for command, path in files.items():
        again = run(command, path).output
        assert "新增0,更新0" in again, again
    zhang = person(plant, "zhangwei")
    assert [a.user_id for a in zhang.accounts] == ["zhangwei"]
    assert zhang.roles[0].role == "worker"
    plant.phone("张伟").sends_photo(scene(1)).says("3号泵房照明不足,灯坏一片")
    assert plant.hazard("YH-0001").owner.name == "李强"


def test_bad_rows_are_named_and_the_others_come_in(plant, run, tmp_path):
    rows = [
        "A1,甲一,13900000001,操作工,一班,,,,worker@JC",  # 2: fine
        ",无号,,,,,,,",  # 3
        "A2,,,,,,,,",  # 4
        "A1,重复,,,,,,,",  # 5
        "A3,丙三,12ab,,,,,,",  # 6
        "A4,丁四,,,,,,,boss",  # 7
        "A5,戊五,,,,,,,worker@XX",  # 8
        "A6,己六,,,,ZhangWei,,,",  # 9: somebody else's account
        "A7,庚七,,,,NewOne,,,安全员;班组长@甲醇罐区",  # 10: fine, in Chinese
        "A8,辛八,,,,newone,,,",  # 11: WeCom ids have no case
    ]
    result = run("import-people", write(tmp_path, PEOPLE + "\n".join(rows)), code=1)
    assert "新增2" in result.output
    for number, reason in (
        (3, "缺少工号"),
        (4, "缺少姓名"),
        (5, "出现了两次"),
        (6, "手机号"),
        (7, "角色“boss”不认识"),
        (8, "没有区域“XX”"),
        (9, "已是别人的"),
        (11, "重复"),
    ):
        line = next(li for li in result.output.splitlines() if f"第{number}行" in li)
        assert reason in line
    assert "12ab" not in result.output  # no part of a phone number
    assert {(r.role, r.area_id is not None) for r in person(plant, "A7").roles} == {
        ("safety_officer", False),
        ("team_leader", True),
    }
    assert person(plant, "A6") is None


def test_a_person_who_becomes_known_is_answered_without_saying_it_again(plant, run, tmp_path):
    with plant.work() as work:
        account = work.people.account("wecom", "ZhangWei")
        account.person = None
        work.commit()
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    zhang.sees("名册").does_not_see("YH-0001")
    rows = "zhangwei,张伟,13800000001,罐区操作工,储运班,ZhangWei,,,worker@JC"
    assert "接着处理" in run("import-people", write(tmp_path, PEOPLE + rows)).output
    plant.settle()
    zhang.sees("YH-0001", "已上报")


def test_roles_are_replaced_and_accounts_kept(quick_plant, run, tmp_path):
    run("import-people", write(tmp_path, "工号,姓名,角色\nliqiang,李强,worker"))
    li = person(quick_plant, "liqiang")
    assert [r.role for r in li.roles] == ["worker"]
    assert [a.user_id for a in li.accounts] == ["user001"]
    run("import-people", write(tmp_path, "工号,姓名\nliqiang,李强强"))
    li = person(quick_plant, "liqiang")
    assert (li.name, [r.role for r in li.roles]) == ("李强强", ["worker"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings_of_chinese_tables(quick_plant, run, tmp_path, encoding):
    run("import-people", write(tmp_path, "工号,姓名\nB1,石油化工", encoding=encoding))
    assert person(quick_plant, "B1").name == "石油化工"


def test_english_headings_and_numbers_in_a_workbook(quick_plant, run, tmp_path):
    book = Workbook()
    book.active.append(["Code", "NAME", "Mobile", "roles"])
    book.active.append([1001, "数字工号", 13900000009, "worker"])
    book.active.append([None, None, None, None])
    book.save(tmp_path / "people.xlsx")
    run("import-people", tmp_path / "people.xlsx")
    found = person(quick_plant, "1001")
    assert (found.name, found.mobile) == ("数字工号", "13900000009")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "是空的"),
        ("姓名\n张三".encode(), "缺少这些列:工号"),
        (b"PK\x03\x04 broken", "打不开"),
        (b"\xd0\xcf\x11\xe0 old", "另存为 xlsx"),
        (b"\xff\xfe\x00\xd8", "编码"),
    ],
)
def test_a_file_that_is_no_table(quick_plant, run, tmp_path, data, reason):
    path = tmp_path / "x.csv"
    path.write_bytes(data)
    assert reason in run("import-people", path, code=1).output


def test_areas_row_by_row(quick_plant, run, tmp_path):
    head = "编码,名称,类型,车间,分区,介质,点火源,边界\n"
    ring = '"118.1,37.1;118.2,37.1;118.2,37.2"'
    rows = [
        f"N1,新区,tank_farm,新车间,防爆区,甲醇;氢气,加热炉,{ring}",
        "N2,没有边界,,,,,,",
        'N3,两个点,,,,,,"118.1,37.1;118.2,37.1"',
        'N4,反了,,,,,,"37.1,118.1;37.2,118.1;37.2,118.2"',
        'N5,不是数,,,,,,"a,b;c,d;e,f"',
        "N6,怪分区,,,火星,,,",
        "N1,又来,,,,,,",
    ]
    result = run("import-areas", write(tmp_path, head + "\n".join(rows)), code=1)
    assert "新增2" in result.output
    for number in (4, 5, 6, 7, 8):
        assert f"第{number}行" in result.output
    with quick_plant.work(read_only=True) as work:
        area = work.plant.area_by_code("N1")
    assert (area.zone, area.media, area.ignition) == ("hazardous", ["甲醇", "氢气"], ["加热炉"])
    assert area.polygon[0] == [118.1, 37.1]


def test_a_no_fire_zone_is_no_ban_and_the_file_is_told_what_to_write(quick_plant, run, tmp_path):
    """Graded hot work is done inside the no-fire zone by definition (GB 30871-2022 3.4); only an absolute ban forbids it."""
    head = "编码,名称,分区\n"
    rows = ["N1,一区,禁火区", "N2,二区,绝对禁火区", "N3,三区,火灾爆炸危险场所"]
    result = run("import-areas", write(tmp_path, head + "\n".join(rows)), code=1)
    line = next(li for li in result.output.splitlines() if "第2行" in li)
    assert "绝对禁火区" in line
    assert "火灾爆炸危险场所" in line
    with quick_plant.work(read_only=True) as work:
        assert work.plant.area_by_code("N1") is None
        assert [work.plant.area_by_code(code).zone for code in ("N2", "N3")] == ["ban", "hazardous"]


def test_equipment_row_by_row(quick_plant, run, tmp_path):
    head = "位号,名称,类型,区域,介质,点火源,状态,经度,纬度\n"
    rows = [
        "K-901,压缩机,compressor,JC,氢气,否,running,118.59,37.45",
        "K-902,按名称找区域,,甲醇罐区,,是,,,",
        "k901,同一台,,,,,,,",
        "K-903,没有区域,,ZZ,,,,,",
        "K-904,半个位置,,,,,,118.59,",
        "K-905,坏位置,,,,,,118.59,137",
        "K-906,怪点火源,,,,也许,,,",
        "——,没有字母,,,,,,,",
    ]
    result = run("import-equipment", write(tmp_path, head + "\n".join(rows)), code=1)
    assert "新增2" in result.output
    for number in range(4, 10):
        assert f"第{number}行" in result.output
    with quick_plant.work(read_only=True) as work:
        item = work.plant.equipment_by_code("k 902")
        assert (item.area.code, item.ignition) == ("JC", True)


def test_words_for_the_state_of_equipment(quick_plant, run, tmp_path):
    words = ["运行", "在用", "备用", "检修中", "停用", "已拆除", "", "半停"]
    rows = [f"K-9{n},泵,,JC,甲醇,,{word},," for n, word in enumerate(words, start=10)]
    head = "位号,名称,类型,区域,介质,点火源,状态,经度,纬度\n"
    said = run("import-equipment", write(tmp_path, head + "\n".join(rows))).output
    assert "新增8" in said
    assert "第9行(已收,请核对):状态“半停”不认识" in said
    assert said.count("请核对") == 1
    with quick_plant.work(read_only=True) as work:
        kept = [work.plant.equipment_by_code(f"K-9{n}").state for n in range(10, 18)]
    assert kept == ["running", "running", "standby", "maintenance", "stopped", "dismantled", "", "半停"]


def test_a_token_is_shown_once_and_works_until_revoked(plant, run):
    made = run("token", "create", "dashboard")
    secret = made.output.split()[-1]
    client = plant.app.test_client()
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/people", headers=headers).status_code == 200
    with plant.work(read_only=True) as work:
        assert work.people.token_named("dashboard").sha256 != secret
        stored = work.db.execute(text("SELECT * FROM api_token")).one()
    assert secret not in str(stored)
    assert "已有" in run("token", "create", "dashboard", code=1).output
    run("token", "revoke", "dashboard")
    assert client.get("/api/v1/people", headers=headers).status_code == 401
    assert "没有" in run("token", "revoke", "dashboard", code=1).output
    assert run("token", "create", "dashboard").output.split()[-1] != secret


def test_a_group_is_bound(quick_plant, run):
    assert "没有车间" in run("bind-group", "dingtalk", "cidNew==", "月球车间", code=1).output
    run("bind-group", "dingtalk", "cidNew==", "动力车间")
    with quick_plant.work(read_only=True) as work:
        assert [g.conversation_id for g in work.people.groups_of_workshop("动力车间")] == ["cidNew=="]
    run("bind-group", "dingtalk", "cidNew==", "全厂")
    with quick_plant.work(read_only=True) as work:
        assert work.people.group("dingtalk", "cidNew==").workshop == ""


def test_the_audit_finds_a_changed_line(plant, run):
    filed(plant)
    assert "完整" in run("audit", "verify").output
    with plant.services.engine.begin() as connection:
        guards.remove(connection)
        connection.execute(text("UPDATE trail_line SET why = 'never mind' WHERE seq = 1"))
        guards.install(connection)
    assert "第1行" in run("audit", "verify", code=1).output


def test_a_policy_is_checked_before_it_is_in_force(plant, run, tmp_path):
    shown = run("policy", "show").output
    content = json.loads(shown[shown.index("{") :])
    assert content == escalation.DEFAULT
    content["plans"][2]["confirm_minutes"] = 60
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(content))
    assert "版本 1" in run("policy", "set", path).output
    filed(plant)
    hazard = plant.hazard("YH-0001")
    assert (hazard.confirm_due_at - hazard.assigned_at).total_seconds() == 3600
    for broken in ('{"plans": []}', "[]", "{", '{"plans": [{"when": {}}]}'):
        path.write_text(broken)
        run("policy", "set", path, code=1)
    assert "版本 1" in run("policy", "show").output


def test_upgrade_is_safe_to_repeat(plant, run):
    assert "已是最新" in run("db", "upgrade").output


def test_the_doctor_names_what_is_missing(quick_plant, run, monkeypatch):
    from tools import doctor

    monkeypatch.setattr(doctor, "_clock", lambda _services: doctor.Finding("时钟", True))
    result = run("doctor", code=1)  # the emulated plant is served by plain http, which WeCom's check must say
    lines = {line[2:].split("  ")[0].strip(): line for line in result.output.splitlines()}
    assert lines["数据库(sqlite)"].startswith("✓")
    assert lines["Redis"].startswith("✓")
    assert lines["照片存储"].startswith("✓")
    assert lines["图片字体"].startswith("✓")
    assert lines["企业微信:应用凭证"].startswith("✓")
    assert lines["企业微信:对外地址"].startswith("✗")
    assert "https" in lines["企业微信:对外地址"]
    bad = [line for line in result.output.splitlines() if line.startswith("✗")]
    assert all(line.split("  ")[-1].strip() for line in bad)


def test_the_doctor_tells_a_clock_that_is_off(quick_plant, monkeypatch):
    from tools import doctor

    class Head:
        headers = {"Date": "Tue, 24 Nov 2020 01:00:00 GMT"}

    monkeypatch.setattr(doctor.requests.Session, "head", lambda *_a, **_k: Head)
    finding = doctor._clock(quick_plant.services)
    assert not finding.ok
    assert "NTP" in finding.remedy


def test_a_command_prints_its_answer_and_nothing_else(tmp_path):
    """`./anshao run flask token create NAME > file` must hold the token alone, whatever the log has to say."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("ANSHAO_")}
    env |= {
        "ANSHAO_SECRET_KEY": "s" * 40,
        "ANSHAO_DATA_DIR": str(tmp_path),
        "ANSHAO_DATABASE_URL": f"sqlite:///{tmp_path}/anshao.db",
        "ANSHAO_LOG_LEVEL": "DEBUG",
    }

    def flask(*arguments: str) -> str:
        command = [sys.executable, "-m", "flask", "--app", "app", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    flask("db", "upgrade")
    assert re.fullmatch(r"anshao_[\w-]{43}\n", flask("token", "create", "acceptance"))
