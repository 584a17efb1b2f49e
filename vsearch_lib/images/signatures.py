"""The format of a file by its first bytes, for the message that explains why it is not accepted as a picture."""

import re

# Accepted formats: a file that begins like this and cannot be opened is a broken picture.
_ACCEPTED = (
    ("JPEG", rb"\xff\xd8\xff"),
    ("PNG", rb"\x89PNG\r\n\x1a\n"),
    ("WebP", rb"RIFF.{4}WEBP"),
    ("GIF", rb"GIF8[79]a"),
    ("TIFF", rb"II[*+]\0|MM\0[*+]"),
    ("AVIF", rb".{4}ftypavi[fs]"),
    ("HEIC", rb".{4}ftyp(?:he[iv][cmsx]|mif1|msf1)"),
)
# Other known formats; the first that matches decides.
_OTHERS = (
    ("only zero bytes at its start", rb"\0{16}|\0+\Z"),
    ("JPEG 2000", rb"\0{3}\x0cjP  |\xff\x4f\xff\x51"),
    ("JPEG XL", rb"\xff\x0a|\0{3}\x0cJXL "),
    ("JPEG XR", rb"II\xbc"),
    ("Photoshop file (PSD)", rb"8BPS"),
    ("icon (ICO)", rb"\0\0\x01\0"),
    ("cursor (CUR)", rb"\0\0\x02\0"),
    ("Canon raw file (CR3)", rb".{4}ftypcrx "),
    ("Fujifilm raw file (RAF)", rb"FUJIFILMCCD-RAW"),
    ("Olympus raw file (ORF)", rb"IIR[OS]|MMOR"),
    ("Panasonic raw file (RW2)", rb"IIU\0"),
    ("OpenEXR", rb"\x76\x2f\x31\x01"),
    ("Radiance HDR", rb"#\?R(?:ADIANCE|GBE)"),
    ("DDS texture", rb"DDS "),
    ("GIMP file (XCF)", rb"gimp xcf"),
    ("QOI", rb"qoif"),
    ("portable anymap (PBM, PGM, PPM or PAM)", rb"P[1-7]\s"),
    ("PDF", rb"%PDF-"),
    ("PostScript", rb"%!PS|\xc5\xd0\xd3\xc6"),
    ("QuickTime video", rb".{4}(?:ftypqt  |moov|wide)"),
    ("MP4 video", rb".{4}ftyp(?:iso|mp4|mp7|avc|M4V|MSNV|3g|dash|f4v)"),
    ("MP4 sound", rb".{4}ftypM4[AB]"),
    ("file of the MP4 family, of no accepted brand", rb".{4}ftyp"),
    ("Matroska or WebM video", rb"\x1a\x45\xdf\xa3"),
    ("AVI video", rb"RIFF.{4}AVI "),
    ("WAV sound", rb"RIFF.{4}WAVE"),
    ("MP3 sound", rb"ID3"),
    ("Ogg", rb"OggS"),
    ("ZIP archive", rb"PK(?:\x03\x04|\x05\x06)"),
    ("gzip archive", rb"\x1f\x8b"),
    ("bzip2 archive", rb"BZh[1-9]"),
    ("xz archive", rb"\xfd7zXZ\0"),
    ("Zstandard archive", rb"\x28\xb5\x2f\xfd"),
    ("7z archive", rb"7z\xbc\xaf\x27\x1c"),
    ("RAR archive", rb"Rar!\x1a\x07"),
    ("tar archive", rb".{257}ustar"),
    ("Parquet file", rb"PAR1"),
    ("HTML page", rb"(?i:(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|body|\?xml.*?<html|!--.*?<html))"),
    ("SVG drawing", rb"(?:\xef\xbb\xbf)?\s*<(?:svg|[?!].*?<svg)\b"),
    ("XML", rb"(?:\xef\xbb\xbf)?\s*<\?xml"),
)
_COMPILED = [[(name, re.compile(pattern, re.DOTALL)) for name, pattern in table] for table in (_ACCEPTED, _OTHERS)]
# So many bytes are examined: an SVG drawing may have comments before its first tag.
_START_BYTES = 1024
# Text has no control characters other than tab, line ends, form feed and escape.
_CONTROL = re.compile(rb"[\0-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")


def accepted_format(content: bytes) -> str | None:
    """Return the accepted format whose first bytes `content` has, None if there is none."""
    return _first_match(0, content)


def describe(content: bytes) -> str:
    """Return in one line the format of `content`, which is not accepted, or its first bytes if it is unknown."""
    start = content[:_START_BYTES]
    if name := _first_match(1, start):
        return name if name.startswith("only") else f"{name}, by its first bytes"
    if not _CONTROL.search(start) and _is_utf8(start):
        return "plain text"
    return f"unknown format; it starts with {start[:8].hex(' ')}"


def _first_match(table: int, content: bytes) -> str | None:
    start = content[:_START_BYTES]
    return next((name for name, pattern in _COMPILED[table] if pattern.match(start)), None)


def _is_utf8(start: bytes) -> bool:
    try:
        start.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"  # we cut the text inside a character
    return True
