"""A small brush box on top of Pillow: shaded tubes, worn surfaces, soft shadows, and the look of a phone's camera."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

WIDTH, HEIGHT = 960, 720
SCALE = 1.5  # drawn larger, so that edges come out smooth

Colour = tuple[int, int, int]
Point = tuple[float, float]


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`share` of b in a."""
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def lit(colour: Colour, factor: float) -> Colour:
    """Brighter above 1, darker below."""
    return tuple(max(0, min(255, round(v * factor))) for v in colour)  # type: ignore[return-value]


def _cloud(size: tuple[int, int], cells: tuple[int, int]) -> Image.Image:
    """Soft grey blotches between 170 and 255."""
    noise = Image.effect_noise(cells, 70).point(lambda v: max(170, min(255, 222 + (v - 128) // 2)))
    return noise.resize(size, Image.Resampling.BICUBIC)


class Canvas:
    """All coordinates in picture points of 960 × 720, y downwards. One seed gives one picture."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.image = Image.new("RGB", (round(WIDTH * SCALE), round(HEIGHT * SCALE)))
        self.pen = ImageDraw.Draw(self.image)

    # --- plain shapes --------------------------------------------------------------------------------------------
    def poly(self, points: Sequence[Point], fill: Colour) -> None:
        self.pen.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: Colour, *, radius: float = 0) -> None:
        self.pen.rounded_rectangle((x0 * SCALE, y0 * SCALE, x1 * SCALE, y1 * SCALE), radius * SCALE, fill=fill)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        self.pen.ellipse(((x - rx) * SCALE, (y - ry) * SCALE, (x + rx) * SCALE, (y + ry) * SCALE), fill=fill)

    def ring(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        edges = ((x - rx) * SCALE, (y - ry) * SCALE, (x + rx) * SCALE, (y + ry) * SCALE)
        self.pen.ellipse(edges, outline=colour, width=3)

    def line(self, points: Sequence[Point], fill: Colour, width: float) -> None:
        size = max(1, round(width * SCALE))
        self.pen.line([(x * SCALE, y * SCALE) for x, y in points], fill=fill, width=size, joint="curve")

    # --- surfaces ------------------------------------------------------------------------------------------------
    def surface(
        self, points: Sequence[Point], top: Colour, bottom: Colour, *, wear: float = 0.16, grain: float = 14
    ) -> None:
        """A polygon with a vertical gradient, blotches of `wear` (0 … 1) and fine `grain` (grey levels)."""
        left, top_y, size = self._around(points, 0)
        strip = Image.new("RGB", (1, size[1]))
        strip.putdata([mix(top, bottom, row / size[1]) for row in range(size[1])])
        area = strip.resize(size)
        cells = (2 + size[0] // 160, 2 + size[1] // 160)
        blotch = Image.blend(_cloud(size, cells), _cloud(size, (cells[0] * 4, cells[1] * 4)), 0.45)
        area = Image.blend(area, ImageChops.multiply(area, Image.merge("RGB", [blotch] * 3)), min(1.0, 3 * wear))
        if grain:
            noise = Image.effect_noise(size, grain)
            area = ImageChops.add(area, Image.merge("RGB", [noise] * 3), scale=1, offset=-128)
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).polygon([(x * SCALE - left, y * SCALE - top_y) for x, y in points], fill=255)
        self.image.paste(area, (left, top_y), mask)

    def _around(self, points: Sequence[Point], margin: float) -> tuple[int, int, tuple[int, int]]:
        """Left, top and size in pixels of what holds the polygon and a margin, inside the picture."""
        xs, ys = [x for x, _ in points], [y for _, y in points]
        left, top = max(0, int((min(xs) - margin) * SCALE)), max(0, int((min(ys) - margin) * SCALE))
        right = min(self.image.width, int((max(xs) + margin) * SCALE) + 1)
        bottom = min(self.image.height, int((max(ys) + margin) * SCALE) + 1)
        return left, top, (max(1, right - left), max(1, bottom - top))

    def tube(
        self, x0: float, y0: float, x1: float, y1: float, colour: Colour, *, upright: bool = False, shine: float = 0.5
    ) -> None:
        """A cylinder seen from the side, light from the upper left."""
        steps = 64
        shades = []
        for step in range(steps):
            t = (step + 0.5) / steps
            body = math.sin(math.pi * min(1.0, t * 0.9 + 0.12)) ** 0.8
            glint = math.exp(-(((t - 0.3) / 0.09) ** 2)) * shine
            shades.append(mix(lit(colour, 0.32 + 0.78 * body), (255, 255, 255), min(0.85, glint)))
        strip = Image.new("RGB", (steps, 1) if upright else (1, steps))
        strip.putdata(shades)
        size = (max(1, round((x1 - x0) * SCALE)), max(1, round((y1 - y0) * SCALE)))
        self.image.paste(strip.resize(size, Image.Resampling.BICUBIC), (round(x0 * SCALE), round(y0 * SCALE)))

    def nut(self, x: float, y: float, size: float, colour: Colour) -> None:
        """A hexagon head seen from the front."""
        corners = [
            (x + size * math.cos(math.radians(60 * k + 15)), y + size * math.sin(math.radians(60 * k + 15)))
            for k in range(6)
        ]
        self.soft([(px + size * 0.2, py + size * 0.3) for px, py in corners], (0, 0, 0), 0.55, blur=size * 0.25)
        self.poly(corners, lit(colour, 0.75))
        self.oval(x, y, size * 0.82, size * 0.82, colour)
        self.oval(x - size * 0.18, y - size * 0.2, size * 0.45, size * 0.4, lit(colour, 1.3))
        self.oval(x, y, size * 0.34, size * 0.34, lit(colour, 0.6))

    # --- light ---------------------------------------------------------------------------------------------------
    def soft(self, points: Sequence[Point], colour: Colour, strength: float, *, blur: float) -> None:
        """A soft-edged stain, shadow (black) or shine (white) in the form of a polygon."""
        left, top, size = self._around(points, 3 * blur)
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).polygon(
            [(x * SCALE - left, y * SCALE - top) for x, y in points], fill=round(255 * strength)
        )
        mask = mask.filter(ImageFilter.GaussianBlur(blur * SCALE))
        self.image.paste(colour, (left, top, left + size[0], top + size[1]), mask)

    def pool(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """A puddle on the floor: ragged outline, dark rim, mirrored light."""
        ragged = self.ragged(x, y, rx, ry)
        self.soft([(x + (px - x) * 1.08, y + (py - y) * 1.12) for px, py in ragged], (20, 22, 24), 0.5, blur=6)
        self.soft(ragged, colour, 0.82, blur=2)
        shine = self.ragged(x - rx * 0.2, y - ry * 0.22, rx * 0.55, ry * 0.34)
        self.soft(shine, (214, 226, 236), 0.55, blur=8)
        self.soft(self.ragged(x + rx * 0.4, y + ry * 0.3, rx * 0.2, ry * 0.14), (235, 242, 248), 0.5, blur=4)

    def ragged(self, x: float, y: float, rx: float, ry: float, *, corners: int = 28) -> list[Point]:
        """The corners of an uneven oval."""
        found = []
        for k in range(corners):
            reach = 1 + self.random.uniform(-0.13, 0.13)
            angle = 2 * math.pi * k / corners
            found.append((x + rx * reach * math.cos(angle), y + ry * reach * math.sin(angle)))
        return found

    def defocus(self, radius: float) -> None:
        """What is drawn so far lies behind the focus."""
        self.image = self.image.filter(ImageFilter.GaussianBlur(radius * SCALE))
        self.pen = ImageDraw.Draw(self.image)

    def kept(self) -> Canvas:
        """Itself, made no larger than photos need it."""
        self.image = self.image.resize((WIDTH * 5 // 4, HEIGHT * 5 // 4), Image.Resampling.LANCZOS)
        self.pen = ImageDraw.Draw(self.image)
        return self

    def shot(self, *, take: random.Random, zoom: float, dx: float, dy: float, exposure: float) -> Image.Image:
        """The photo: framing (`zoom` ≥ 1.06, `dx`, `dy` in shares of the picture), light, vignette, sensor noise.

        `take` moves the hand a little, so that no two photos of one place are the same file.
        """
        zoom *= take.uniform(1.0, 1.02)
        width, height = self.image.width / zoom, self.image.height / zoom
        x = (self.image.width - width) * (0.5 + dx + take.uniform(-0.06, 0.06))
        y = (self.image.height - height) * (0.5 + dy + take.uniform(-0.06, 0.06))
        x, y = min(max(x, 0), self.image.width - width), min(max(y, 0), self.image.height - height)
        tilted = self.image.rotate(take.uniform(-0.5, 0.5), Image.Resampling.BICUBIC)
        photo = tilted.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS, box=(x, y, x + width, y + height))
        photo = ImageEnhance.Brightness(photo).enhance(exposure * take.uniform(0.98, 1.02))
        dark = Image.radial_gradient("L").resize((WIDTH, HEIGHT)).point(lambda v: max(0, v - 110) * 0.5)
        photo.paste((8, 10, 14), mask=dark)
        noise = Image.merge("RGB", [Image.effect_noise((WIDTH, HEIGHT), 7) for _ in range(3)])
        return ImageChops.add(photo, noise, scale=1, offset=-128).filter(ImageFilter.GaussianBlur(0.5))
