"""Stored verdicts are judged again years later; a waiver of the level needs the word of whoever is named."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from handlers.permit import cast, questions
from handlers.permit.replay import replay_all
from rules import escalation
from rules.permit import facts_from_json, facts_to_json
from storage.models import Permit
from tests import permits as p
from tests.plant import Plant


@pytest.fixture
def plant(sqlite_url, redis_client, tmp_path):
    made = Plant(sqlite_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


def test_every_verdict_comes_out_the_same_under_its_own_policy(plant):
    p.feed(plant)
    p.hand_in(plant)
    with plant.work() as work:
        strict = {**escalation.DEFAULT, "permit": {"rules": {"HW-A03": {"max_vol": 0.4}}}}
        work.policies.publish(strict, at=work.at, by_id=None)
        work.commit()
    p.approve(plant)
    cli = plant.app.test_cli_runner()
    said = cli.invoke(args=["replay-verdict", "ZY-0001"])
    assert said.exit_code == 0, said.output
    with plant.work() as work:
        permit = work.permits.by_number("ZY-0001")
        rows = list(replay_all(work, permit))
        assert len(rows) >= 3
        assert all(row.same for row in rows)
        assert len({row.table_version for row in rows}) == 2
        newest = work.permit_verdicts.of(permit.id)[0]
        newest.facts = facts_to_json({**facts_from_json(str(newest.facts)), "jsa_done": False})
        oldest = work.permit_verdicts.of(permit.id)[-1]
        oldest.table_version = "gb30871_2022/0.9+000000000000"
        work.commit()
    said = cli.invoke(args=["replay-verdict", "ZY-0001"])
    assert said.exit_code == 1
    assert "不一致:G-009" in said.output
    assert "请用当时的版本回放" in said.output
    assert cli.invoke(args=["replay-verdict", "ZY-0404"]).exit_code == 1


def test_a_stopped_unit_filed_lower_is_countersigned_by_who_approved_it(plant):
    with plant.work() as work:
        permit = work.permits.add(
            Permit(
                work="hot_work",
                level="l2",
                state="submitted",
                created_at=plant.now - timedelta(minutes=1),
                facts={"stopped_unit_waiver": True, "waiver_approver_role": "safety_head"},
                suspend_why=[],
                next_due=[],
                parties=[],
                approvals=[],
                gas_tests=[],
                generation=1,
            )
        )
        cast.plan_approvals(work, permit, raised=False)
        row = cast.open_signature(permit, "countersign")
        assert row is not None
        assert row.wanted_role == "executive"
        assert not cast.may_sign(work, permit, work.people.by_name("王芳")[0], row)
        assert cast.may_sign(work, permit, work.people.by_name("赵建国")[0], row)
        permit.facts = {}
        cast.plan_approvals(work, permit, raised=False)
        assert cast.open_signature(permit, "countersign") is None


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ("安全管理负责人", "safety_head"),
        ("生产负责人批的", "production_head"),
        ("没有人批准", "other"),
        ("safety_head", "safety_head"),
    ],
)
def test_who_approved_the_lower_level_is_chosen_from_a_list(said, fact):
    assert questions.read("waiver_approver_role", said) == {"waiver_approver_role": fact}
    assert [label for label, _ in questions.choices("waiver_approver_role")][:2] == ["生产负责人", "安全管理负责人"]
    json.dumps(questions.choices("waiver_approver_role"))
