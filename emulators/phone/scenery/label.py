"""An equipment plate with a QR code on painted steel, as one photographs it to name the equipment."""

from __future__ import annotations

import segno
from PIL import Image, ImageFont

from .canvas import SCALE, Canvas


def label(code: str) -> Canvas:
    """The QR code holds exactly `code`."""
    canvas = Canvas(71)
    canvas.surface([(0, 0), (960, 0), (960, 720), (0, 720)], (206, 210, 208), (150, 156, 156), wear=0.2, grain=12)
    canvas.soft([(120, 0), (300, 0), (220, 720), (40, 720)], (255, 255, 255), 0.4, blur=50)
    for x in (20, 930):
        for y in range(60, 720, 120):
            canvas.nut(x, y, 13, (168, 172, 170))
    canvas.soft([(292, 104), (690, 104), (700, 650), (300, 650)], (0, 0, 0), 0.5, blur=14)
    canvas.box(284, 84, 676, 632, (236, 238, 234), radius=14)
    canvas.box(284, 84, 676, 168, (24, 92, 168), radius=14)
    canvas.box(284, 140, 676, 168, (24, 92, 168))
    for x, y in ((302, 102), (658, 102), (302, 614), (658, 614)):
        canvas.nut(x, y, 8, (180, 182, 180))
    matrix = segno.make(code, error="q", micro=False).matrix
    module, edge = 12, 4
    side = (len(matrix) + 2 * edge) * module
    picture = Image.new("L", (side, side), 250)
    for row, line in enumerate(matrix):
        for column, dark in enumerate(line):
            if dark:
                x, y = (column + edge) * module, (row + edge) * module
                picture.paste(18, (x, y, x + module, y + module))
    size = round(330 * SCALE)
    canvas.image.paste(
        picture.resize((size, size), Image.Resampling.NEAREST).convert("RGB"), (round(315 * SCALE), round(186 * SCALE))
    )
    font = ImageFont.load_default(64 * SCALE)
    canvas.pen.text((480 * SCALE, 572 * SCALE), code, fill=(24, 28, 32), font=font, anchor="mm")
    small = ImageFont.load_default(40 * SCALE)
    canvas.pen.text((480 * SCALE, 128 * SCALE), "EQUIPMENT", fill=(240, 246, 252), font=small, anchor="mm")
    canvas.soft([(560, 84), (640, 84), (420, 632), (340, 632)], (255, 255, 255), 0.12, blur=18)
    return canvas
