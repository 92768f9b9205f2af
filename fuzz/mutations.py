"""Changes of inputs. Each choice depends on the random generator alone, so a seed repeats a run."""

NUMBERS = [
    b"0", b"-1", b"1", b"255", b"256", b"65535", b"65536", b"2147483647", b"2147483648", b"4294967295", b"4294967296",
    b"9223372036854775807", b"9223372036854775808", b"18446744073709551615", b"18446744073709551616", b"-9223372036854775808",
    b"-9223372036854775809", b"1e999", b"1e-999", b"0x10", b"00000000000000000001", b"1.5", b"NaN", b"99999999999999999999999999999999",
]

# Bytes that parsers treat in a special way.
TOKENS = [
    b"\0", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\r\n", b"\n\n", b"\t", b" ",
    b"\xcc\x81" * 40, b"\xe2\x80\xae", b"\x1b[31m", b"\\u0000", b"\\ud800", b"\\", b"\"", b"'", b"/../", b"../../../etc/passwd", b"%2e%2e/",
    b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?xml version=\"1.0\" encoding=\"UTF-16\"?>", b"<!DOCTYPE a [<!ENTITY b \"c\">]>", b"&b;", b"&#0;",
    b"&#x110000;", b"&amp;", b"</", b"/>", b"xml:base=\"file:///etc/\"", b"pkgid=\"YES\"", b"[", b"]", b"{", b"}", b"{}", b"[]", b"null", b"true",
    b",", b":", b"- ", b"---\n", b"...\n", b"&a *a", b"<<: *a", b"!!binary ", b"|\n", b">\n", b"? ", b"$(", b"`", b"${", b"${a:-${b", b"#",
    b"\\\n", b"<<EOF\n", b"FROM ", b"RUN ", b"ARG ", b"ONBUILD ", b"--mount=type=", b"\n--XX\r\n", b"--XX--", b"sha256:", b"://", b"@", b"*", b"?",
]


def mutate(dice, seeds):
    """Returns a new input: one of the seeds after one change, or after a few."""
    data = bytearray(dice.choice(seeds))
    changes = 1 if dice.random() < 0.5 else 2 + min(int(dice.expovariate(0.5)), 10)
    for _ in range(changes):
        dice.choice(CHANGES)(dice, data, seeds)
        if len(data) > 1 << 20:
            del data[1 << 20 :]
    return bytes(data)


def _place(dice, data):
    return dice.randrange(len(data) + 1)


def _flip(dice, data, seeds):
    if data:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _set(dice, data, seeds):
    if data:
        data[dice.randrange(len(data))] = dice.choice([0, 1, 0x20, 0x30, 0x7F, 0x80, 0xFF, dice.randrange(256)])


def _word(dice, data, seeds):
    """Replaces two, four or eight bytes by a number, as binary formats have them."""
    size = dice.choice([2, 4, 8])
    if len(data) >= size:
        place = dice.randrange(len(data) - size + 1)
        value = dice.choice([0, 1, (1 << (8 * size)) - 1, 1 << (8 * size - 1), (1 << (8 * size - 1)) - 1, len(data), dice.randrange(1 << 16)])
        data[place : place + size] = (value % (1 << (8 * size))).to_bytes(size, dice.choice(["little", "big"]))


def _insert(dice, data, seeds):
    place = _place(dice, data)
    data[place:place] = dice.choice(TOKENS)


def _overwrite(dice, data, seeds):
    token = dice.choice(TOKENS)
    place = _place(dice, data)
    data[place : place + len(token)] = token


def _delete(dice, data, seeds):
    if data:
        place = dice.randrange(len(data))
        del data[place : place + 1 + min(int(dice.expovariate(0.05)), len(data))]


def _cut(dice, data, seeds):
    del data[_place(dice, data) :]


def _repeat(dice, data, seeds):
    """Repeats a part, sometimes a thousand times."""
    if data:
        begin = dice.randrange(len(data))
        part = bytes(data[begin : begin + 1 + min(int(dice.expovariate(0.02)), 2000)])
        times = dice.choice([1, 1, 2, 10, 1000])
        data[begin:begin] = (part * times)[: 1 << 18]


def _splice(dice, data, seeds):
    """Goes on with a part of another seed."""
    other = dice.choice(seeds)
    data[_place(dice, data) :] = other[dice.randrange(len(other) + 1) :]


def _number(dice, data, seeds):
    """Replaces a decimal number of a text."""
    places = [i for i in range(len(data)) if 0x30 <= data[i] <= 0x39 and (i == 0 or not 0x30 <= data[i - 1] <= 0x39)]
    if places:
        begin = end = dice.choice(places)
        while end < len(data) and 0x30 <= data[end] <= 0x39:
            end += 1
        data[begin:end] = dice.choice(NUMBERS)


def _line(dice, data, seeds):
    """Moves, deletes or doubles a line of a text."""
    lines = bytes(data).split(b"\n")
    if len(lines) < 2:
        return
    line = lines.pop(dice.randrange(len(lines)))
    for _ in range(dice.choice([0, 1, 2])):
        lines.insert(dice.randrange(len(lines) + 1), line)
    data[:] = b"\n".join(lines)


def _nest(dice, data, seeds):
    """Puts many openings in front of a place, and closings behind it."""
    opening, closing = dice.choice([(b"[", b"]"), (b"{\"a\":", b"}"), (b"<a>", b"</a>"), (b"(", b")"), (b"- ", b""), (b"<array><data><value>", b"")])
    place, depth = _place(dice, data), dice.choice([10, 100, 10000])
    data[place:place] = opening * depth + closing * depth


CHANGES = [_flip, _set, _word, _insert, _insert, _overwrite, _delete, _cut, _repeat, _splice, _number, _number, _line, _nest]
