"""What a terminal shows: columns by pyte, ink by the bitmaps of GNU Unifont."""

import functools
import re
import unicodedata

import pyte
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont
from wcwidth import wcwidth

PLANE_0 = "/usr/share/unifont/unifont.hex"
UPPER = "/usr/share/fonts/opentype/unifont/unifont_upper.otf"
# Unifont draws a picture of each of these, often its name in a frame; other fonts draw nothing.
BLANK = re.compile("HANGUL .*FILLER|VOWEL INHERENT|VARIATION SELECTOR|GRAPHEME JOINER|OBJECT REPLACEMENT|"
                   "PATTERN BLANK|(FULL|HALF) BLANK|NULL NOTEHEAD|KHITAN SMALL SCRIPT FILLER")
# Newer than the names that Python 3.11 has.
BLANK_TOO = "\U00013441\U00013442"
UNKNOWN = -1


@functools.cache
def bitmaps():
    glyphs = {}
    with open(PLANE_0) as font:
        for line in font:
            code, dots = line.strip().split(":")
            glyphs[int(code, 16)] = int(dots, 16)
    return glyphs


@functools.cache
def upper():
    font = TTFont(UPPER)
    return font.getBestCmap(), font.getGlyphSet()


@functools.cache
def glyph(character):
    """The dots of a character; of the upper planes a number that is 0 if there are none, and
    UNKNOWN of what Unifont does not have."""
    code = ord(character)
    if character in BLANK_TOO or BLANK.search(unicodedata.name(character, "")):
        return 0
    if code in bitmaps():
        return bitmaps()[code]
    names, glyphs = upper()
    if code in names:
        pen = BoundsPen(glyphs)
        glyphs[names[code]].draw(pen)
        return 0 if pen.bounds is None else code << 256
    return UNKNOWN


@functools.cache
def cell_ink(data):
    """The ink of a cell: a character and what is drawn over it."""
    return functools.reduce(lambda ink, character: ink | glyph(character), data, 0)


def lines(text, columns):
    """The cells of each line of `text`, without blank ones at the end, as a terminal shows it."""
    height = text.count("\n") + 2
    # A line that the terminal breaks itself needs more than its own.
    screen = pyte.Screen(columns, 2 * height)
    pyte.Stream(screen).feed(text.replace("\n", "\r\n"))
    shown = [[screen.buffer[y][x].data for x in range(columns)] for y in range(screen.cursor.y + 1)]
    assert len(shown) == text.count("\n") + 1, f"the terminal broke a line itself at {columns}"
    return shown


def inked(cells):
    """A line as its ink."""
    ink = [cell_ink(data) if data else 0 for data in cells]
    # The right half of a wide character is part of its ink.
    for at, data in enumerate(cells):
        if not data and at:
            ink[at] = ink[at - 1]
    while ink and not ink[-1]:
        ink.pop()
    return tuple(ink)


def most_in_one_cell(line):
    """The most characters that a cell of the line holds: one, and what joins it."""
    most = held = 0
    for character in line:
        held = held + 1 if wcwidth(character) == 0 else 1
        most = max(most, held)
    return most


def name(character):
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}"
