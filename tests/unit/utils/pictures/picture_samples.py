"""Picture files of all kinds, whole and broken, by name."""

import io
import random
import struct
import zlib

import numpy as np
from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEIGHT, WIDTH = 24, 32


def picture(seed=0, height=HEIGHT, width=WIDTH):
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def encode(image, file_format, **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def chunks(png):
    position, found = len(_SIGNATURE), []
    while position < len(png):
        (length,) = struct.unpack_from(">I", png, position)
        found.append((png[position + 4 : position + 8], png[position + 8 : position + 8 + length]))
        position += 12 + length
    return found


def png(parts, wrong=()):
    """A PNG of chunks; those of a kind in `wrong` get a wrong checksum."""
    written = [_SIGNATURE]
    for kind, body in parts:
        crc = zlib.crc32(kind + body) ^ (kind in wrong)
        written.append(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc))
    return b"".join(written)


def _png_header(width, height, bits=8, colour=2, rest=(0, 0, 0)):
    return (b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, *rest))


def interlaced(channels_last):
    """An interlaced PNG [H, W, 3], which Pillow does not write."""
    height, width, _ = channels_last.shape
    rows = []
    for x, y, across, down in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        part = channels_last[y::down, x::across]
        if part.shape[1]:
            rows += [b"\0" + row.tobytes() for row in part]
    header = _png_header(width, height, rest=(0, 0, 1))
    return png([header, (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b"")])


def whole():
    """Files that decode, at least by Pillow."""
    image = picture()
    grey16 = np.random.default_rng(1).integers(0, 65535, (HEIGHT, WIDTH), dtype=np.uint16)
    files = {f"png {mode}": encode(image.convert(mode), "PNG") for mode in ("1", "L", "LA", "P")}
    files |= {f"png {mode}": encode(image.convert(mode), "PNG") for mode in ("RGB", "RGBA")}
    files["png 16 bit"] = encode(Image.fromarray(grey16), "PNG")
    files["png interlaced"] = interlaced(np.asarray(image))
    files["png interlaced narrow"] = interlaced(np.asarray(picture(height=9, width=3)))
    files["png one pixel"] = encode(picture(height=1, width=1), "PNG")
    files |= {
        f"bmp {mode}": encode(image.convert(mode), "BMP") for mode in ("1", "L", "RGB", "RGBA")
    }
    files |= {f"jpeg {mode}": encode(image.convert(mode), "JPEG") for mode in ("L", "RGB", "CMYK")}
    files["jpeg progressive"] = encode(image, "JPEG", progressive=True)
    files["jpeg 444"] = encode(image, "JPEG", subsampling=0)
    files["jpeg restarts"] = encode(image, "JPEG", restart_marker_blocks=1)
    files["gif"] = encode(image, "GIF")
    more = [image.rotate(90), image.rotate(180)]
    files["gif of three"] = encode(image, "GIF", save_all=True, append_images=more)
    files["webp"] = encode(image, "WEBP")
    files["webp lossless"] = encode(image, "WEBP", lossless=True)
    files["webp of three"] = encode(image, "WEBP", save_all=True, append_images=more)
    return files


def ycck():
    """A JPEG in YCCK: one in CMYK whose Adobe marker says that the colours were transformed."""
    plain = encode(picture().convert("CMYK"), "JPEG")
    place = plain.index(b"Adobe") + 11
    return plain[:place] + b"\x02" + plain[place + 1 :]


def odd():
    """Files that are broken, or look broken, each in its own way."""
    good = whole()
    rgb, palette = chunks(good["png RGB"]), chunks(good["png P"])
    packed = rgb[1][1]
    raw = zlib.decompress(packed)
    end = (b"IEND", b"")
    jpeg, progressive, bmp = good["jpeg RGB"], good["jpeg progressive"], good["bmp RGB"]
    text = (b"tEXt", b"a\0b")
    frame = jpeg.index(b"\xff\xc0")

    def with_pixels(*bodies):
        return png([rgb[0], *[(b"IDAT", body) for body in bodies], end])

    return {
        "nothing": b"",
        "text": b"no picture at all",
        "tiff": encode(picture(), "TIFF"),
        "ppm": encode(picture(), "PPM"),
        "jpeg YCCK": ycck(),
        "jpeg signature": b"\xff\xd8\xff",
        "jpeg without end": jpeg[:-2],
        "jpeg cut": jpeg[:-100],
        "jpeg cut, with end": jpeg[:-100] + b"\xff\xd9",
        "jpeg cut in header": jpeg[: frame + 3],
        "jpeg with more": jpeg + b"abc",
        "jpeg 0 x 0": jpeg[: frame + 5] + bytes(4) + jpeg[frame + 9 :],
        "jpeg progressive cut": progressive[:-60],
        "jpeg progressive cut, with end": progressive[:-60] + b"\xff\xd9",
        "png signature": _SIGNATURE,
        "png seven bytes": _SIGNATURE[:7],
        "png without IEND": png(rgb[:-1]),
        "png half of IEND": good["png RGB"][:-5],
        "png with more": good["png RGB"] + b"abc",
        **{f"png wrong {kind.decode()}": png(rgb, (kind,)) for kind in (b"IHDR", b"IDAT", b"IEND")},
        "png wrong tEXt": png([rgb[0], text, *rgb[1:]], (b"tEXt",)),
        "png too few pixels": with_pixels(zlib.compress(raw[:-50])),
        "png too many pixels": with_pixels(zlib.compress(raw + bytes(500))),
        "png too many pixels by far": with_pixels(zlib.compress(raw + bytes(500_000))),
        "png wrong sum": with_pixels(packed[:-1] + bytes([packed[-1] ^ 1])),
        "png without sum": with_pixels(packed[:-4]),
        "png sum apart": with_pixels(packed[:-4], packed[-4:]),
        "png in pieces": with_pixels(*[packed[i : i + 7] for i in range(0, len(packed), 7)]),
        "png empty pixels": with_pixels(b"", packed),
        "png unknown filter": with_pixels(zlib.compress(b"\x09" + raw[1:])),
        "png unknown filter below": with_pixels(zlib.compress(raw[:-97] + b"\x05" + raw[-96:])),
        "png unknown chunk": png([rgb[0], (b"ABCD", b"x"), *rgb[1:]]),
        "png no pixels": png([rgb[0], end]),
        "png text in pixels": png(
            [rgb[0], (b"IDAT", packed[:50]), text, (b"IDAT", packed[50:]), end]
        ),
        "png 0 x 0": png([_png_header(0, 0), *rgb[1:]]),
        "png no palette": png([part for part in palette if part[0] != b"PLTE"]),
        "png late palette": png([rgb[0], rgb[1], (b"PLTE", bytes(6)), end]),
        "png two headers": png([rgb[0], *rgb]),
        "png header second": png([text, *rgb]),
        "png other filters": png([_png_header(WIDTH, HEIGHT, rest=(0, 5, 0)), *rgb[1:]]),
        "png 3 bits": png([_png_header(WIDTH, HEIGHT, bits=3), *rgb[1:]]),
        "bmp cut": bmp[:-10],
        "bmp with more": bmp + b"abc",
        "bmp from top": bmp[:22] + struct.pack("<i", -HEIGHT) + bmp[26:],
        "bmp header": bmp[:20],
        "gif cut": good["gif"][:-100],
        "gif without trailer": good["gif"][:-1],
        "gif of three cut": good["gif of three"][:-100],
        "gif header": good["gif"][:10],
        "webp cut": good["webp"][:-20],
        "webp header": good["webp"][:14],
    }


def mutations(count, seed=0):
    """Damaged files, drawn: changed, lost and doubled bytes of the whole ones."""
    draw = random.Random(seed)
    sources = sorted({**whole(), "jpeg YCCK": ycck()}.items())
    for number in range(count):
        name, data = draw.choice(sources)
        data = bytearray(data)
        for _ in range(draw.randint(1, 3)):
            place = draw.randrange(len(data))
            kind = draw.randrange(4)
            if kind == 0:
                data[place] = draw.randrange(256)
            elif kind == 1:
                data[place] ^= 1 << draw.randrange(8)
            elif kind == 2:
                del data[place : place + draw.randint(1, 40)]
            else:
                data[place:place] = data[place : place + draw.randint(1, 40)]
            if not data:
                break
        yield f"{name} {number}", bytes(data)
