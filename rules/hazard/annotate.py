"""The annotation of a hazard: which medium, what ignition source is near, where it lies; from ledger, area and words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rules.hazard.facts import Annotation, AnnotationKind, AreaFacts, Entities, EquipmentFacts, KnownFrom, NearbyFacts
from rules.lexicon import Medium, lexicon
from rules.text import equipment_codes, normalise

_DISTANCE = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)m(?![a-z0-9])")
_AROUND = 10  # characters around an ignition word in which a word of nearness counts
_MOST_NEAR = 2  # ignition sources named in the sentence


@dataclass(frozen=True, slots=True)
class KnownMedium:
    """A medium and how it is known. named: the reporter named it as such, not only as part of a place's name."""

    name_zh: str
    medium: Medium | None
    known_from: KnownFrom
    named: bool

    @property
    def lifts(self) -> bool:
        return self.medium is not None and self.medium.lifts_leaks

    @property
    def nature_zh(self) -> str:
        nature = self.medium.nature if self.medium else frozenset()
        return "".join(zh for key, zh in (("flammable", "易燃"), ("toxic", "有毒")) if key in nature)


@dataclass(frozen=True, slots=True)
class Notes:
    sentence: str
    items: tuple[Annotation, ...]
    advice: str


def known_media(
    normalised: str, *, area: AreaFacts | None, equipment: EquipmentFacts | None
) -> tuple[KnownMedium, ...]:
    """Media of a report: those named, else the equipment's, else the area's (ledger, or the area's own name)."""
    lex = lexicon()
    outside, places = _without_areas(normalised)
    named = dict.fromkeys(id_ for finder in (lex.smells, lex.media_words) for _, id_ in finder.find(outside))
    found = [KnownMedium(lex.media[id_].name_zh, lex.media[id_], KnownFrom.WORDS, True) for id_ in named]
    if equipment and not found:
        found += [_from_ledger(name, KnownFrom.EQUIPMENT) for name in equipment.media]
    if not found and area:
        found += [_from_ledger(name, KnownFrom.AREA) for name in area.media]
        if not area.media and (medium := lex.medium_named(area.name)):
            found.append(KnownMedium(medium.name_zh, medium, KnownFrom.AREA, False))
    if not found:
        mediums = [medium for place in places if (medium := lex.medium_named(place))]
        found += [KnownMedium(medium.name_zh, medium, KnownFrom.WORDS, False) for medium in mediums]
    return tuple({known.name_zh: known for known in reversed(found)}.values())[::-1]


def _from_ledger(name: str, known_from: KnownFrom) -> KnownMedium:
    medium = lexicon().medium_named(name)
    return KnownMedium(medium.name_zh if medium else name, medium, known_from, False)


def _without_areas(normalised: str) -> tuple[str, list[str]]:
    """The text with names of areas blanked out, and those names: «甲醇罐区» is a place, not what leaks."""
    places = [word for word, _ in lexicon().area_words.find(normalised)]
    for place in places:
        normalised = normalised.replace(place, "□" * len(place))
    return normalised, places


def names_harmless(normalised: str) -> bool:
    """Names water, steam or air as what leaks."""
    return bool(lexicon().harmless.find(_without_areas(normalised)[0]))


def entities_of(normalised: str) -> Entities:
    lex = lexicon()
    return Entities(
        equipment=tuple(equipment_codes(normalised)),
        kinds=_distinct(kind for _, kind in lex.kind_words.find(normalised)),
        areas=_distinct(name for _, name in lex.area_words.find(normalised)),
        media=_distinct(lex.media[id_].name_zh for _, id_ in lex.media_words.find(normalised)),
        distances_m=tuple(float(match.group(1)) for match in _DISTANCE.finditer(normalised)),
        states=_distinct(state for _, state in lex.state_words.find(normalised)),
    )


def _distinct(values) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def annotate(
    normalised: str,
    *,
    media: Sequence[KnownMedium],
    area: AreaFacts | None,
    equipment: EquipmentFacts | None,
    near: Sequence[NearbyFacts],
    entities: Entities,
) -> Notes:
    """«涉及甲醇介质、邻近加热炉(约25米)，位于甲醇罐区», its parts, and a line on hot work where it matters."""
    items = [_medium_note(known, area=area, equipment=equipment) for known in _shown_media(normalised, media)]
    items += _ignition(normalised, near=near, own_code=equipment.code if equipment else None)
    place = area.name if area else next(iter(entities.areas), "")
    if place:
        source = KnownFrom.AREA if area else KnownFrom.WORDS
        note = "爆炸危险场所" if area and area.explosive else ""
        items.append(Annotation(AnnotationKind.PLACE, place, source, note or source.zh))
    states_zh = lexicon().states_zh
    items += [
        Annotation(AnnotationKind.STATE, states_zh[s], KnownFrom.WORDS, KnownFrom.WORDS.zh) for s in entities.states
    ]
    advice = _hot_work_advice(normalised, media=media, area=area)
    if advice:
        items.append(Annotation(AnnotationKind.HOT_WORK, advice, KnownFrom.AREA, "GB 30871-2022"))
    return Notes(_sentence(items), tuple(items), advice)


def _shown_media(normalised: str, media: Sequence[KnownMedium]) -> list[KnownMedium]:
    harmless = names_harmless(normalised)
    return [known for known in media if known.named or not harmless]


def _medium_note(known: KnownMedium, *, area: AreaFacts | None, equipment: EquipmentFacts | None) -> Annotation:
    why = known.known_from.zh
    if known.known_from is KnownFrom.EQUIPMENT and equipment:
        why = f"{why}：{equipment.code}"
    elif known.known_from is KnownFrom.AREA and area:
        why = f"{why}：{area.name}"
    return Annotation(AnnotationKind.MEDIUM, known.name_zh, known.known_from, why)


def _ignition(normalised: str, *, near: Sequence[NearbyFacts], own_code: str | None) -> list[Annotation]:
    """Ignition sources: those the reporter says are near, then the ledger's within the limit, nearest first."""
    lex = lexicon()
    notes: dict[str, Annotation] = {}
    for match_word, _ in lex.ignition_words.find(normalised):
        at = normalised.index(match_word)
        around = normalised[max(0, at - _AROUND) : at + len(match_word) + _AROUND]
        distance = _DISTANCE.search(around)
        if distance or lex.near_words.find(around.replace(match_word, "□")):
            value = f"{match_word}(约{float(distance.group(1)):g}米)" if distance else match_word
            notes[match_word] = Annotation(AnnotationKind.IGNITION, value, KnownFrom.WORDS, KnownFrom.WORDS.zh)
    close = [
        fact
        for fact in near
        if fact.name != own_code
        and (fact.distance_m is None or fact.distance_m <= lex.near_limit_m)
        and any(word in fact.name or word in fact.kind for word in lex.ignition_ledger)
    ]
    for fact in sorted(close, key=lambda fact: (fact.distance_m is None, fact.distance_m or 0.0)):
        if not any(word in fact.name or word in fact.kind for word in notes):
            value = fact.name if fact.distance_m is None else f"{fact.name}(约{fact.distance_m:.0f}米)"
            notes[fact.name] = Annotation(AnnotationKind.IGNITION, value, KnownFrom.POSITION, "台账位置推算")
    return list(notes.values())[:_MOST_NEAR]


def _sentence(items: Sequence[Annotation]) -> str:
    def of(kind: AnnotationKind) -> list[str]:
        return [item.value for item in items if item.kind is kind]

    media, ignition, place = of(AnnotationKind.MEDIUM), of(AnnotationKind.IGNITION), of(AnnotationKind.PLACE)
    first = []
    if media:
        first.append(f"涉及{'、'.join(media)}介质")
    if ignition:
        first.append(f"邻近{'、'.join(ignition)}")
    return "，".join(part for part in ("、".join(first), f"位于{place[0]}" if place else "") if part)


def _hot_work_advice(normalised: str, *, media: Sequence[KnownMedium], area: AreaFacts | None) -> str:
    """For hot work in an explosive place: the least level and the gas limit of the first medium that has one."""
    if not (area and area.explosive) or not any(normalise(word) in normalised for word in lexicon().hot_work_words):
        return ""
    text = "属爆炸危险场所，动火至少一级"
    medium = next((known.medium for known in media if known.medium and known.medium.hot_work_limit_vol), None)
    if medium is None:
        return text
    sign = "≥" if medium.hot_work == "A" else "<"
    return f"{text}；{medium.name_zh}爆炸下限{sign}4%，可燃气体合格限值{medium.hot_work_limit_vol:g}%(体积)"
