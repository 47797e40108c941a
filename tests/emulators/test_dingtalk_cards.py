"""Interactive cards: creating, spaces, updates, private data, presses and their answers."""

from __future__ import annotations

import json

import pytest

from emulators.dingtalk.signing import card_sign
from tests.emulators.dingtalk_kit import GROUP, World, card_body, card_params, rows

CREATE, BOTH, DELIVER = (f"/v1.0/card/instances{tail}" for tail in ("", "/createAndDeliver", "/deliver"))
CARDS = "/dingtalk/cards"
GROUP_SPACE = f"dtv1.card//im_group.{GROUP}"


@pytest.fixture
def world():
    made = World()
    made.control("subscriptions", {"events": []})
    body = {"callbackRouteKey": "anshao", "callbackUrl": f"http://bot.test{CARDS}", "apiSecret": "s"}
    made.new("POST", "/v1.0/card/callbacks/register", body)
    return made


def update(world, public=None, private=None, **more):
    body = {"outTrackId": "case-1", **more}
    if public is not None:
        body["cardData"] = {"cardParamMap": public}
    if private is not None:
        body["privateData"] = {user: {"cardParamMap": params} for user, params in private.items()}
    return world.new("PUT", CREATE, body)


def card_of(world, user="user001"):
    return world.screen(user)[-1]["card"]


def tap(world, user="user001", key="confirm", **more):
    world.control(f"{user}/tap", {"item": world.screen(user)[-1]["id"], "key": key, **more})
    world.tick()


def test_create_and_deliver_to_a_group_and_a_person(world):
    answer = world.new("POST", BOTH, card_body(f"{GROUP_SPACE};dtv1.card//IM_ROBOT.user003"))
    group, person = answer["result"]["deliverResults"]
    assert answer["success"] and answer["result"]["outTrackId"] == "case-1"
    assert (group["spaceType"], group["spaceId"], group["success"]) == ("IM_GROUP", GROUP, True)
    assert group["carrierId"] and group["carrierId"] != person["carrierId"]
    for user, chat in (("user001", f"group:{GROUP}"), ("user002", f"group:{GROUP}"), ("user003", "app")):
        item = world.screen(user)[0]
        assert (item["chat"], item["kind"], item["card"]["title"]) == (chat, "card", "隐患 YH-0001")
    assert world.problems() == []


def test_the_card_is_drawn_from_the_template(world):
    link = {"text": "看详情", "action": "open", "style": "normal", "kind": "link", "url": "http://x/1"}
    press = {"text": "指派", "action": "assign", "style": "danger", "kind": "request", "url": ""}
    select = {"key": "person", "title": "谁", "options": [{"id": "p1", "text": "张伟"}]}
    params = card_params(
        buttons=rows(press, link), selects=rows(select), link_url="http://x/2", link_text="隐患页", note="第2版",
        revision="7", picture="http://p/1.jpg",
    )  # fmt: skip
    world.new("POST", BOTH, card_body(cardData={"cardParamMap": params}))
    card = card_of(world)
    assert card["buttons"][0] == {
        "label": "指派", "key": "assign", "kind": "callback", "url": "", "style": "danger", "disabled": False,
    }  # fmt: skip
    assert (card["buttons"][1]["kind"], card["buttons"][1]["url"]) == ("url", "http://x/1")
    assert card["selects"] == [{**select, "selected": ""}]
    assert card["links"] == [{"title": "隐患页", "url": "http://x/2"}]
    assert (card["revision"], card["colour"], card["facts"]) == (7, "red", [["区域", "罐区"]])
    assert card["picture_url"] == "http://p/1.jpg" and card["note"] == "第2版"
    item = world.screen("user001")[-1]["id"]
    assert world.control("user001/press_link", {"item": item, "key": "open"})["url"] == "http://x/1"
    assert world.control("user001/press_link", {"item": item, "key": "link:0"})["url"] == "http://x/2"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"outTrackId": ""}, "param.outTrackIdEmpty"),
        ({"cardTemplateId": ""}, "param.cardTemplateIdEmpty"),
        ({"cardTemplateId": "x.schema"}, "param.templateNotExist"),
        ({"openSpaceId": ""}, "param.openSpaceIdEmpty"),
        ({"openSpaceId": "IM_ROBOT.user001"}, "param.openSpaceIdInvalid"),
        ({"imRobotOpenDeliverModel": None}, "param.openDeliverModelEmpty"),
        ({"imRobotOpenDeliverModel": {}}, "param.openDeliverModelInvalid"),
        ({"imRobotOpenSpaceModel": {}}, "param.openSpaceModelInvalid"),
        ({"cardData": {}}, "param.empty"),
        ({"cardData": {"cardParamMap": {"revision": 1}}}, "param.cardParamMapInvalid"),
        ({"cardData": {"cardParamMap": {"body": "x" * 1025}}}, "param.cardParamMapTooLong"),
        ({"privateData": {"nobody": {"cardParamMap": {}}}}, "param.userIdNotExist"),
    ],
)
def test_creation_refusals(world, change, code):
    assert world.refused("POST", BOTH, card_body(**change)) == code
    assert world.screen("user001") == []


def test_value_of_exactly_the_limit_is_taken(world):
    world.new("POST", BOTH, card_body(cardData={"cardParamMap": card_params(body="x" * 1024)}))
    assert world.problems() == []


def test_a_top_level_success_can_hide_a_failed_space(world):
    spaces = f"dtv1.card//IM_ROBOT.user001;dtv1.card//IM_ROBOT.nobody;dtv1.card//IM_GROUP.{GROUP}"
    world.control("groups", {"group": GROUP, "has_robot": False})
    answer = world.new("POST", BOTH, card_body(spaces))
    results = answer["result"]["deliverResults"]
    assert answer["success"] is True and [row["success"] for row in results] == [True, False, False]
    assert results[1]["errorMsg"] and "robot" in results[2]["errorMsg"]
    world.control("faults", {"card_space_fails": "系统繁忙", "times": 1})
    again = world.new("POST", DELIVER, card_body())
    assert again["result"][0]["errorMsg"] == "系统繁忙"


def test_a_space_must_be_enabled_and_can_be_added_later(world):
    world.new("POST", BOTH, card_body(imGroupOpenSpaceModel=None))
    failed = world.new("POST", DELIVER, card_body(GROUP_SPACE))["result"][0]
    assert failed["success"] is False
    model = {"outTrackId": "case-1", "imGroupOpenSpaceModel": {"supportForward": True}}
    world.new("PUT", "/v1.0/card/instances/spaces", model)
    assert world.new("POST", DELIVER, card_body(GROUP_SPACE))["result"][0]["success"] is True


def test_recipients_restrict_who_sees_a_group_card(world):
    model = {"robotCode": "dingrobot", "recipients": ["user002"]}
    world.new("POST", BOTH, card_body(GROUP_SPACE, imGroupOpenDeliverModel=model))
    assert world.screen("user001") == [] and len(world.screen("user002")) == 1
    wrong = card_body(GROUP_SPACE, imGroupOpenDeliverModel={"robotCode": "dingkey"})
    assert world.refused("POST", BOTH, wrong) == "param.openDeliverModelInvalid"


def test_an_id_used_again_changes_nothing(world):
    world.new("POST", BOTH, card_body())
    seq = world.screen("user001")[-1]["seq"]
    world.new("POST", BOTH, card_body(cardData={"cardParamMap": card_params(title="other")}))
    assert [item["seq"] for item in world.screen("user001")] == [seq]
    assert card_of(world)["title"] == "隐患 YH-0001"
    assert world.refused("POST", CREATE, card_body()) == "param.cardAlreadyExist"


def test_update_overwrites_unless_by_key(world):
    world.new("POST", BOTH, card_body())
    before = world.screen("user001")[-1]
    update(world, {"note": "李强已确认"}, cardUpdateOptions={"updateCardDataByKey": True})
    after = world.screen("user001", before["seq"])
    assert [item["id"] for item in after] == [before["id"]]
    assert (after[0]["card"]["note"], after[0]["card"]["title"]) == ("李强已确认", "隐患 YH-0001")
    update(world, {"note": "only"})
    assert (card_of(world)["title"], card_of(world)["buttons"]) == ("", [])
    body = {"outTrackId": "none", "cardData": {"cardParamMap": {}}}
    assert world.refused("PUT", CREATE, body) == "param.cardNotExist"
    both_empty = world.refused("PUT", CREATE, {"outTrackId": "case-1"})
    assert both_empty == "param.cardDataAndPrivateDataBothEmpty"


def test_private_data_wins_for_its_person_only(world):
    private = {"user002": {"cardParamMap": {"seen_by_me": "1", "buttons": "[]"}}}
    world.new("POST", BOTH, card_body(GROUP_SPACE, privateData=private))
    assert len(card_of(world, "user001")["buttons"]) == 1
    assert card_of(world, "user002")["buttons"] == [] and card_of(world, "user002")["seen_by_me"] == "1"
    by_key = {"updatePrivateDataByKey": True}
    update(world, private={"user002": {"note": "只有你看见"}}, cardUpdateOptions=by_key)
    assert (card_of(world, "user002")["note"], card_of(world, "user002")["buttons"]) == ("只有你看见", [])
    update(world, private={"user002": {"note": "x"}})
    assert len(card_of(world, "user002")["buttons"]) == 1 and card_of(world, "user001")["note"] == ""


def test_union_ids_rule_the_whole_request(world):
    body = card_body(userIdType=2, privateData={"union-liqiang": {"cardParamMap": {"note": "你"}}})
    world.new("POST", BOTH, body)
    assert card_of(world)["note"] == "你"
    tap(world)
    assert world.bot.to(CARDS)[0].json["userId"] == "union-liqiang"


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"headline": "x"}, "not in the template"),
        ({"color": "pink"}, "color"),
        ({"buttons": "{"}, "no JSON"),
        ({"buttons": rows(*[{"text": "a", "action": "a", "style": "normal", "kind": "link", "url": "u"}] * 7)}, "more"),
        ({"buttons": rows({"text": "a", "action": "a", "style": "big", "kind": "link", "url": "u"})}, "style"),
        ({"selects": rows({"key": "p"})}, "options"),
        ({"facts": rows({"name": "x"})}, "{k, v}"),
        ({"seen_by_me": "1"}, "not in the template"),
    ],
)
def test_what_the_template_cannot_draw_is_a_problem(world, params, problem):
    world.new("POST", BOTH, card_body(cardData={"cardParamMap": card_params(**params)}))
    assert any(problem in text for text in world.problems())


def test_press_sends_a_signed_callback_with_action_and_choice(world):
    select = {"key": "person", "title": "谁", "options": [{"id": "p1", "text": "张伟"}, {"id": "p2", "text": "李强"}]}
    world.new("POST", BOTH, card_body(cardData={"cardParamMap": card_params(selects=rows(select))}))
    tap(world, selected={"person": ["p2"]})
    push = world.bot.to(CARDS)[0]
    content = json.loads(push.json["content"])
    expected = {"actionIds": ["btn"], "params": {"action": "confirm", "choice": "p2"}}
    assert content == {"cardPrivateData": expected}
    assert push.json["type"] == "actionCallback" and push.json["corpId"] == "dingcorp"
    assert (push.json["outTrackId"], push.json["userId"]) == ("case-1", "user001")
    stamp = push.headers["x-ddpaas-signature-timestamp"]
    assert push.headers["x-ddpaas-signature"] == card_sign(stamp, "s")
    assert card_of(world)["selects"][0]["selected"] == "p2"
    item = world.screen("user001")[-1]["id"]
    world.control("user001/tap", {"item": item, "key": "confirm", "selected": {"person": ["p9"]}}, status=409)
    world.control("user001/tap", {"item": item, "key": "gone"}, status=409)


def test_both_callback_shapes(world):
    world.new("POST", BOTH, card_body())
    world.control("faults", {"card_shape": "value", "times": 1})
    tap(world)
    body = world.bot.to(CARDS)[0].json
    assert "type" not in body and "content" not in body
    assert json.loads(body["value"]) == {
        "cardPrivateData": {"actionIds": ["btn"]}, "params": {"action": "confirm", "choice": ""},
    }  # fmt: skip
    world.control("faults", {"card_shape": "both", "times": 1})
    tap(world)
    assert {"content", "value"} <= set(world.bot.to(CARDS)[1].json)


def test_the_answer_changes_the_card_for_all_and_for_the_presser(world):
    world.new("POST", BOTH, card_body(GROUP_SPACE))
    answer = {
        "cardData": {"cardParamMap": {"note": "李强已确认", "buttons": "[]"}},
        "userPrivateData": {"cardParamMap": {"seen_by_me": "1"}},
        "cardUpdateOptions": {"updateCardDataByKey": True, "updatePrivateDataByKey": True},
    }
    world.bot.answer(CARDS, answer)
    tap(world)
    mine, other = card_of(world, "user001"), card_of(world, "user002")
    assert (mine["note"], mine["title"], mine["buttons"]) == ("李强已确认", "隐患 YH-0001", [])
    assert other["note"] == "李强已确认" and (mine["seen_by_me"], other["seen_by_me"]) == ("1", "")
    item = world.screen("user002")[-1]["id"]
    world.control("user002/tap", {"item": item, "key": "confirm"}, status=409)
    assert world.problems() == []


def test_an_answer_without_options_overwrites(world):
    world.new("POST", BOTH, card_body())
    world.bot.answer(CARDS, {"cardData": {"cardParamMap": {"note": "x"}}})
    tap(world)
    assert card_of(world)["title"] == ""


@pytest.mark.parametrize(
    ("answer", "problems"),
    [({"cardData": {"cardParamMap": {"revision": 3}}}, 2), ("oops", 1), ("[]", 1), ({"privateData": {}}, 1)],
)
def test_wrong_answers_are_problems(world, answer, problems):
    world.new("POST", BOTH, card_body())
    world.bot.answer(CARDS, answer)
    tap(world)
    assert len(world.problems()) == problems
    assert card_of(world)["title"] == "隐患 YH-0001"


def test_a_late_or_failed_answer_shows_a_failure_and_changes_nothing(world):
    world.new("POST", BOTH, card_body())

    def slow(seconds):
        def answer(_push):
            world.clock.forward(seconds)
            return 200, json.dumps({"cardData": {"cardParamMap": {"note": "late"}}})

        return answer

    world.bot.answers[CARDS] = slow(2.1)
    tap(world)
    assert world.screen("user001")[-1]["toast"] and card_of(world)["note"] == ""
    world.bot.answers[CARDS] = slow(2.0)
    tap(world)
    assert world.screen("user001")[-1]["toast"] == "" and card_of(world)["note"] == "late"
    world.new("POST", BOTH, card_body(outTrackId="case-2"))
    world.bot.answer(CARDS, "", status=500)
    tap(world)
    assert world.screen("user001")[-1]["toast"]


def test_signature_faults_and_routes_without_a_secret(world):
    world.new("POST", BOTH, card_body())
    world.control("faults", {"bad_signature": True, "times": 1, "path": "card"})
    tap(world)
    push = world.bot.to(CARDS)[0]
    assert push.headers["x-ddpaas-signature"] != card_sign(push.headers["x-ddpaas-signature-timestamp"], "s")
    route = {"callbackRouteKey": "anshao", "callbackUrl": f"http://bot.test{CARDS}"}
    code = world.refused("POST", "/v1.0/card/callbacks/register", route, status=500)
    assert code == "param.callbackRouteKeyExist"
    world.new("POST", "/v1.0/card/callbacks/register", {**route, "forceUpdate": True})
    tap(world)
    assert "x-ddpaas-signature" not in world.bot.to(CARDS)[1].headers


def test_presses_can_come_twice_or_be_lost(world):
    world.new("POST", BOTH, card_body())
    world.control("faults", {"duplicate_callbacks": 3, "times": 1})
    tap(world)
    assert len(world.bot.to(CARDS)) == 3
    world.control("faults", {"drop_callbacks": True, "times": 1})
    tap(world)
    assert len(world.bot.to(CARDS)) == 3


def test_without_callback_type_nothing_is_heard(world):
    world.new("POST", BOTH, card_body(callbackType=None))
    tap(world)
    assert world.bot.to(CARDS) == []


def test_an_unregistered_route_is_a_problem():
    world = World()
    world.new("POST", BOTH, card_body())
    assert world.problems() == ["a card names a callbackRouteKey that was never registered"]


def test_reading_a_card_is_reported_by_its_carrier(world):
    world.control("subscriptions", {"events": ["robot_msg_read"]})
    carrier = world.new("POST", BOTH, card_body())["result"]["deliverResults"][0]["carrierId"]
    world.control("user001/open")
    world.tick()
    assert world.read("calls")["pushes"]["event robot_msg_read"] == 1
    assert world.emulator.robot.sent[carrier].read_at == {"user001": world.clock.now}


def test_a_silently_dropped_card(world):
    world.control("faults", {"silent_drop": True, "times": 1})
    answer = world.new("POST", BOTH, card_body())
    assert answer["result"]["deliverResults"][0]["success"] is True and world.screen("user001") == []


def test_the_old_standard_card_is_closed_to_new_apps(world):
    answer = world.call("POST", "/v1.0/im/v1.0/robot/interactiveCards/send", {"cardTemplateId": "StandardCard"})
    assert answer.status_code == 403 and answer.json()["accessdenieddetail"]["requiredScopes"]
