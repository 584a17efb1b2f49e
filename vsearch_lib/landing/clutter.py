"""Clutter: files that other programs leave beside the data, known by name, counted by kind, and passed over."""

import re
from collections.abc import Sequence

_FOLDERS = {
    "system": {
        *("@eadir", "@tmp", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "$recycle.bin", "lost+found"),
        *("system volume information", "__macosx", ".thumbnails", ".trashes", ".spotlight-v100", ".fseventsd"),
    },
    "job marker": {"_temporary", "_spark_metadata", "_delta_log"},
}
_FILES = {
    "system": {"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r", "picasa.ini", ".ds_store"},
    "job marker": {"_success"},
}
_PATTERNS = {
    "system": re.compile(r"\._.*", re.DOTALL),
    "job marker": re.compile(r"\..*\.crc|_(started|committed)_\d+", re.DOTALL),
    "unfinished upload": re.compile(r".*\.(part|partial|tmp|temp|crdownload|filepart|_copying_)", re.DOTALL),
    "sidecar": re.compile(r".*\.(aae|xmp|thm|pp3|on1|dop|cos|cop|lrv)", re.DOTALL),
    "video": re.compile(r".*\.(mov|mp4|m4v|avi|mts|m2ts|3gp|mkv|webm|wmv|mpg|mpeg)", re.DOTALL),
    "hidden": re.compile(r"\..*", re.DOTALL),
}


def kind_of_clutter(names: Sequence[str]) -> str | None:
    """Return the kind of clutter of a file, None if the file is not clutter.

    Args:
        names: the parts of the file's path below the listed folder: folder names, then the file name.
    """
    *folders, file = (name.lower() for name in names)
    for folder in folders:
        for kind, known in _FOLDERS.items():
            if folder in known:
                return kind
        if folder.startswith("."):
            return "hidden"
    for kind, known in _FILES.items():
        if file in known:
            return kind
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.fullmatch(file)), None)
