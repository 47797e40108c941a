"""Facts in, verdict out: pure, no clock, no database (GB 30871-2022; special-work-rules §12, §13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from rules.permit.context import Context, Verdicts
from rules.permit.due import due_next
from rules.permit.facts import fact_dictionary
from rules.permit.fix import FixOptions, smallest_fix
from rules.permit.judge import outcome, overall
from rules.permit.levels import LevelProposal, height_level, hot_work_level, lifting_proposal
from rules.permit.logic import Unknown
from rules.permit.model import LEVELS, SEVERITY, Due, FixSet, Result, Rule, RuleResult, Stage, Verdict, plain
from rules.permit.remembered import frozen, remembered
from rules.permit.table import RuleTable, normal_level


def evaluate(
    table: RuleTable,
    *,
    work: str,
    level: Any,
    at: datetime,
    facts: Mapping[str, Any],
    stage: Stage | None = None,
    options: FixOptions | None = None,
    with_fix: bool = True,
) -> Verdict:
    """Judge a permit. The same table, work, level, time and facts always give the same verdict.

    `at` is the planned start or the present, with time zone. `stage` limits the rules to those asked at that moment;
    None asks all. Unknown, missing or unusable facts make a rule pending, never a pass.
    Raises UnknownWork for a work or level that does not exist, ValueError for a time without zone.
    """
    level = normal_level(work, level)
    if at.tzinfo is None:
        raise ValueError("the time of a judgement needs a time zone")
    facts = plain(facts)
    context = Verdicts(table, facts, work=work, level=level, at=at, stage=stage)
    rows = _rows(context, facts)
    result = overall([row.result for row in rows])
    if result is not Result.PASS:
        rows.sort(key=lambda row: SEVERITY[row.result])
    fixes: Sequence[FixSet] = ()
    if with_fix and not result.allows_work:
        fixes = smallest_fix(table, work=work, level=level, at=at, facts=facts, stage=stage, options=options)
    pending = [] if result.allows_work else [row for row in rows if row.result is Result.PENDING]
    missing = dict.fromkeys(name for row in pending for name in row.missing)
    return Verdict(
        result=result,
        work=work,
        level=level,
        at=at,
        stage=stage,
        basis=table.basis(work),
        rules=tuple(rows),
        missing=tuple(missing),
        fix=tuple(fixes),
        due_next=_due(context, rows),
        table_version=table.version,
    )


def _due(context: Context, rows: Sequence[RuleResult]) -> tuple[Due, ...]:
    """What falls due next. Of a request, not what is in the way already: «12:08前动火» says nothing of work tomorrow."""
    if context.stage is not Stage.REQUEST:
        return due_next(context)
    failing = {row.id for row in rows if row.result is Result.FAIL}
    return tuple(due for due in due_next(context) if due.rule not in failing)


def replay(
    table: RuleTable, stored: Verdict, facts: Mapping[str, Any], *, options: FixOptions | None = None
) -> Verdict:
    """Judge stored facts again. Raises ValueError when the table is not the one the verdict was made with."""
    if stored.table_version != table.version:
        raise ValueError(f"verdict of table {stored.table_version}, not {table.version}")
    again = evaluate(
        table,
        work=stored.work,
        level=stored.level,
        at=stored.at,
        facts=facts,
        stage=stored.stage,
        options=options,
        with_fix=bool(stored.fix),
    )
    return again if stored.fix else replace(again, fix=())


def propose_level(table: RuleTable, *, work: str, at: datetime, facts: Mapping[str, Any]) -> LevelProposal:
    """The level this job needs, with the reason; see `LevelProposal`. Raises UnknownWork.

    Unknown facts give the highest level still possible and are named in `missing`.
    """
    normal_level(work, None)
    context = Context(table, plain(facts), work=work, level=None, at=at, stage=None)
    if work == "hot_work":
        limit = table.param("HW-C12.ban_force")
        return hot_work_level(context, upgrade_manner=table.settings.upgrade_manner, wind_force_limit=limit)
    if work == "work_at_height":
        return height_level(context)
    if work == "lifting":
        return lifting_proposal(context)
    return LevelProposal("none", "none", False, False, "附录B表B.1", "这种作业不分级")


def _rows(context: Verdicts, facts: Mapping[str, Any]) -> list[RuleResult]:
    """Every rule's row: as it came out for the same facts before, unless it rests on the time."""
    table, sent = context.table, frozen(facts)
    traced: Context | None = None
    rows = []
    for one in remembered(table, context.work, context.level, context.stage):
        row = _judged(one.rule, context) if one.anew else one.row(sent)
        if row is None:
            traced = traced or Context(
                table, facts, work=context.work, level=context.level, at=context.at, stage=context.stage
            )
            row = one.judge(traced, sent, _judged)
        rows.append(row)
    return rows


def _judged(rule: Rule, context: Context) -> RuleResult:
    look, level = context.look, context.level
    result, missing = outcome(rule, rule.when.run(look), level)
    shown = {}
    for name in rule.facts:
        value = look(name)
        kind = type(value)
        shown[name] = None if kind is Unknown else value if kind is str else plain(value)
    if "level" in shown:
        shown["level"] = level
    limit, message, remedy = rule.settled
    if result is Result.PENDING:
        message = _pending(missing, context)
    return RuleResult(
        rule.id,
        result,
        shown,
        limit if limit is not None else _fill(rule.limit, rule, context),
        rule.said_clause,
        message if message is not None else _fill(rule.message, rule, context),
        rule.src,
        rule.mark,
        remedy if remedy is not None else _fill(rule.remedy, rule, context),
        missing,
    )


def _pending(missing: Sequence[str], context: Context) -> str:
    for name in missing:
        context(name)  # what is wrong with it is known when it was looked at
    problems = [context.problems[name] for name in missing if name in context.problems]
    asked = [_label(name, context.work) for name in missing if name not in context.problems]
    if asked:
        problems.append("待补充:" + "、".join(dict.fromkeys(asked)))
    return ";".join(problems)


def _label(name: str, work: str) -> str:
    if name == "level" and LEVELS.get(work):
        return "作业级别"
    fact = fact_dictionary().get(name)
    return fact.zh if fact else name


def _fill(text: str, rule: Rule, context: Context) -> str:
    return text.format_map(_words(rule, context))


class _words(dict):
    """Words for the texts of a rule: its limits, else a computed value, else a dash."""

    def __init__(self, rule: Rule, context: Context):
        super().__init__(rule.words)
        self.context = context

    def __missing__(self, name: str) -> str:
        value = self.context.known(name)
        return "—" if value is None else f"{value:g}" if isinstance(value, (int, float)) else str(value)
