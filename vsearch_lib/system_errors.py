"""Explains exceptions of other software whose cause a user can remove: a full disk, a forbidden folder, a damaged file,
a failed Spark task. The system's error text comes from Python, or in a trace of Java.
"""

import errno
import io
import os
import re
from pathlib import Path

from vsearch_lib import errors
from vsearch_lib.errors import ArtefactError, VsearchError

_CAUSE_CHARACTERS = 200  # of Java's text, which may repeat a whole file

_MAKE_ROOM = "make room on its disk, and run the same again: what was committed stays"
_ACCESS = "let this user read and write there, or choose another path, and run the same again"
_TO_DO = {
    errno.ENOSPC: f"the disk is full: {_MAKE_ROOM}",
    errno.EDQUOT: _MAKE_ROOM,
    errno.EFBIG: "the file is larger than the limit there (ulimit -f): raise the limit, and run the same again",
    errno.EROFS: "choose a path that can be written",
    errno.EACCES: _ACCESS,
    errno.EPERM: _ACCESS,
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOTDIR: "a file is where a folder must be: choose another path",
    errno.EISDIR: "a folder is where a file must be: choose another path",
    errno.ENOTEMPTY: "choose another path, or remove what is there",
    errno.EEXIST: "a file is where a folder must be: choose another path",
    errno.ELOOP: "a link there leads back to itself: repair it",
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.ENFILE: "allow more open files",
    errno.EIO: "check this disk, and run the same again",
    errno.ESTALE: "the disk behind it was taken away: mount it, and run the same again",
    errno.ENOENT: "it was removed, or its folder never existed: put it back, and run the same again",
}
# Searched for in the texts of Java, Spark and others: only wordings that nothing but the system uses.
_WORDS = {
    os.strerror(number): number
    for number in (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EROFS,
        errno.EACCES,
        errno.ENAMETOOLONG,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EMFILE,
        errno.EIO,
        errno.ESTALE,
    )
}
_SYSTEM_WORDS_PATTERN = re.compile(rf"\b({'|'.join(map(re.escape, _WORDS))})(?=$|[\s)'\".:,])", re.MULTILINE)
_PATH_PATTERNS = (
    r'Cannot run program "(.+?)"',
    # In a trace the root cause comes last, and says most.
    r"(?:FileNotFoundException|FileSystemException|AccessDeniedException): (/.+?)(?: \(|: |$)",
    r"\[Errno \d+\] [\w -]+: '(.+?)'",
    r"(?:rows to|reading file|of file) (?:file:)?(/.+?)(?:\. SQLSTATE|\.?$)",
    r"(/\S+): (?:No space|Permission|Read-only|Disk quota)",
)
_ACCESS_DENIED = re.compile(r"(?:java\.nio\.file\.)?AccessDeniedException: (/.+)$", re.MULTILINE)
# Hadoop and Delta do not say why a folder cannot be made.
_CANNOT_CREATE = re.compile(
    r"(?:Mkdirs failed to create|mkdir of|CREATE_LOG_PATH\] Cannot create|Parent path is not a directory:) (?:file:)?"
    r"(/.+?)(?: failed| \(|\.? SQLSTATE|$)",
    re.MULTILINE,
)


def explain(error: BaseException) -> VsearchError | None:
    """Return an error that explains `error` to a user, None if it is a fault in our code."""
    # Some errors of Spark have Java's trace in an attribute of its own.
    text = f"{error}\n{getattr(error, '_stackTrace', '')}"
    explained = _raised_by_task(text) or _raised_by_python(error) or _cause_in_trace(text) or _unreadable_file(text)
    return explained or (explain(error.__cause__) if error.__cause__ else None)


def _raised_by_task(text: str) -> VsearchError | None:
    """Return the VsearchError that a Spark task raised: only the text of its trace reaches the driver."""
    match = re.search(rf"^{errors.__name__}\.(\w+): (.+)$", text, re.MULTILINE)
    kind = getattr(errors, match[1], None) if match else None
    return kind(match[2]) if match and isinstance(kind, type) and issubclass(kind, VsearchError) else None


def _raised_by_python(error: BaseException) -> VsearchError | None:
    if not isinstance(error, OSError) or error.errno not in _TO_DO:
        return None
    path = error.filename2 or error.filename or _path_in_use(error)
    return _error(error.errno, os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else None)


def _cause_in_trace(text: str) -> VsearchError | None:
    """Return the system error that Java or a library met: they report only its text."""
    words = _SYSTEM_WORDS_PATTERN.findall(text)
    path = next((paths[-1] for pattern in _PATH_PATTERNS if (paths := re.findall(pattern, text, re.MULTILINE))), None)
    if words:
        return _error(_WORDS[words[-1]], path)
    if refused := _ACCESS_DENIED.findall(text):
        return _error(errno.EACCES, refused[-1])
    if missing := _CANNOT_CREATE.findall(text):
        return VsearchError(f"{missing[-1]}: this folder cannot be made: check that it may be written and has room")
    return None


def _error(number: int, path: str | None) -> VsearchError:
    what = os.strerror(number)
    what = what[0].lower() + what[1:]
    return VsearchError(f"{path or 'a file'}: {what}; {_TO_DO[number]}")


def _path_in_use(error: BaseException) -> str | None:
    """Return the file that was being written: Python names a file in errors of opening, but not of writing."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    for frame in reversed(frames):
        for value in reversed(list(frame.f_locals.values())):
            name = getattr(value, "name", None) if isinstance(value, io.IOBase) else value
            if isinstance(name, Path) or (isinstance(name, str) and name is not value):
                # The name of a temporary file would tell the user nothing.
                return str(Path(name).parent if Path(name).name.startswith(".") else name)
    return None


def _unreadable_file(text: str) -> VsearchError | None:
    """Return the error for a table's file that Spark could not read; the trace names the file."""
    match = re.search(r"\[FAILED_READ_FILE\.\w+\] .* reading file (.+?)\.\s", text)
    if match is None:
        return None
    causes = re.findall(r"^Caused by: (?:[\w$]+\.)*([\w$]+: .+)$", text, re.MULTILINE)
    why = f" ({causes[-1].replace(match[1], 'it').strip()[:_CAUSE_CHARACTERS]})" if causes else ""
    return ArtefactError(
        f"{match[1]} cannot be read{why}; if it is damaged or gone, put its backup back, or repair the table as "
        'docs/runbook.md says under "A corrupted partition"'
    )
