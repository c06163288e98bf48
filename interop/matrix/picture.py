"""Two recorded terminals as one SVG, which plays once and then stays. Without animations it is the end."""

import re
import unicodedata
import xml.sax.saxutils

COLUMNS = 64
WIDTH, HEIGHT, SIZE = 7.8, 19, 13  # of a column, of a line, of a letter
MARGIN, TITLE = 14, 30
# By SGR number. The background is the picture's own, so it does not matter what it lies on.
COLOURS = {0: "#e6e6e6", 2: "#8b949e", 31: "#ff7b72", 32: "#7ee787", 33: "#f2cc60"}
PARTS = re.compile(r"\x1b\[(\d+)m|(\r\n)|([^\x1b\r\n]+)")


def columns(symbol):
    """How many columns a symbol takes; the selector that asks for a coloured picture takes none."""
    if symbol == "\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(symbol) == "W" or ord(symbol) > 0x2600 else 1


class Screen:
    """Pieces of text with their place, colour, and time."""

    def __init__(self, seen):
        self.pieces, self.line, self.column, self.colour = [], 0, 0, COLOURS[0]
        for seconds, text in seen:
            for code, newline, plain in PARTS.findall(text):
                if code:
                    self.colour = COLOURS[int(code)]
                elif newline:
                    self.line, self.column = self.line + 1, 0
                else:
                    self.add(seconds, plain)

    def add(self, seconds, text):
        for symbol in text:
            width = columns(symbol)
            if self.column + width > COLUMNS:
                self.line, self.column = self.line + 1, 0
            if width:
                self.extend(seconds, symbol, width)
            elif self.pieces:
                self.pieces[-1]["text"] += symbol
            self.column += width

    def extend(self, seconds, symbol, width):
        """Letters of one line, colour and time are one piece; a picture is a piece of its own."""
        last = self.pieces[-1] if self.pieces else None
        same = (self.line, self.colour, seconds, 1)
        if last and last["key"] == same and width == 1 and last["end"] == self.column:
            last["text"] += symbol
            last["end"] += 1
        else:
            self.pieces.append({"key": (self.line, self.colour, seconds, width), "text": symbol,
                                "column": self.column, "end": self.column + width})


def pane(title, screen, left, lines):
    width, height = COLUMNS * WIDTH + 2 * MARGIN, TITLE + lines * HEIGHT + MARGIN
    parts = [f'<rect x="{left}" width="{width:.0f}" height="{height}" rx="8" fill="#161b22" '
             f'stroke="#8b949e"/>',
             f'<text x="{left + MARGIN}" y="20" fill="#8b949e" font-weight="bold">'
             f'{xml.sax.saxutils.escape(title)}</text>']
    for piece in screen.pieces:
        # Spaces at either end would not be drawn.
        text = piece["text"].strip()
        if not text:
            continue
        column = piece["column"] + piece["text"].index(text)
        line, colour, seconds, size = piece["key"]
        x = left + MARGIN + column * WIDTH
        y = TITLE + (line + 0.75) * HEIGHT
        # The width of letters is given, so that columns meet whatever the font is.
        letters, symbol = f'textLength="{len(text) * WIDTH:.1f}"', f'font-size="{size * WIDTH:.1f}"'
        parts.append(f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" '
                     f'{letters if size == 1 else symbol} '
                     f'style="animation-duration:{seconds:.2f}s">'
                     f'{xml.sax.saxutils.escape(text)}</text>')
    return parts


def write(path, terminals):
    screens = [(title, Screen(seen)) for title, seen in terminals]
    lines = max(piece["key"][0] for _, screen in screens for piece in screen.pieces) + 1
    step = COLUMNS * WIDTH + 3 * MARGIN
    parts = [part for number, (title, screen) in enumerate(screens)
             for part in pane(title, screen, round(number * step), lines)]
    width, height = round(2 * step - MARGIN), TITLE + lines * HEIGHT + MARGIN
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {width + 2} {height + 2}" '
        f'font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" '
        f'font-size="{SIZE}">\n'
        '<title>Two people on two homeservers compare emoji, and chat</title>\n'
        # Hidden until its time has come; without animations, never hidden.
        '<style>@keyframes wait{from,to{visibility:hidden}}text{animation:wait 0s}'
        '@media(prefers-reduced-motion){text{animation:none}}</style>\n'
        + "\n".join(parts) + "\n</svg>\n")
