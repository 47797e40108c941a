from __future__ import annotations

from bench import search as bench
from search import STARTER_MARK, Index, starter_cards
from search.features import features_of
from search.vocabulary import shipped_terms, vocabulary


def test_the_starter_pack_is_whole():
    cards = starter_cards()
    assert [card.id for card in cards] == [f"K{number:02}" for number in range(1, 61)]
    assert STARTER_MARK == "待本厂老师傅确认"
    for card in cards:
        assert card.title and card.kind and card.first_action and card.danger_sign
        assert card.cause.startswith("怀疑"), card.id
        assert features_of(card), card.id


def test_no_two_cards_have_the_same_features():
    seen = {tuple(sorted(features_of(card).items())) for card in starter_cards()}
    assert len(seen) == 60


def test_every_likeness_names_an_idea():
    known = vocabulary().concepts
    for slot in shipped_terms().values():
        for name, entry in slot.items():
            assert set(entry.get("like", {})) <= set(known), name
            assert entry["terms"].split(), name


def test_the_question_sets_do_not_share_questions():
    sets = [{question for _, question in bench.load(name)} for name in ("dev_a", "dev_b", "blind")]
    assert not sets[0] & sets[1] and not sets[0] & sets[2] and not sets[1] & sets[2]


def test_the_blind_set_is_answered_as_promised():
    rows = bench.quality("blind", bench.engine(Index(starter_cards())), bench.load("blind"), goals=True)
    assert [row["name"] for row in rows if not row["ok"]] == []
    assert all(row["n"] >= 100 for row in rows)


def test_half_the_words_unknown_does_worse():
    from search.vocabulary import knowing_only

    questions = bench.load("blind")
    with knowing_only(bench.forgotten(0.5)):
        fewer = bench.quality("", bench.engine(Index(starter_cards())), questions, goals=False)
    assert (
        fewer[0]["value"] < bench.quality("", bench.engine(Index(starter_cards())), questions, goals=False)[0]["value"]
    )
