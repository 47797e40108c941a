"""Cut AnShaoSans-Regular.ttf out of Noto Sans SC Regular. Run by hand; needs fontTools, which the product does not.

    python cards/fonts/build.py PATH/NotoSansSC-Regular.ttf PATH/OFL.txt

Kept: ASCII, every character of GB 2312 without its Cyrillic, kana and bopomofo rows, units and marks of the trade, and
characters of given names and surnames that GB 2312 lacks. The family is renamed, as a changed font should be; the
copyright line stays.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

HERE = Path(__file__).parent
FAMILY = "AnShao Sans"
# GB 2312 rows: 1 marks, 2 numbering, 3 full-width ASCII, 6 Greek, 16–87 the 6,763 ideographs
ROWS = (1, 2, 3, 6, *range(16, 88))
MARKS = "℃℉㎡㎥㎝㎜㎏㎎㏒µμΩ±×÷°′″‰²³¹½¼¾≤≥≈≠→←↑↓↔▲▼△▽■□●○◆◇★☆√✓✔✕✗·•…—–‘’“”«»‹›€£¥©®№"
NAMES = "喆堃珺玥昇镕翀赟頔婠婳翊甯祎昉淏珅瑄瑀璟旸炘焱犇垚骉昶旻暐曦祐禛彧婕嫣妍珩珣珞琤琬瑢璠璐瓛晞晳煐煊燊奡贇鋆鉴铖锘锳鹮颋靓靚韡骁骐骅龑龘䶮㛃㬎塄邨桠柟梽樑榕洺浠淼湉湜溦滢漪澍濛灏犨玹珮珵琎琚琮瑊瑭璇璘瓒畈畯皞睿礽祺稑竑筠箐粲綦翯耑聿芃苡茜荇莙菂萱葳蒗蓁蔺薇藺蘅虓蛃衎袆詝谡賸赪跣轸迺逄郄郏鄞鄢醴钊钘钰铄铮锜锴镠闫闵阚隺霂霏霖韬頫颀飏馗馥骞魟鲲鳐鸣鹍鹏麒黇黟"


def characters() -> set[int]:
    points = set(range(0x20, 0x7F)) | set(range(0xA1, 0x100)) | {ord(c) for c in MARKS + NAMES}
    points |= set(range(0x2460, 0x2474)) | set(range(0x2160, 0x216C)) | set(range(0x2170, 0x217A))  # ① to ⑳, Ⅰ to Ⅻ, ⅰ
    for row in ROWS:
        for cell in range(1, 95):
            try:
                points.add(ord(bytes((0xA0 + row, 0xA0 + cell)).decode("gb2312")))
            except UnicodeDecodeError:
                continue  # an unassigned cell
    return points


def main(source: Path, licence: Path) -> None:
    options = subset.Options()
    options.layout_features = ["kern", "locl"]
    options.drop_tables += ["BASE", "STAT", "vhea", "vmtx"]
    options.hinting = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14]
    options.notdef_outline = True
    font = TTFont(source)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=sorted(characters()))
    cutter.subset(font)
    names = {1: FAMILY, 3: "AnShaoSans-Regular", 4: f"{FAMILY} Regular", 6: "AnShaoSans-Regular"}
    for name_id, text in names.items():
        font["name"].setName(text, name_id, 3, 1, 0x409)
    font.recalcTimestamp = False
    font.save(HERE / "AnShaoSans-Regular.ttf")
    shutil.copyfile(licence, HERE / "OFL.txt")
    print(
        len(font.getBestCmap()),
        "characters;",
        "missing:",
        "".join(map(chr, sorted(characters() - set(font.getBestCmap())))),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
