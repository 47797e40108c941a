"""The one error a rule raises: who reads it is the person in chat."""

from __future__ import annotations

from collections.abc import Mapping


class RuleBroken(Exception):
    """A step that a rule does not allow.

    rule        short id of the rule, for the log and the trail ("state", "who", "FC-06" …)
    message_zh  one Chinese sentence with the next step, shown to the person as it stands
    facts       what the decision rested on (plain values, no names or phone numbers)
    source      the standard and clause, or "enterprise" for a rule of the plant
    """

    def __init__(
        self, rule: str, message_zh: str, *, facts: Mapping[str, object] | None = None, source: str = "enterprise"
    ) -> None:
        super().__init__(f"{rule}: {message_zh}")
        self.rule = rule
        self.message_zh = message_zh
        self.facts = dict(facts or {})
        self.source = source
