"""The end of a corridor with a fire exit: blocked by goods, or clear."""

from __future__ import annotations

from .canvas import Canvas, Colour, lit

CARD: Colour = (186, 146, 96)


def fire_exit(*, fixed: bool) -> Canvas:
    canvas = Canvas(23)
    _room(canvas)
    _door(canvas)
    _sign(canvas)
    _extinguisher(canvas)
    if fixed:
        canvas.soft([(360, 520), (600, 520), (640, 600), (320, 600)], (255, 255, 255), 0.16, blur=24)
    else:
        _goods(canvas)
    return canvas


def _room(canvas: Canvas) -> None:
    canvas.surface([(0, 0), (960, 0), (700, 120), (260, 120)], (196, 200, 200), (150, 154, 156), wear=0.1)
    canvas.surface([(260, 120), (700, 120), (700, 500), (260, 500)], (222, 222, 212), (190, 190, 180), wear=0.14)
    canvas.surface([(0, 0), (260, 120), (260, 500), (0, 720)], (206, 208, 200), (150, 152, 146), wear=0.2)
    canvas.surface([(960, 0), (700, 120), (700, 500), (960, 720)], (188, 190, 184), (132, 134, 130), wear=0.2)
    for side, at in ((0, 260), (960, 700)):  # green dado
        canvas.surface(
            [(side, 500), (at, 372), (at, 500), (side, 720)], (96, 136, 116), (60, 92, 78), wear=0.22, grain=10
        )
    canvas.surface(
        [(260, 500), (700, 500), (960, 720), (0, 720)], (132, 134, 134), (160, 160, 156), wear=0.26, grain=18
    )
    for k in range(-3, 12):
        canvas.line([(260 + 55 * k, 500), (-500 + 245 * k, 720)], (112, 114, 114), 1.5)
    for y in (518, 546, 590, 652):
        canvas.line([(0, y), (960, y)], (112, 114, 114), 1.5)
    for x0, x1, y in ((420, 540, 92), (380, 580, 40)):  # lamps
        canvas.soft([(x0, y), (x1, y), (x1 + 20, y + 16), (x0 - 20, y + 16)], (255, 255, 246), 1.0, blur=4)
    _hatching(canvas)


def _hatching(canvas: Canvas) -> None:
    """The yellow keep-clear field in front of the door."""
    yellow = (226, 182, 42)
    frame = [(350, 512), (610, 512), (690, 640), (270, 640), (350, 512)]
    canvas.line(frame, yellow, 7)
    for k in range(1, 9):
        share = k / 9
        canvas.line([(350 - 80 * share, 512 + 128 * share), (350 + 260 * share, 512)], yellow, 4)
        canvas.line([(270 + 420 * share, 640), (610 + 80 * share, 512 + 128 * share)], yellow, 4)


def _door(canvas: Canvas) -> None:
    canvas.soft([(356, 176), (604, 176), (616, 508), (344, 508)], (0, 0, 0), 0.35, blur=8)
    canvas.box(352, 182, 608, 504, (96, 100, 100))
    for x0, x1 in ((362, 478), (482, 598)):
        canvas.surface([(x0, 192), (x1, 192), (x1, 502), (x0, 502)], (64, 128, 92), (44, 98, 70), wear=0.18, grain=8)
        canvas.box(x0 + 20, 216, x1 - 20, 296, (150, 176, 176), radius=4)
        canvas.soft([(x0 + 24, 292), (x0 + 60, 220), (x0 + 84, 220), (x0 + 48, 292)], (255, 255, 255), 0.4, blur=3)
        canvas.tube(x0 + 10, 362, x1 - 10, 378, (190, 60, 46), shine=0.4)
    canvas.line([(480, 192), (480, 502)], (30, 56, 42), 3)


def _sign(canvas: Canvas) -> None:
    canvas.soft([(400, 126), (560, 126), (560, 172), (400, 172)], (120, 255, 170), 0.7, blur=14)
    canvas.box(408, 130, 552, 170, (18, 140, 72), radius=4)
    white = (236, 255, 244)
    canvas.oval(452, 139, 4.5, 4.5, white)  # a person running
    canvas.line([(451, 144), (446, 155), (437, 165)], white, 4)
    canvas.line([(447, 154), (456, 160), (454, 168)], white, 4)
    canvas.line([(450, 147), (460, 152)], white, 3.4)
    canvas.line([(449, 147), (440, 151)], white, 3.4)
    canvas.line([(480, 150), (520, 150)], white, 5)
    canvas.poly([(516, 139), (536, 150), (516, 161)], white)
    canvas.box(464, 134, 470, 166, white)


def _extinguisher(canvas: Canvas) -> None:
    canvas.soft([(636, 398), (680, 398), (684, 486), (632, 486)], (0, 0, 0), 0.4, blur=8)
    canvas.tube(640, 400, 674, 484, (204, 40, 34), upright=True)
    canvas.box(648, 384, 666, 402, (46, 46, 46), radius=3)
    canvas.line([(664, 390), (684, 404), (680, 440)], (30, 30, 30), 4)
    canvas.box(644, 424, 670, 452, (238, 232, 210))


def _goods(canvas: Canvas) -> None:
    canvas.soft([(250, 520), (720, 520), (780, 668), (200, 668)], (0, 0, 0), 0.6, blur=16)
    for x in (296, 372, 448):  # a pallet
        canvas.box(x, 596, x + 56, 622, (120, 92, 60))
    canvas.box(280, 584, 524, 600, (166, 130, 84))
    _carton(canvas, 290, 452, 130, 132, CARD)
    _carton(canvas, 424, 470, 96, 114, lit(CARD, 0.9))
    _carton(canvas, 310, 352, 112, 100, lit(CARD, 1.06))
    _carton(canvas, 430, 386, 84, 84, lit(CARD, 0.97))
    for x, y, colour in ((548, 420, (40, 92, 156)), (620, 448, (52, 104, 166))):
        canvas.tube(x, y, x + 96, y + 176, colour, upright=True)
        canvas.oval(x + 48, y, 48, 12, lit(colour, 1.25))
        canvas.oval(x + 48, y, 41, 9, lit(colour, 0.75))
        for hoop in (56, 116):
            canvas.tube(x - 3, y + hoop, x + 99, y + hoop + 8, lit(colour, 0.8), upright=True)
    canvas.line([(560, 628), (690, 660), (720, 640)], (60, 60, 60), 9)  # a hose left lying
    canvas.line([(560, 626), (690, 658), (720, 638)], (110, 110, 110), 3)


def _carton(canvas: Canvas, x: float, y: float, width: float, height: float, colour: Colour) -> None:
    front = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    canvas.surface(front, lit(colour, 1.05), lit(colour, 0.82), wear=0.2, grain=12)
    lid = [(x, y), (x + 16, y - 18), (x + width + 10, y - 18), (x + width, y)]
    canvas.poly(lid, lit(colour, 1.18))
    canvas.poly([(x + width, y), (x + width + 10, y - 18), (x + width + 10, y + height - 14), (x + width, y + height)],
                lit(colour, 0.62))  # fmt: skip
    canvas.box(x + width * 0.44, y, x + width * 0.56, y + height, lit(colour, 1.2))
    canvas.box(x + 10, y + height * 0.58, x + width * 0.34, y + height * 0.84, (232, 228, 216))
    canvas.line([(x + 14, y + height * 0.66), (x + width * 0.3, y + height * 0.66)], (90, 86, 80), 2)
    canvas.line([(x + 14, y + height * 0.74), (x + width * 0.26, y + height * 0.74)], (90, 86, 80), 2)
