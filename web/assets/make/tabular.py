"""Makes the tabular figures: the ten digits of Be Vietnam Pro, all set to one width.

The published font has proportional figures only, so columns of numbers would not align. The font's licence (OFL 1.1,
no reserved name) allows this; the result is under the same licence.

    pip install fonttools brotli
    python tabular.py <folder of @fontsource/be-vietnam-pro>/files ../fonts
"""
import sys
from fontTools import subset
from fontTools.ttLib import TTFont

WIDTH = 676  # of the zero; the widest digit, 4, has side bearings to spare
source, target = sys.argv[1:3]

for weight in (400, 500, 600):
    options = subset.Options(flavor="woff2", layout_features=[], hinting=False, name_IDs=[0, 1, 2, 13, 14])
    font = TTFont(f"{source}/be-vietnam-pro-latin-{weight}-normal.woff2")
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=range(0x30, 0x3A))
    subsetter.subset(font)
    glyphs, metrics = font["glyf"], font["hmtx"]
    for code in range(0x30, 0x3A):
        name = font.getBestCmap()[code]
        advance, bearing = metrics[name]
        shift = (WIDTH - advance) // 2
        glyphs[name].coordinates.translate((shift, 0))
        glyphs[name].recalcBounds(glyphs)
        metrics[name] = (WIDTH, bearing + shift)
    font["name"].setName("Be Vietnam Pro Tabular", 1, 3, 1, 0x409)
    font.flavor = "woff2"
    font.save(f"{target}/tabular-{weight}.woff2")
