"""How well one card answers one question, why, and whether that is enough to show it."""

from __future__ import annotations

from dataclasses import dataclass

from search.model import Confidence
from search.question import ROTATING, Question
from search.vocabulary import SLOT_LABELS, SLOTS, vocabulary

# All numbers below were set on the development set only (docs/knowledge-search.md).
WORDS_WORTH = 1.2
OTHER_MACHINE = 2.2
ANY_MACHINE_ROTATING, ANY_MACHINE_OTHER = 0.5, 0.15
MISSING_NEED = 0.8
PRIOR_WORTH = 0.4
VECTOR_WORTH = 1.0
FITS = 0.7
LIKELY, POSSIBLE = 0.62, 0.4
# Share of the wording above which words alone speak for a card.
MERE_WORDS = 0.4
# A machine named beside something that is no symptom (皮带机通道太窄) is no question for a card, unless its wording is there.
SOME_SYMPTOM, SAID_SO = 0.3, 0.6
# Characters from which a message is a story, in which a dormitory or a telephone may be mentioned by the way.
STORY = 60
BY_WORDS = "字面相近"


@dataclass(frozen=True, slots=True)
class Score:
    """total ranks; share (0..1) is the part of what was said that the card explains; fit is held against FITS.

    symptom, place, lexical: 0..1, how well sound or sign, machine or part, and the wording agree; a question without
    a single known idea has only its wording, which then stands for all three.
    """

    total: float
    share: float
    fit: float
    symptom: float
    place: float
    lexical: float
    why: str

    def worth_showing(self) -> bool:
        """Whether the card shares anything with the question besides stray characters."""
        return self.why != BY_WORDS or self.lexical >= MERE_WORDS


def machine_factor(question: Question, features: dict[str, int]) -> tuple[float, bool]:
    """(worth of a card's machines for the machine named, clash). A card without a machine suits rotating ones."""
    named = question.machines
    if not named:
        return 0.0, False
    best = max(
        (likeness * features.get(name, 0) / 10 for idea in named for name, likeness in idea.means.items()), default=0.0
    )
    if best:
        return best, False
    own = any(vocabulary().concepts[name].slot == "machine" and strength >= 6 for name, strength in features.items())
    if own:
        return 0.0, True
    rotating = any(idea.concept.name in ROTATING for idea in named)
    return (ANY_MACHINE_ROTATING if rotating else ANY_MACHINE_OTHER), False


def score(
    question: Question,
    features: dict[str, int],
    *,
    lexical: float,
    prior: float,
    vector: float,
    needs: tuple[str, ...] = (),
    opposed: tuple[float, float],
) -> Score:
    """lexical, prior, vector: 0..1. features: concept -> strength in tenths. opposed: what `against` says, once a question."""
    any_machine, clash = machine_factor(question, features)
    matched = asked = symptom = heard = place = 0.0
    told: dict[str, list[str]] = {}
    for idea in question.ideas:
        name, best = _best_match(idea.means, features)
        if idea.concept.slot == "machine" and not best and not clash:
            best = any_machine
        asked += idea.worth
        matched += idea.worth * best
        evidence = idea.trust * idea.concept.weight * best
        if idea.concept.slot in ("sound", "sign"):
            symptom = max(symptom, evidence) + 0.25 * min(symptom, evidence)
            if idea.concept.slot == "sound":
                heard = max(heard, evidence)
        else:
            place = max(place, evidence)
        if name and best >= 0.3:
            told.setdefault(idea.concept.slot, []).append(vocabulary().concepts[name].label)
    total = matched + WORDS_WORTH * lexical + PRIOR_WORTH * prior + VECTOR_WORTH * vector
    if clash:
        total -= OTHER_MACHINE
    if needs and not any(idea.concept.name in needs for idea in question.ideas):
        total -= MISSING_NEED
    fit = min(1.0, symptom) + 0.6 * place + 1.1 * lexical + 0.5 * vector - opposed[place >= 0.5]
    if clash:
        fit -= 0.9
    if question.rest and symptom < SOME_SYMPTOM:
        fit -= (0.4 if question.talk.complaint else 0.8) * max(0.0, 1 - lexical / SAID_SO)
    if place >= 0.5 and question.talk.complaint:
        fit += 0.3
    if not question.ideas:
        symptom = place = lexical
    share = max(0.0, min(1.0, matched / asked)) if asked else lexical
    why = ";".join(f"{SLOT_LABELS[slot]}:{'、'.join(dict.fromkeys(told[slot]))}" for slot in _WHY_ORDER if slot in told)
    return Score(total, share, fit, min(1.0, symptom), place, lexical, why or BY_WORDS)


_WHY_ORDER = ("sound", "sign", "part", "machine")
assert set(_WHY_ORDER) == set(SLOTS)


def _best_match(means: dict[str, float], features: dict[str, int]) -> tuple[str, float]:
    best, best_name = 0.0, ""
    for name, likeness in means.items():
        worth = likeness * features.get(name, 0) / 10
        if worth > best:
            best, best_name = worth, name
    return best_name, best


def against(question: Question, *, strangers: int) -> tuple[float, float]:
    """What speaks against answering with any card: (one of another place, one of the place named). strangers: nouns no
    card knows."""
    return (
        _against(question, placed=False, strangers=strangers),
        _against(question, placed=True, strangers=strangers),
    )


def _against(question: Question, *, placed: bool, strangers: int) -> float:
    """What speaks against answering with a card. A strange noun counts more when no machine or part was named, and what
    is mentioned by the way in a long story counts half."""
    talk, story = question.talk, len(question.cleaned) > STORY
    by_the_way = (
        0.6 * min(talk.admin, 2)
        + (0.25 if placed and talk.complaint else 0.6) * min(talk.chat, 2)  # a rude word may go with a real fault
        + 0.6 * min(talk.hazard, 2)
        + 0.7 * min(talk.off, 2)
        + (0.9 * min(talk.elsewhere, 3) if story else 1.8 * min(talk.elsewhere, 1))
        + (0.0 if question.machines else 0.5 if placed else 1.0) * min(talk.living, 2)
        + (0.15 if talk.complaint else 0.35) * min(talk.asking, 2)
        + (0.1 if placed else 0.35) * min(strangers, 2)
    )
    return 0.9 * talk.rules + 2.0 * min(talk.attack, 2) + (0.5 if story else 1.0) * by_the_way


def confidence(score: Score) -> Confidence:
    """Words for how sure a shown hit is; without a symptom, or without a place, no card is 很像."""
    if score.share >= LIKELY and score.symptom >= 0.7 and score.place >= 0.6:
        return Confidence.LIKELY
    if score.share >= POSSIBLE and score.symptom >= 0.4:
        return Confidence.POSSIBLE
    return Confidence.WEAK
