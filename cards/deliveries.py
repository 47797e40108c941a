"""Words about messages on their way: why one waits, what it is, and the card that tells admins what failed."""

from __future__ import annotations

from datetime import datetime

from cards.card import Button, Card, Fact
from cards.words import local

PLATFORM_ZH = {"wecom": "企业微信", "dingtalk": "钉钉", "sms": "短信"}
WHAT_ZH = {
    "text": "文字", "image": "图片", "file": "文件", "card": "卡片", "notice": "通知", "todo": "待办",
    "todo_done": "勾掉待办", "sms": "短信",
}  # fmt: skip
STATE_ZH = {
    "due": "等待发送", "claimed": "正在发送", "confirmed": "已送达平台", "unknown": "结果不明,核对中",
    "refused": "发送失败", "expired": "已取消",
}  # fmt: skip
PURPOSE_ZH = {
    "reply": "回答", "hazard.dispatch": "派单", "hazard.transfer": "转派", "hazard.confirm": "催确认",
    "hazard.stale": "催开始", "hazard.rectify": "整改期限", "hazard.accept": "催验收", "hazard.closed": "闭环告知",
    "hazard.extension": "延期", "hazard.hole": "阶梯空档", "hazard.asked": "查询", "card.again": "卡片重发",
    "hazard.away": "请假转交", "roll_call.gas_alarm": "气体报警点名", "roll_call.evacuation": "撤离点名",
    "roll_call.permit_recall": "叫停点名", "roll_call.list": "点名名单", "roll_call.step": "催人找人",
    "roll_call.help": "有人需要救援", "roll_call.all": "全员已确认", "roll_call.over": "点名解除", "roll_call.hole": "点名空档",
    "permit.suspended": "叫停", "permit.submitted": "待审批", "permit.approved": "批准", "permit.expired": "到期",
    "permit.due": "到时提醒", "permit.checkin": "催打卡", "permit.relief": "监护交接", "permit.hole": "没人可签",
    "permit.above": "上方作业", "permit.unjudged": "无法判定", "permit.unstopped": "没能自动叫停",
    "todo.done": "勾掉待办", "delivery.failed": "投递失败告知", "budget": "额度提醒", "audit.alarm": "巡检告警",
}  # fmt: skip
LIMITS_ZH = {
    "member_minute": "同一人每分钟30条,已到上限",
    "member_hour": "同一人每小时1000条,已到上限",
    "robot_minute": "群机器人每分钟20条,已到上限",
    "robot_blocked": "群机器人发太快,被平台停10分钟",
    "interface_second": "同一接口每秒20次,已到上限",
    "calls_month": "本月接口调用额度快用完,留给一级、二级",
    "messages_month": "本月机器人消息额度快用完,留给一级、二级",
    "people_day": "今天的应用消息额度快用完,留给一级、二级",
    "flow_controlled": "平台限制给这个人发得太快",
}
WAITS_ZH = {
    "": "等着发送",
    "retry": "平台出错,稍后重试",
    "unknown": "结果不明,核对后重发",
    "reconcile": "结果不明,核对后重发",
    "config": "平台设置有问题,要管理员处理",
    "frugal": "节约模式:并入下一次汇总",
}


def waits_zh(reason: str) -> str:
    """Why a message waits, in words. `reason` is Delivery.wait_reason."""
    kind, _, name = reason.partition(":")
    if kind == "throttled":
        return LIMITS_ZH.get(name, f"平台限流({name}),稍后重试")
    if kind == "quota":
        return LIMITS_ZH.get(name, f"平台额度用完({name})")
    return WAITS_ZH.get(kind, f"等待({reason})")


def failed_card(
    *, platform: str, error: str, how_many: int, latest: datetime, for_good: bool, remedy: str,
    number: str, last: str = "", button: str = "",
) -> Card:  # fmt: skip
    """What cannot be delivered, for the admins: one card a day for each cause, not one a message."""
    facts = [
        Fact("条数", f"{how_many}条起" if how_many > 1 else "1条"),
        Fact("原因", error[:60]),
        Fact("最近", local(latest)),
    ]
    if number:
        facts.append(Fact("例如", number))
    what = "有消息送不到" if for_good else "有消息发不出去"
    now = "已改走下一种渠道(文字、另一平台、短信)。" if for_good else "还在重试;一级、二级隐患同时改走其他渠道。"
    return Card(
        title=f"{what} · {PLATFORM_ZH.get(platform, platform)}",
        colour="grey" if last else "orange",
        facts=tuple(facts),
        body=f"怎么办:{remedy or '打开“额度和投递”页面看是哪几条;必要时打电话通知本人。'}\n{now}",
        note=last,
        page="/h5/budgets",
        buttons=(Button("知道了", button, "primary"),) if button and not last else (),
        state="failed",
    )
