"""What is said around the work: thanks, who are you, whom to call, where to look, how to take something back."""

from __future__ import annotations

from bot.flow import Flow, like, said
from bot.turn import Turn
from cards import hazard as hazard_cards
from cards.card import Card
from handlers import duty, help, query, todo
from rules.terms import OPEN_STATES, HazardState, Role

# \A and not ^: these are no commands, for in the middle of a dialogue «好的», «没事» are answers
_END = r"[。.!！~?？]*$"
THANKS = rf"\A(?:好的|好|嗯)?[,,]?(?:谢谢|多谢|感谢|谢了|辛苦|麻烦)(?:你|您|啦|了|哈|大家|安哨|师傅)*{_END}"
POLITE = rf"\A(?:好的?|好嘞|行|可以|嗯+|哦+|噢|收到|明白|明白了|了解|知道了|没事|没事了|没什么|ok|OK|Ok|哈哈+|再见|拜拜|早|早上好|晚安|👌|👍)(?:[,,]?(?:谢谢|收到|知道了|明白))?(?:了|哈|啦|的|您|你)*{_END}"
WHO = rf"\A(?:你|您|安哨)(?:是谁|叫什么|叫啥|是什么|是干什么的|是干啥的|是机器人|是真人|能干什么|能干啥|有什么用|会干什么)(?:吗|啊|呢|名字)*{_END}|\A(?:在不在|有人吗|在么|在吗|介绍一下|自我介绍|怎么用你|怎么操作|不会用|教教我)(?:啊|呢)?{_END}"
CALL = (
    r"\A(?:转|找|要|联系|叫|接)?(?:一下)?(?:人工|客服|管理员|安全员|安全科|安环部?|安全部门?)(?:的|在|是)*(?:电话|号码|手机|联系方式|哪里|哪|谁)?(?:是|多少|几号|呢|啊)*[?？]?$"
    r"|\A(?:我要|我想|要)?(?:投诉|反映问题|提意见|提建议|意见反馈|反馈)(?:一下)?[。!！]?$"
    r"|\A(?:我)?(?:换|改|变)(?:了)?(?:手机号?|号码|电话|部门|班组|岗位|名字)(?:码|了)*[。!！]?$|\A(?:我的)?(?:密码|账号|帐号)(?:忘了|登不上|登录不了|进不去|是多少|怎么改)[?？。]?$"
)
EMERGENCY = rf"\A(?:厂里|本厂|公司)?(?:的)?(?:应急|急救|火警|报警|救援|抢险)(?:值班)?电话(?:是|多少|号码)*{_END}|\A(?:紧急)?(?:集合点|逃生路线|疏散路线|撤离路线)(?:在哪里?|是哪|怎么走)*{_END}|\A(?:怎么|往哪|如何)(?:撤离|疏散|逃生|跑){_END}"
BOARD = rf"\A(?:看|打开|发我|给我|要看)?(?:一下)?(?:作业)?(?:看板|公示牌|公示|大屏)(?:在哪里?|在哪看|怎么看|链接|地址|发我|呢)*{_END}"
TAKE_BACK = (
    r"\A(?:我)?(?:要|想)?(?:撤回|撤销|收回|更正|修改|删除|删掉)(?:一下)?(?:刚才|上报|隐患|这条|那条|描述|位置|的|报)*[。!！]?$"
    r"|\A(?:照片|图片|位置|描述|地方|区域|地点)(?:发|报|写|说|填|选)?错了?[。!！]?$|\A(?:我)?(?:发|报|写|说|填)错了[。!！]?$|\A改(?:一下)?(?:位置|描述|照片|地点|区域)[。!！]?$"
)
DONE = rf"\A(?:我|我们)?(?:这边|已经|都|已)*(?:整改|处理|弄|修|搞|改)(?:完成?|好|妥)(?:了|啦)?{_END}"
OFF = rf"\A(?:我|我们)?(?:要|已经|先|准备)?(?:下班|交班)(?:了|啦|喽)+{_END}|\A(?:我|我们)先?走(?:了|啦)+{_END}"


def thanks(turn: Turn) -> None:
    turn.say("不客气,注意安全。")


def polite(turn: Turn) -> None:
    turn.say("好的。")


def introduced(turn: Turn) -> None:
    turn.say(help.HELP)


def call(turn: Turn) -> None:
    """Who of the plant helps with what the bot does not do: its safety officers, whoever stands in for one away."""
    officers = duty.present(turn.work, turn.work.people.with_role(Role.SAFETY_OFFICER))
    lines = [f"· 安全员 {person.name}{f' {person.mobile}' if person.mobile else ''}" for person in officers[:5]]
    turn.say("这件事请找:\n" + "\n".join(lines) if lines else "这件事请找本厂安全员或系统管理员。")


def emergency(turn: Turn) -> None:
    """Numbers and the way out; who is in danger says so and is heard before all else."""
    turn.say(
        "火警119,急救120。有险情直接跟我说(如“3号泵房着火了”),我马上提醒撤离、通知领导。\n"
        "往上风向撤,到现场标着的紧急集合点,听点名。"
    )
    call(turn)


def board(turn: Turn) -> None:
    """The sign board of the work that goes on, on the plan of the plant."""
    card = Card(
        title="作业公示牌",
        colour="blue",
        body="全厂正在进行的特殊作业,画在厂区图上。",
        note="点卡片打开;列表发“今天的作业票”。",
        page="/h5/board",
    )
    turn.show(card, key=f"board:{turn.inbox_id}")


def take_back(turn: Turn) -> None:
    """Without saying which: the newest of mine that is open, with its buttons; what else I reported by its number."""
    mine = [
        hazard
        for hazard in turn.work.hazards.reported_by(turn.person.id)
        if hazard.reporter_id == turn.person.id and HazardState(hazard.state) in OPEN_STATES
    ]
    if not mine or turn.in_group:
        query.mine(turn)
        turn.say("要撤回、更正或补照片,点那条“已上报”卡片上的按钮。作业票的申请发“作业票”,点“撤回”。")
        return
    newest = mine[0]
    turn.show(
        hazard_cards.reporter_card(newest),
        key=hazard_cards.reporter_key(newest.id),
        case=("hazard", newest.id),
        purpose="hazard.asked",
        again=True,
    )
    turn.say("要改的是这条就点卡片上的按钮;别的发“我的隐患”找编号。作业票的申请发“作业票”,点“撤回”。")


def done(turn: Turn) -> None:
    """«整改完了» without saying which: the card of the only one that is mine to do, or all of them."""
    owned = turn.work.hazards.owned_by(turn.person.id, limit=2)
    if len(owned) == 1 and not turn.in_group:
        query.show_duty(turn, owned[0])
        return
    todo.todo(turn)


def off(turn: Turn) -> None:
    """Whoever guards work cannot just leave; everybody else may."""
    guarded = turn.work.permits.guarded_by(turn.person.id)
    if guarded:
        turn.say(f"您还在监护{guarded}项作业,走之前先办“监护交接”:发“作业票”,点那张票。")
        return
    turn.say("辛苦了。手上的隐患发“待办”看;要请假说“请假3天 李强代班”。")


flow = Flow(
    name="small_talk",
    starts=[
        like(THANKS, thanks),
        like(POLITE, polite),
        like(WHO, introduced),
        like(CALL, call),
        like(EMERGENCY, emergency),
        like(BOARD, board),
        like(TAKE_BACK, take_back),
        like(DONE, done),
        like(OFF, off),
        said(("手册", "说明书", "新手", "教程"), introduced),
    ],
)
