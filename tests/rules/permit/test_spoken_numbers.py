"""A sentence of a gas test holds other numbers: of pumps, points, metres, clocks. None of them may become the value."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rules.permit.spoken import hear_gas, said_gas


def values(text: str) -> dict[str, tuple[float, str]]:
    return {value.gas: (value.value, value.unit) for value in said_gas(text)}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("3号泵房动火点可燃12%LEL,氧20.8", {"combustible": (12, "%LEL"), "o2": (20.8, "%vol")}),
        ("动火点1米内可燃12%LEL", {"combustible": (12, "%LEL")}),
        ("动火点1可燃12%LEL", {"combustible": (12, "%LEL")}),
        ("可燃1,200ppm", {"combustible": (1200, "ppm")}),
        ("可燃1.2万ppm", {"combustible": (12000, "ppm")}),
        ("1#硫化氢15ppm", {"h2s": (15, "ppm")}),
        ("T-101可燃 12%LEL", {"combustible": (12, "%LEL")}),
        ("8点30测的可燃12%LEL", {"combustible": (12, "%LEL")}),
        ("八点半可燃十二LEL", {"combustible": (12, "%LEL")}),
        ("可燃8点30测的12%LEL", {"combustible": (12, "%LEL")}),
        ("P-102B动火点8点30测的可燃12%LEL", {"combustible": (12, "%LEL")}),
        ("3、4号泵房可燃12%LEL", {"combustible": (12, "%LEL")}),
        ("可燃气体 0.1 % LEL 氧 20.8", {"combustible": (0.1, "%LEL"), "o2": (20.8, "%vol")}),
        ("氧20.8可燃0.1%LEL", {"combustible": (0.1, "%LEL"), "o2": (20.8, "%vol")}),
        ("氧20.9 LEL 3%", {"combustible": (3, "%LEL"), "o2": (20.9, "%vol")}),
        ("氧20点8", {"o2": (20.8, "%vol")}),
        ("可燃百分之十二LEL", {"combustible": (12, "%LEL")}),
        ("可燃一百二十ppm", {"combustible": (120, "ppm")}),
        ("氧二十", {"o2": (20, "%vol")}),
        ("可燃0.1%LEL,氧20.8,BX-01测的", {"combustible": (0.1, "%LEL"), "o2": (20.8, "%vol")}),
    ],
)
def test_the_value_is_the_number_of_the_gas(said, expected):
    assert values(said) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("可燃0~15%LEL", {"combustible": (15, "%LEL")}),
        ("可燃3到5%LEL", {"combustible": (5, "%LEL")}),
        ("可燃0.1%LEL-12%LEL", {"combustible": (12, "%LEL")}),
        ("氧19.5到20.8", {"o2": (19.5, "%vol")}),
        ("氧18到20.8", {"o2": (18, "%vol")}),
        ("氧20.8到22", {"o2": (22, "%vol")}),
        ("1号点可燃15%LEL,2号点可燃25%LEL", {"combustible": (25, "%LEL")}),
        ("可燃25%LEL,可燃0.1%LEL", {"combustible": (25, "%LEL")}),
        ("上中下可燃分别是0.1、12、0.3%LEL", {"combustible": (12, "%LEL")}),
        ("上中下氧分别为20.5、20.6、19.4", {"o2": (19.4, "%vol")}),
        ("上部可燃3%LEL下部可燃5%LEL", {"combustible": (5, "%LEL")}),
    ],
)
def test_of_several_values_the_worst_is_kept(said, expected):
    assert values(said) == expected


@pytest.mark.parametrize(
    "said",
    [
        "可燃0.1%LEL,12",
        "氧20,8",
        "可燃超过10%LEL",
        "可燃10多",
        "氧不到20.8",
        "氧不是20.8",
        "可燃0.1%LEL,可燃120ppm",
        "3可燃12%LEL",
        "可燃1e3ppm",
        "可燃三四个",
        "可燃12处0.1",
        "硫化氢8mg/L",
        "氧20.8ppm",
    ],
)
def test_numbers_that_cannot_be_told_apart_are_unclear(said):
    heard = hear_gas(said)
    assert heard.unclear and heard.values == ()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("二氧化碳20%", {"carbon_dioxide": (200_000, "ppm")}),
        ("环氧乙烷20ppm", {"ethylene_oxide": (20, "ppm")}),
        ("过氧化物20", {}),
        ("一氧化碳8ppm", {"co": (8, "ppm")}),
        ("二甲苯20ppm", {"combustible": (20, "ppm")}),
        ("硝基苯5ppm", {}),
        ("氯化氢3ppm", {"hydrogen_chloride": (3, "ppm")}),
        ("甲醇8毫克", {"methanol": (8, "mg/m3")}),
        ("煤气3%LEL", {"combustible": (3, "%LEL")}),
        ("氮气99,氧20.8", {"o2": (20.8, "%vol")}),
    ],
)
def test_a_gas_is_known_by_its_whole_name(said, expected):
    """«二氧化碳» was taken for oxygen, «二甲苯» for benzene."""
    assert values(said) == expected


def test_a_medium_told_beside_the_combustible_value_is_kept_beside_it():
    told = [(one.gas, one.value, one.unit, one.medium) for one in said_gas("中部可燃0.1%LEL,氧20.8,甲醇3ppm,丙酮0")]
    combustible = [
        ("combustible", 0.1, "%LEL", ""),
        ("combustible", 3, "ppm", "methanol"),
        ("combustible", 0, "%vol", "acetone"),
    ]
    assert told == [*combustible, ("o2", 20.8, "%vol", "")]


PLACES = st.one_of(
    st.builds("{}号泵房".format, st.integers(1, 99)),
    st.builds("{}#罐".format, st.integers(1, 99)),
    st.builds("{}号点".format, st.integers(1, 99)),
    st.builds("第{}次".format, st.integers(1, 9)),
    st.builds("{}-{}{}".format, st.sampled_from(["P", "T", "V", "GT", "EX"]), st.integers(100, 9999), st.just("")),
    st.builds("{}{}A".format, st.sampled_from(["P", "R", "TK"]), st.integers(10, 9999)),
    st.builds("动火点{}米内".format, st.integers(1, 30)),
    st.builds("{}.5m处".format, st.integers(0, 30)),
    st.builds("{}点{:02d}测".format, st.integers(0, 23), st.integers(0, 59)),
    st.builds("{}:{:02d} ".format, st.integers(0, 23), st.integers(0, 59)),
    st.builds("{}月{}日".format, st.integers(1, 12), st.integers(1, 31)),
    st.builds("下午{}点".format, st.integers(1, 12)),
    st.sampled_from(["三号泵房", "二楼", "十分钟前", "八点半", "3层平台", "设备内", "动火点", ""]),
)
GASES = st.sampled_from(
    [("可燃", "combustible"), ("可燃气体是", "combustible"), ("硫化氢", "h2s"), ("甲醇", "combustible")]
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(PLACES, max_size=3), GASES, st.integers(1, 990).map(lambda n: n / 10), st.sampled_from([",", " ", "的"])
)
@example(["3号泵房动火点"], ("可燃", "combustible"), 12, "的")
def test_whatever_stands_before_the_value_stays_the_value(places, gas, value, sign):
    word, name = gas
    unit = "ppm" if name == "h2s" else "%LEL"
    heard = hear_gas(f"{sign.join(places)}{word}{value}{unit}")
    assert [(one.gas, one.value, one.unit) for one in heard.values] == [(name, float(value), unit)]


@settings(max_examples=300, deadline=None)
@given(st.text("可燃氧硫化氢号点到~0123456789.,、 %LELppm米处上中下部罐内-", max_size=24), st.integers(13, 99))
def test_no_words_around_a_bad_value_make_it_a_good_one(words, value):
    """Whatever is said beside it, 13 %LEL and more is kept as that, as something worse, or asked again (as what is negative is)."""
    heard = hear_gas(f"{words},可燃{value}%LEL")
    told = [one for one in heard.values if one.gas == "combustible"]
    assert heard.unclear or any(one.value >= value or one.value < 0 for one in told)
