"""docs/permits.md, written from the rule table: ``python -m rules.permit.docs`` rewrites it, a test keeps it current."""

from __future__ import annotations

from pathlib import Path

from rules.permit.approval import approval, max_validity
from rules.permit.facts import fact_dictionary
from rules.permit.life import TRANSITIONS, PermitState
from rules.permit.model import LEVEL_ZH, LEVELS, Rule, Stage, Work
from rules.permit.table import BOUNDS, RuleTable, load

TARGET = Path(__file__).parents[2] / "docs" / "permits.md"
_STAGE_ZH = {"request": "申请", "start": "开始", "run": "作业中", "close": "收工"}
_SRC_ZH = {"std": "标准", "ent": "企业"}

HEAD = """# 作业票规则

本页由规则表 `rules/permit/{id}.toml` 生成(`python -m rules.permit.docs`),不要手改。

- 依据:{standard}《{title}》,{effective} 起施行,规则表版本 {version}。
- 来源:「标准」是标准条文,企业只能从严;「企业」是企业附加规则,可调整或停用。
- 核对:H 已核对条文;M 二手资料或通行理解;L 待企业安全部门确认。
- 结论:成立时不通过或有条件;用到的事实缺失、看不懂、不合理或来自未来时一律「待补充」,不会通过。
- 判定是辅助:法定审批人须在作业现场审批(4.11 a)。
- 一张票怎样走完、事实从哪里来:[permit-life.md](permit-life.md)。
"""


def render(table: RuleTable) -> str:
    """The whole page as Markdown."""
    parts = [
        HEAD.format(
            id=table.id,
            standard=table.standard,
            title=table.title,
            effective=table.effective,
            version=table.edition_version,
        ),
        _approvals(table),
        _states(),
    ]
    for work in ("any", *(work.value for work in Work)):
        rows = [rule for rule in table.rules if rule.work == work]
        title = "通用" if work == "any" else Work(work).zh
        parts.append(f"## {title}({len(rows)} 条)\n\n" + _rules(rows))
    parts.append("## 待确认的问题\n\n" + _questions(table))
    parts += [_settings(table), _facts()]
    return "\n".join(parts)


def _approvals(table: RuleTable) -> str:
    lines = [
        "## 审批和有效期\n",
        "| 作业 | 级别 | 至少由谁审批 | 会签 | 最长有效期 | 条款 |",
        "|---|---|---|---|---|---|",
    ]
    for work in Work:
        for level in LEVELS.get(work.value, ("none",)):
            who = approval(table, work=work.value, level=level)
            span = max_validity(table, work=work.value, level=level)
            hours = span.usual.total_seconds() / 3600
            text = f"{hours:g} 小时" if hours < 96 else f"{hours / 24:g} 天"
            if span.longest > span.usual:
                text += f",最长 {span.longest.days} 天"
            clause = f"{who.clause};{span.clause}"
            signs = "、".join(who.countersigns) or "–"
            lines.append(f"| {work.zh} | {LEVEL_ZH[level]} | {who.role_zh} | {signs} | {text} | {clause} |")
    return "\n".join(lines) + "\n"


def _states() -> str:
    lines = ["## 作业票的状态\n", "| 状态 | 操作 → 下一状态 |", "|---|---|"]
    for state in PermitState:
        steps = [f"{step.zh} → {after.zh}" for (now, step), (after, _) in TRANSITIONS.items() if now is state]
        lines.append(f"| {state.zh} `{state.value}` | {';'.join(steps) or '结束'} |")
    return "\n".join(lines) + "\n\n作业票不能延长:到期后须重新办票(4.16)。\n"


def _rules(rules: list[Rule]) -> str:
    lines = [
        "| 规则 | 级别 | 时机 | 成立时 | 提示 | 合格要求 | 怎么办 | 条款 | 来源 | 核对 | 待确认 |",
        "|" + "---|" * 11,
    ]
    for rule in rules:
        words = {**rule.words, "limit_vol": "限值", "needed_level": "按高度和因素定的级别"}
        cells = [
            rule.id,
            "、".join(LEVEL_ZH[level] for level in rule.levels) if rule.levels else "全部",
            "、".join(_STAGE_ZH[stage.value] for stage in Stage if stage in rule.stages),
            rule.result.zh,
            rule.message.format(**words),
            rule.limit.format(**words),
            rule.remedy.format(**words),
            rule.clause,
            _SRC_ZH[rule.src],
            rule.mark,
            rule.open or "–",
        ]
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _questions(table: RuleTable) -> str:
    return "".join(f"- {rule.id}({rule.clause}):{rule.open}\n" for rule in table.rules if rule.open)


SETTING_ZH = {
    "timezone": "企业所在时区",
    "scope": "chemical 写「依据」;general(工贸等)写「参照」",
    "night_start": "夜间开始(标准未定义;夜间须包含 22:00–05:00)",
    "night_end": "夜间结束(标准未定义)",
    "upgrade_manner": "节假日、公休日、夜间怎样升级:level 提高一级,approver 级别不变由上一级审批",
    "guardian_cert_valid_months": "监护人证书有效月数,0 表示以证书上的日期为准",
    "clock_skew_minutes": "网关与服务器时钟允许相差(分钟)",
    "toxic_basis": "有毒气体瞬时读数与哪个限值比:twa 时间加权(较严)、stel 短时间",
    "trend_window_minutes": "探测器趋势回看(分钟)",
    "trend_gap_minutes": "趋势中超过多少分钟没有读数即不可信",
    "trend_stuck_minutes": "趋势中读数多少分钟不变即不可信",
    "trend_radius_m": "趋势看多远以内的探测器(米);超限报警总看 30 米以内的,不随它变小",
    "ticket_keep_days": "作业票保存(天),不得少于 365",
    "video_keep_days": "作业影像保存(天),不得少于 30",
    "fire_watch_minutes": "动火收工后监火(分钟),0 表示不监火;期满由监护人再拍一张才能验收",
    "hours_blind_plate": "盲板抽堵有效期(小时,标准未规定)",
    "hours_lifting": "吊装有效期(小时,标准未规定)",
    "hours_digging": "动土有效期(小时,标准未规定)",
    "hours_road_closing": "断路有效期(小时,标准未规定)",
}


def _allowed(name: str) -> str:
    least, most = BOUNDS.get(name, (0, 0))
    return f"{least:g}–{most:g}" if most else "–"


def _settings(table: RuleTable) -> str:
    lines = [
        "## 企业设置\n",
        "在策略文件(`flask policy set FILE`)的 `permit` 里填:`settings` 改下表,`rules` 从严改限值,`add` 加企业规则,",
        '`posts` 把表B.1 的审批角色对应到本厂岗位,也可以按会签单位另定(如 `"消防": "executive"`)。放宽标准、降低审批层级的文件不会生效。例:\n',
        "```json",
        '{"permit": {"settings": {"fire_watch_minutes": 30}, "rules": {"HW-A03": {"max_vol": 0.4}}}}',
        "```\n",
        "| 设置 | 默认 | 可填 | 含义 |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{name}` | {getattr(table.settings, name)} | {_allowed(name)} | {zh} |" for name, zh in SETTING_ZH.items()
    ]
    return "\n".join(lines) + "\n"


_TYPE_ZH = {
    "bool": "是否",
    "number": "数值",
    "int": "个数",
    "distance": '距离(周围没有填 "none")',
    "time": "时刻(带时区)",
    "date": "日期",
    "expiry": "日期或时刻",
    "text": "文字",
    "choice": "选一个",
    "list": "清单",
    "records": "记录清单",
    "quantity": "数值和单位",
}


def _facts() -> str:
    """The names that `POST /api/v1/permits/evaluate` takes."""
    lines = [
        "## 事实\n",
        "`POST /api/v1/permits/evaluate` 的 `facts` 用这些名称;没有填的按待补充处理。\n",
        "| 事实 | 含义 | 类型 | 单位或可选值 |",
        "|---|---|---|---|",
    ]
    for fact in fact_dictionary().values():
        kind = _TYPE_ZH[fact.type] + (",可填 null" if fact.nullable else "")
        lines.append(f"| `{fact.name}` | {fact.zh} | {kind} | {'、'.join(fact.values) or fact.unit or '–'} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    TARGET.write_text(render(load()), encoding="utf-8")


if __name__ == "__main__":
    main()
