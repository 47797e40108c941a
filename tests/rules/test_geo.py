from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.geo import (
    AreaIndex,
    FixQuality,
    Point,
    distance_m,
    distance_to_edge_m,
    distance_to_polygon_m,
    gcj02_to_wgs84,
    in_polygon,
    judge_accuracy,
    polygon_problem,
    position_problem,
    wgs84_to_gcj02,
)
from rules.terms import PlaceSource

SQUARE = [[121.0, 31.0], [121.002, 31.0], [121.002, 31.001], [121.0, 31.001]]
in_china = st.builds(lambda lat, lon: Point(lat=lat, lon=lon), st.floats(18, 53), st.floats(74, 134.9))


def test_gcj02_agrees_with_a_published_pair():
    shifted = wgs84_to_gcj02(Point(lat=39.915, lon=116.404))
    assert shifted.lat == pytest.approx(39.91640428150164, abs=1e-9)
    assert shifted.lon == pytest.approx(116.41024449916938, abs=1e-9)


@given(in_china)
def test_gcj02_there_and_back_is_within_half_a_metre(point):
    assert distance_m(point, gcj02_to_wgs84(wgs84_to_gcj02(point))) < 0.5


@given(in_china)
def test_gcj02_really_moves_inside_china(point):
    assert 10 < distance_m(point, wgs84_to_gcj02(point)) < 1500  # least: 18 m, in Qaidam; some 500 m where plants are


def test_gcj02_leaves_the_rest_of_the_world_alone():
    london = Point(lat=51.5, lon=-0.12)
    assert wgs84_to_gcj02(london) == london == gcj02_to_wgs84(london)


def test_distance_known_lengths():
    assert distance_m(Point(lat=0, lon=0), Point(lat=0, lon=0.001)) == pytest.approx(111.3195, abs=0.001)
    assert distance_m(Point(lat=0, lon=179.9995), Point(lat=0, lon=-179.9995)) == pytest.approx(111.3195, abs=0.001)
    beijing_shanghai = distance_m(Point(lat=39.9042, lon=116.4074), Point(lat=31.2304, lon=121.4737))
    assert beijing_shanghai == pytest.approx(1_067_000, rel=0.005)


@given(in_china, in_china)
def test_distance_is_the_same_both_ways_and_never_negative(a, b):
    assert distance_m(a, b) == pytest.approx(distance_m(b, a), rel=1e-9, abs=1e-6)
    assert distance_m(a, a) == 0


def test_point_in_polygon_inside_edge_corner_outside():
    assert in_polygon(Point(lat=31.0005, lon=121.001), SQUARE)
    assert in_polygon(Point(lat=31.0, lon=121.001), SQUARE)
    assert in_polygon(Point(lat=31.001, lon=121.002), SQUARE)
    assert not in_polygon(Point(lat=31.0010001, lon=121.001), SQUARE)
    assert not in_polygon(Point(lat=30.9999, lon=121.001), SQUARE)
    assert in_polygon(Point(lat=31.0005, lon=121.001), [*SQUARE, SQUARE[0]])  # closed ring is the same


def test_point_in_a_concave_polygon():
    u_shape = [[0, 0], [3, 0], [3, 3], [2, 3], [2, 1], [1, 1], [1, 3], [0, 3]]
    assert in_polygon(Point(lat=2, lon=0.5), u_shape)
    assert not in_polygon(Point(lat=2, lon=1.5), u_shape)


@given(st.floats(31.0, 31.001), st.floats(121.0, 121.002))
def test_every_point_of_a_square_is_in_it(lat, lon):
    assert distance_to_polygon_m(Point(lat=lat, lon=lon), SQUARE) == 0


def test_distance_to_the_edge():
    outside = Point(lat=31.0, lon=121.003)
    assert distance_to_polygon_m(outside, SQUARE) == pytest.approx(95.5, abs=0.5)
    assert distance_to_edge_m(Point(lat=31.0005, lon=121.001), SQUARE) == pytest.approx(55.4, abs=0.5)
    assert distance_to_edge_m(outside, []) == math.inf


@pytest.mark.parametrize(
    ("lat", "lon"), [(0, 0), (math.nan, 1), (1, math.inf), (90.01, 1), (1, 180.01), (None, 1), (1e-7, 1e-7)]
)
def test_positions_that_cannot_be(lat, lon):
    assert position_problem(lat, lon)


@pytest.mark.parametrize(("lat", "lon"), [(90, 180), (-90, -180), (31.2, 121.5), (0, 100), (30, 0)])
def test_positions_that_can_be(lat, lon):
    assert position_problem(lat, lon) is None


@pytest.mark.parametrize(
    ("accuracy", "source", "accepted", "quality"),
    [
        (14.9, PlaceSource.H5, True, FixQuality.EXACT),
        (15.0, PlaceSource.H5, True, FixQuality.EXACT),
        (15.1, PlaceSource.H5, False, FixQuality.APPROXIMATE),
        (None, PlaceSource.H5, False, FixQuality.UNKNOWN),
        (math.nan, PlaceSource.H5, False, FixQuality.UNKNOWN),
        (-1.0, PlaceSource.H5, False, FixQuality.UNKNOWN),
        (200.0, PlaceSource.LOCATION_EVENT, True, FixQuality.APPROXIMATE),
        (15.1, PlaceSource.LOCATION_MESSAGE, True, FixQuality.APPROXIMATE),
        (None, PlaceSource.EXIF, True, FixQuality.UNKNOWN),
        (None, PlaceSource.EQUIPMENT, True, FixQuality.EXACT),
    ],
)
def test_accuracy_is_strict_only_where_the_device_can_be_asked_again(accuracy, source, accepted, quality):
    verdict = judge_accuracy(accuracy, source=source)
    assert (verdict.accepted, verdict.quality) == (accepted, quality)
    assert bool(verdict.message_zh) == (quality is not FixQuality.EXACT)


def test_area_index_smallest_first_and_near():
    pump_house = [[121.0005, 31.0002], [121.0008, 31.0002], [121.0008, 31.0004], [121.0005, 31.0004]]
    index = AreaIndex([("车间", SQUARE), ("泵房", pump_house)])
    assert index.containing(Point(lat=31.0003, lon=121.0006)) == ["泵房", "车间"]
    assert index.containing(Point(lat=31.0003, lon=121.0015)) == ["车间"]
    assert index.containing(Point(lat=32, lon=121)) == []
    (key, metres), *_ = index.near(Point(lat=31.0, lon=121.003), within_m=100)
    assert key == "车间" and metres == pytest.approx(95.5, abs=0.5)
    assert index.near(Point(lat=31.0, lon=121.003), within_m=90) == []


@given(st.floats(30.99, 31.011), st.floats(120.99, 121.012))
def test_the_box_filter_never_loses_an_area(lat, lon):
    point = Point(lat=lat, lon=lon)
    assert bool(AreaIndex([(1, SQUARE)]).containing(point)) == in_polygon(point, SQUARE)


@pytest.mark.parametrize(
    "ring", [[], [[1, 1], [2, 2]], [[1, 1], [2, 2], [1, 1]], [[1, 1], [2, 2], [math.nan, 3]], [[1], [2], [3]]]
)
def test_a_ring_that_is_no_area_is_refused_with_a_reason(ring):
    assert polygon_problem(ring)
    with pytest.raises(ValueError, match="区域边界"):
        AreaIndex([("x", ring)])
