"""docs/permit-measures.md from handlers/permit/measures.toml: `python -m tools.measure_docs`."""

from __future__ import annotations

from pathlib import Path

from handlers.permit.measures import FINISH, STEPS, Measure, all_measures
from rules.permit import LEVEL_ZH, Work
from rules.permit.facts import fact_dictionary

PROOF = {"tick": "逐条点选", "check_in": "打卡", "photo": "照片、时间", "list": "清单、照片"}
PAGE = Path(__file__).resolve().parents[1] / "docs" / "permit-measures.md"
HEAD = """# 安全措施和微动作

本页由 `handlers/permit/measures.toml` 生成(`python -m tools.measure_docs`),不要手改。

- 批准后由票上的人逐条确认,留姓名、时间;有凭证要求的,没有凭证不能过。印在作业票 PDF 和接口的 `approvals` 里(`micro`、`clause`、
  `evidence`、`said`、`photo_url`)。
- 「表」是 GB 30871-2022 附录 A 该票的行号,文字是我们自己的说法;「+」是表外的。
- 「何时不问」:申请时已答没有的不再问,作业票上印「不涉及 按申请填报」。
- 微动作里不属于作业票的,在聊天里说“投料”“卸车”“置换”时问(`handlers/moments.py`):MA-20 介质和批号,两人先后签;MA-21 接地夹照片,
  静置15分钟;MA-22 氧含量和本厂设定值。都是企业做法,本系统不知道投料、卸车、开车何时开始,要人说;记在该区域的留痕里,发“微动作”看最近一天;
  安全员、分管领导、管理员在 `/h5/micro-actions` 看全部(照片、第二人、CSV 表),接口是 `/api/v1/micro-actions`。

其他时刻的微动作:
"""


def page() -> str:
    lines = [HEAD, "| 微动作 | 什么时候 | 凭证 | 条款 |", "|---|---|---|---|"]
    moments = {
        "handover": "监护交接,接班人逐条知晓",
        "check_in": "监护打卡,每30分钟提醒一次",
        "start": "开工:监护人和作业点合照",
    }
    lines += [f"| {m.micro} | {moments[step]} | {PROOF[m.evidence]} | {m.clause} |" for step, m in STEPS.items()]
    lines += [f"| {m.micro} | {Work(work).zh}收工 | {PROOF[m.evidence]} | {m.clause} |" for work, m in FINISH.items()]
    lines.append("| MA-25 | 中断超过30/60分钟后恢复:重新分析报数才能恢复 | 报数 | 5.3.1 d、6.3 f |")
    for work in Work:
        lines += [
            "",
            f"## {work.zh}",
            "",
            "| 表 | 措施 | 凭证 | 微动作 | 条款 | 何时不问 |",
            "|---|---|---|---|---|---|",
        ]
        rows = [m for m in all_measures().values() if "any" in m.work or work.value in m.work]
        rows.sort(key=lambda m: int(m.std.get(work.value, "99").partition("、")[0]))
        lines += [_row(m, work.value) for m in rows]
    return "\n".join(lines) + "\n"


def _row(measure: Measure, work: str) -> str:
    when = []
    if measure.level:
        when.append("只问" + "、".join(LEVEL_ZH.get(level, level) for level in measure.level))
    when += [f"{fact_dictionary()[fact].zh}:否" for fact in measure.only_if]
    if measure.words:
        when.append("作业内容、介质里没有 " + measure.words.replace("|", " "))
    if measure.na:
        when.append("可答不涉及")
    cells = (measure.std.get(work, "+"), measure.text, measure.evidence.zh, measure.micro or "–", measure.clause)
    return "| " + " | ".join((*cells, ";".join(when) or "–")) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
