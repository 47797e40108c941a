"""A pipe flange in front of a tank: dripping, or tightened and wiped."""

from __future__ import annotations

from .canvas import Canvas, Colour, lit

STEEL: Colour = (146, 154, 160)
PIPE: Colour = (176, 184, 186)


def flange(*, fixed: bool) -> Canvas:
    canvas = Canvas(11)
    _background(canvas)
    canvas.soft([(0, 458), (960, 452), (960, 520), (0, 520)], (0, 0, 0), 0.45, blur=22)
    canvas.tube(-10, 270, 970, 430, PIPE)
    for x in (70, 868):  # welds
        canvas.tube(x, 266, x + 14, 434, lit(PIPE, 0.72), shine=0.2)
    if not fixed:
        _wet(canvas)
    _discs(canvas, fixed=fixed)
    if fixed:
        _tag(canvas)
    else:
        _drops(canvas)
    return canvas


def _background(canvas: Canvas) -> None:
    canvas.surface([(0, 0), (960, 0), (960, 560), (0, 560)], (150, 160, 166), (116, 124, 128), wear=0.2)
    canvas.tube(560, -10, 1240, 556, (206, 210, 208), upright=True, shine=0.25)
    for y in (96, 236, 470):
        canvas.line([(560, y), (960, y - 6)], (150, 154, 154), 3)
    canvas.tube(150, -10, 204, 560, (206, 164, 46), upright=True, shine=0.3)
    for y in (80, 500):
        canvas.tube(138, y, 216, y + 26, (176, 138, 40), upright=True, shine=0.2)
    canvas.tube(330, -10, 352, 560, (90, 104, 116), upright=True, shine=0.2)
    canvas.defocus(4.5)
    canvas.surface([(0, 548), (960, 540), (960, 720), (0, 720)], (134, 132, 126), (92, 90, 86), wear=0.34, grain=26)
    canvas.line([(0, 634), (960, 618)], (74, 72, 70), 3)


def _discs(canvas: Canvas, *, fixed: bool) -> None:
    bolt = (196, 200, 202) if fixed else (128, 104, 84)
    gasket = (38, 92, 60) if fixed else (60, 44, 34)
    canvas.soft([(390, 190), (600, 190), (622, 540), (420, 540)], (0, 0, 0), 0.5, blur=18)
    canvas.tube(372, 244, 404, 456, lit(STEEL, 0.94))  # hubs
    canvas.tube(556, 244, 588, 456, lit(STEEL, 0.94))
    canvas.tube(404, 176, 468, 524, STEEL)
    canvas.tube(492, 176, 556, 524, STEEL)
    canvas.tube(468, 190, 492, 510, gasket, shine=0.12)
    for x in (404, 464, 492, 552):
        canvas.line([(x, 178), (x, 522)], lit(STEEL, 0.55), 2)
    for y in (198, 258, 350, 442, 502):
        canvas.tube(360, y - 9, 600, y + 9, lit(bolt, 0.9), shine=0.35)
        for x in (378, 560):
            canvas.tube(x, y - 19, x + 24, y + 19, bolt, shine=0.55)
            canvas.line([(x + 12, y - 18), (x + 12, y + 18)], lit(bolt, 0.6), 1.5)
    if not fixed:
        for y in (430, 470, 505):
            canvas.soft(canvas.ragged(480, y, 74, 20), (104, 56, 24), 0.5, blur=7)


def _wet(canvas: Canvas) -> None:
    canvas.soft([(330, 400), (640, 400), (600, 440), (360, 440)], (40, 34, 26), 0.6, blur=12)
    canvas.pool(486, 640, 250, 50, (58, 62, 62))


def _drops(canvas: Canvas) -> None:
    for x, bottom in ((470, 530), (482, 562), (492, 538), (448, 528)):
        canvas.soft([(x - 3, 420), (x + 3, 420), (x + 5, bottom), (x - 5, bottom)], (178, 196, 204), 0.5, blur=2.4)
    for x, y, size in ((482, 582, 8), (484, 612, 6), (470, 556, 6), (493, 566, 5)):
        canvas.oval(x, y, size * 0.72, size, (96, 108, 114))
        canvas.oval(x - size * 0.2, y - size * 0.3, size * 0.3, size * 0.4, (236, 242, 246))
    for x, y, r in ((484, 640, 30), (472, 648, 18)):
        canvas.ring(x, y, r, r * 0.24, (190, 200, 206))


def _tag(canvas: Canvas) -> None:
    canvas.line([(590, 258), (626, 300)], (60, 60, 60), 2)
    canvas.soft([(606, 302), (676, 306), (672, 402), (602, 398)], (0, 0, 0), 0.5, blur=6)
    canvas.poly([(604, 298), (674, 302), (669, 396), (599, 392)], (38, 150, 84))
    canvas.poly([(612, 328), (664, 331), (661, 386), (608, 383)], (240, 244, 238))
    canvas.line([(620, 356), (632, 370), (652, 342)], (38, 150, 84), 6)
