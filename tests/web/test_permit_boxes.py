"""The form's own boxes filled in on the phone, and every row of the standard's measures on the sheet."""

from __future__ import annotations

import re
from datetime import timedelta

from storage.models import PermitApproval
from tests import permits as p
from tests.permits import APPLICANT, GUARDIAN
from tests.plant import walked
from web.permit_sheet import sheet_of

NUMBER = "ZY-0001"


@walked
def _submitted(plant):
    p.feed(plant)
    p.hand_in(plant)


def _sheet(plant):
    with plant.work(read_only=True) as work:
        return sheet_of(work, work.permits.by_number(NUMBER), plant="厂", verify="https://a.example/v")


def test_boxes_are_filled_in_by_people_of_the_permit_and_stand_on_the_sheet(quick_plant, browse):
    _submitted(quick_plant)
    browser = browse(APPLICANT)
    assert "票面栏目" in browser.get(f"/h5/permits/{NUMBER}").text
    page = browser.get(f"/h5/permits/{NUMBER}/boxes").text
    assert 'value="电焊"' in page  # read from the words of the job
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)[1]
    given = {
        "csrf": csrf,
        "box.method": "电焊、砂轮",
        "box.risks": "火灾、爆炸、灼烫",
        "box.level": "特级",
        "box.x": "y",
    }
    assert browser.post(f"/h5/permits/{NUMBER}/boxes", data=given).status_code == 303
    made = _sheet(quick_plant)
    assert (made.own["method"], made.own["level"], made.hazards[0]) == ("电焊、砂轮", "一级", "火灾、爆炸、灼烫")
    with quick_plant.work(read_only=True) as work:
        found = work.permits.by_number(NUMBER)
        assert set(found.boxes) == {"method", "risks"}
        assert work.trail.of("permit", found.id)[-1].why == "票面栏目2项"


def test_others_may_not_fill_them_in(quick_plant, browse):
    _submitted(quick_plant)
    assert browse("何静").get(f"/h5/permits/{NUMBER}/boxes").status_code == 403


def test_the_sheet_has_every_row_of_the_form_whatever_was_asked(quick_plant):
    _submitted(quick_plant)
    told = [int(n) for m in _sheet(quick_plant).measures for n in m.row.replace("、", " ").split()]
    assert told == list(range(1, 16))
    assert all(m.by in ("", "按申请填报", "本级不要求") for m in _sheet(quick_plant).measures)
    with quick_plant.work() as work:
        found = work.permits.by_number(NUMBER)
        guardian = work.people.by_name(GUARDIAN)[0]
        found.approvals.append(
            PermitApproval(
                kind="measure", step="drains", words="周围地漏、窨井、地沟、水封已封盖", person=guardian, granted=True,
                decided_at=quick_plant.now - timedelta(minutes=1), photo_sha="a" * 64,
            )
        )  # fmt: skip
        work.commit()
    row = next(m for m in _sheet(quick_plant).measures if m.row == "3")
    assert (row.involved, row.by, row.proof) == (True, GUARDIAN, "附照片")
