"""Kinds of findings: what each one means to a person, who is told, and after how long it counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    NO_OWNER = "hazard.no_owner"
    OWNER_LEFT = "hazard.owner_left"
    NO_DUE = "hazard.no_due"
    NO_STEP = "hazard.no_step"
    LADDER_ENDED = "hazard.ladder_ended"
    REACHED_NOBODY = "hazard.reached_nobody"
    PICTURE_STUCK = "hazard.picture_stuck"
    STOP_UNHEARD = "permit.stop_unheard"
    STEP_LATE = "step.late"
    CALL_NO_STEP = "roll_call.no_step"
    CALL_UNHEARD = "roll_call.unheard"
    INBOX_LATE = "inbox.late"
    INBOX_HELD = "inbox.held"
    INBOX_FAILED = "inbox.failed"
    INBOX_FAR = "inbox.far"
    SEND_LATE = "delivery.late"
    SEND_HELD = "delivery.held"
    SEND_UNKNOWN = "delivery.unknown"
    SEND_FAR = "delivery.far"
    SEND_REFUSED = "delivery.refused"
    SEND_EXPIRED = "delivery.expired"
    CARD_STALE = "card.stale"
    CARD_HELD = "card.held"
    CARD_DEAD = "card.dead"
    SLOW_LATE = "slow.late"
    SLOW_FAILING = "slow.failing"
    TRAIL_BROKEN = "trail.broken"
    TRAIL_SHORT = "trail.short"


WORDS_ZH = {
    Kind.NO_OWNER: "没有责任人,也没有通知到安全员:请在卡片上指派",
    Kind.OWNER_LEFT: "责任人已离职或停用:请转派给别人",
    Kind.NO_DUE: "没有整改期限:请转派或重新定级,期限会重新计算",
    Kind.NO_STEP: "没有下一步提醒,已补上",
    Kind.LADDER_ENDED: "提醒已全部发完仍未闭环,已安排再次提醒",
    Kind.REACHED_NOBODY: "没有一条通知送到责任人:请直接打电话,并检查人员账号",
    Kind.PICTURE_STUCK: "整改已提交,前后对比图没有做成,验收人还没收到:请看媒体进程是否在运行",
    Kind.STOP_UNHEARD: "已叫停,但没有一条停工通知送到这个人,本人也没确认:请马上打电话或到现场叫停",
    Kind.STEP_LATE: "提醒到时没有发出:请看 scheduler 进程是否在运行",
    Kind.CALL_NO_STEP: "还有人没有确认,却没有下一步催办,已补上:请看点名名单",
    Kind.CALL_UNHEARD: "点名通知没有一条能送到这些人,也没人确认他们安全:请马上打电话或派人去找,名单见点名页",
    Kind.INBOX_LATE: "收到的消息没有处理:请看 chat 和 media 进程是否在运行",
    Kind.INBOX_HELD: "收到的消息被停掉的进程占着,已放回",
    Kind.INBOX_FAILED: "收到的消息几次都没处理成功:请看日志,并直接联系发消息的人",
    Kind.INBOX_FAR: "收到的消息被推迟太久(时钟跳变?),已提前",
    Kind.SEND_LATE: "待发的消息没有人发:请看 delivery 进程是否在运行",
    Kind.SEND_HELD: "待发的消息被停掉的进程占着,已放回",
    Kind.SEND_UNKNOWN: "有消息不知道是否送达,还没有核对:请看 scheduler 进程是否在运行",
    Kind.SEND_FAR: "紧急消息被推迟太久(时钟跳变?),已提前",
    Kind.SEND_REFUSED: "通知发不出去,也没有别的渠道:请检查这个人的账号和手机号,并直接告诉本人",
    Kind.SEND_EXPIRED: "通知到过期也没有发过:请检查发送进程和额度,并直接告诉本人",
    Kind.CARD_STALE: "卡片显示的还是旧状态:请看 delivery 进程和平台额度",
    Kind.CARD_HELD: "卡片更新被停掉的进程占着,已放回",
    Kind.CARD_DEAD: "没有一张还能点的卡片:请发编号重新取卡片",
    Kind.SLOW_LATE: "后台任务到时没有人做:请看 slow 进程是否在运行",
    Kind.SLOW_FAILING: "后台任务连续几次没做成,还会再试:请看 slow 进程的日志",
    Kind.TRAIL_BROKEN: "留痕被改动或缺行:请保留现场,运行 flask audit verify,联系安全负责人",
    Kind.TRAIL_SHORT: "留痕的行数变少了:请保留现场,与备份核对,联系安全负责人",
}

# people who must act on the case, not only the admins
FOR_SAFETY = frozenset(
    {
        Kind.STOP_UNHEARD,
        Kind.CALL_NO_STEP,
        Kind.CALL_UNHEARD,
        Kind.NO_OWNER,
        Kind.OWNER_LEFT,
        Kind.NO_DUE,
        Kind.REACHED_NOBODY,
        Kind.SEND_EXPIRED,
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` reads hazard:12 or inbox:7; `facts` hold ids, codes and times only, never names, texts or numbers."""

    kind: Kind
    subject: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def row_id(self) -> int:
        return int(self.subject.rpartition(":")[2])


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the engine may take before it counts as lost. All shorter than 60 s less the auditor's period where
    somebody is waiting for a hazard."""

    settle: timedelta = timedelta(seconds=25)  # a filed hazard has its notices in the same transaction
    step: timedelta = timedelta(seconds=30)  # past its time and not taken
    urgent: timedelta = timedelta(seconds=30)  # an urgent message nobody tried
    normal: timedelta = timedelta(seconds=120)
    lease: timedelta = timedelta(seconds=20)  # past the end of a lease that the scheduler takes back every 5 s
    chat: timedelta = timedelta(seconds=30)  # a message that could be handled and was not
    fetch: timedelta = timedelta(seconds=180)  # its pictures
    picture: timedelta = timedelta(seconds=180)
    card: timedelta = timedelta(seconds=60)
    slow: timedelta = timedelta(minutes=15)  # nobody waits for it; behind one that hangs it may wait for minutes
    far: timedelta = timedelta(minutes=15)  # no back-off of an urgent message is longer
    far_lease: timedelta = timedelta(minutes=10)  # no lease is longer
    look_back: timedelta = timedelta(days=7)
