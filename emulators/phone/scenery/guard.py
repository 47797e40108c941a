"""A pump and its motor: the coupling runs open, or under its yellow guard."""

from __future__ import annotations

from .canvas import Canvas, Colour, lit

MOTOR: Colour = (64, 108, 134)
PUMP: Colour = (86, 132, 112)
YELLOW: Colour = (232, 184, 36)


def guard(*, fixed: bool) -> Canvas:
    canvas = Canvas(37)
    _hall(canvas)
    canvas.soft([(40, 586), (920, 586), (950, 660), (10, 660)], (0, 0, 0), 0.6, blur=16)
    canvas.surface([(60, 556), (900, 556), (920, 606), (40, 606)], (120, 124, 126), (70, 74, 76), wear=0.25)
    canvas.line([(60, 557), (900, 557)], (176, 180, 182), 3)
    for x in (96, 318, 618, 850):
        canvas.nut(x, 580, 12, (150, 150, 146))
    _motor(canvas)
    _pump(canvas)
    _coupling(canvas)
    if fixed:
        _cover(canvas)
    return canvas


def _hall(canvas: Canvas) -> None:
    canvas.surface([(0, 0), (960, 0), (960, 480), (0, 480)], (186, 190, 186), (146, 150, 148), wear=0.16)
    canvas.surface([(0, 330), (960, 330), (960, 480), (0, 480)], (112, 140, 150), (92, 118, 128), wear=0.18)
    canvas.box(680, 40, 900, 210, (214, 226, 232))
    for x in (752, 826):
        canvas.box(x, 40, x + 6, 210, (120, 124, 126))
    canvas.tube(60, -10, 110, 480, (176, 184, 186), upright=True)
    canvas.tube(-10, 120, 640, 160, (196, 60, 48), shine=0.3)
    canvas.defocus(5)
    canvas.surface([(0, 470), (960, 470), (960, 720), (0, 720)], (128, 130, 128), (96, 98, 96), wear=0.32, grain=24)
    canvas.line([(0, 690), (960, 668)], (214, 172, 40), 12)


def _motor(canvas: Canvas) -> None:
    canvas.soft([(90, 540), (350, 540), (350, 566), (90, 566)], (0, 0, 0), 0.6, blur=8)
    canvas.poly([(110, 520), (340, 520), (356, 558), (94, 558)], lit(MOTOR, 0.6))
    canvas.tube(96, 296, 348, 530, MOTOR)
    for y in range(312, 520, 16):  # cooling fins
        canvas.line([(122, y), (332, y)], lit(MOTOR, 0.55), 3)
        canvas.line([(122, y - 3), (332, y - 3)], lit(MOTOR, 1.25), 2)
    canvas.tube(70, 306, 112, 520, lit(MOTOR, 0.8))
    for y in range(330, 506, 20):
        canvas.line([(76, y), (104, y)], (24, 32, 38), 4)
    canvas.tube(336, 326, 366, 500, lit(MOTOR, 0.9))
    canvas.box(176, 256, 276, 306, lit(MOTOR, 1.1), radius=6)  # terminal box
    canvas.box(184, 264, 268, 298, lit(MOTOR, 0.85), radius=3)
    canvas.tube(262, 270, 330, 284, (52, 52, 52), shine=0.2)
    canvas.box(196, 386, 262, 424, (222, 222, 214))
    for y in (396, 406, 415):
        canvas.line([(202, y), (250, y)], (100, 100, 96), 2)


def _pump(canvas: Canvas) -> None:
    canvas.soft([(590, 540), (880, 540), (880, 566), (590, 566)], (0, 0, 0), 0.6, blur=8)
    canvas.poly([(626, 520), (850, 520), (872, 558), (604, 558)], lit(PUMP, 0.6))
    canvas.tube(590, 350, 668, 480, lit(PUMP, 0.92))
    canvas.tube(790, 216, 860, 420, PUMP, upright=True)
    canvas.tube(772, 196, 878, 222, lit(PUMP, 0.85))
    canvas.oval(756, 424, 122, 122, lit(PUMP, 0.62))
    canvas.oval(752, 418, 116, 116, PUMP)
    canvas.soft(canvas.ragged(722, 376, 60, 40), (255, 255, 255), 0.34, blur=22)
    canvas.oval(752, 420, 74, 74, lit(PUMP, 0.78))
    canvas.oval(750, 416, 66, 66, lit(PUMP, 1.08))
    for x, y in ((752, 318), (846, 380), (850, 470), (752, 520), (656, 470), (662, 376)):
        canvas.nut(x, y, 10, (160, 164, 160))
    canvas.nut(750, 416, 22, (150, 156, 152))


def _coupling(canvas: Canvas) -> None:
    canvas.soft([(376, 470), (590, 470), (590, 556), (376, 556)], (0, 0, 0), 0.4, blur=18)
    canvas.tube(360, 392, 596, 438, (198, 200, 202), shine=0.8)  # the bare shaft
    canvas.tube(418, 340, 470, 490, (150, 146, 140))
    canvas.tube(470, 352, 492, 478, (198, 74, 40), shine=0.25)
    canvas.tube(492, 340, 544, 490, (150, 146, 140))
    for y in (356, 414, 472):
        canvas.tube(406, y - 8, 420, y + 8, (92, 90, 88))
        canvas.tube(542, y - 8, 556, y + 8, (92, 90, 88))
    canvas.line([(420, 414), (544, 414)], (120, 116, 110), 1.5)
    canvas.soft(canvas.ragged(480, 512, 60, 12), (52, 40, 26), 0.55, blur=6)


def _cover(canvas: Canvas) -> None:
    canvas.soft([(382, 330), (586, 330), (606, 566), (380, 566)], (0, 0, 0), 0.45, blur=14)
    canvas.tube(378, 316, 584, 470, YELLOW, shine=0.32)
    canvas.surface([(378, 430), (584, 430), (584, 556), (378, 556)], (224, 176, 34), (168, 128, 22), wear=0.12, grain=8)
    for x in range(394, 572, 14):  # mesh window
        canvas.line([(x, 360), (x, 520)], (120, 92, 20), 2.5)
    for y in range(360, 528, 14):
        canvas.line([(390, y), (572, y)], (120, 92, 20), 2.5)
    for x, y in ((388, 546), (574, 546), (388, 336), (574, 336)):
        canvas.nut(x, y, 9, (190, 192, 192))
    canvas.soft([(400, 330), (560, 330), (552, 346), (408, 346)], (255, 255, 255), 0.5, blur=6)
