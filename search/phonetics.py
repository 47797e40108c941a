"""How a text sounds, so that 周成 finds 轴承 and a southern n/l or zh/z does not matter."""

from __future__ import annotations

import functools

# Ordered: longer spellings first. Pairs that dialects and recognisers mix up fall together.
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("r", "l"), ("f", "h"))
_FINALS = (("iang", "ian"), ("uang", "uan"), ("ang", "an"), ("eng", "en"), ("ing", "in"))


@functools.lru_cache(maxsize=30_000)
def syllable(char: str) -> str:
    """Toneless pinyin of one character; the character itself when it has none."""
    # Loaded late: the table costs half a hundred megabytes and a quarter of a second.
    from pypinyin import lazy_pinyin

    return lazy_pinyin(char)[0]


@functools.lru_cache(maxsize=5_000)
def loose(spelling: str) -> str:
    """A spelling with the usual confusions folded: n/l, r/l, f/h, zh/z, ch/c, sh/s, -ng/-n."""
    for long_form, short in _INITIALS:
        if spelling.startswith(long_form) and len(spelling) > len(long_form):
            spelling = short + spelling[len(long_form) :]
            break
    for long_form, short in _FINALS:
        if spelling.endswith(long_form):
            return spelling[: -len(long_form)] + short
    return spelling


def exact_sounds(text: str) -> tuple[str, ...]:
    """Toneless pinyin of every character."""
    return tuple(syllable(char) for char in text)


def loose_sounds(text: str) -> tuple[str, ...]:
    """Folded pinyin of every character."""
    return tuple(loose(syllable(char)) for char in text)
