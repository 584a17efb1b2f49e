"""What lies behind an exception that is not ours, where a person can mend it: a full disk, a forbidden folder, a file
that is damaged, a Spark task with something to say. The system's words reach us from Python, or as Java's trace.
"""

import errno
import io
import os
import re
from pathlib import Path

from vsearch_lib import errors
from vsearch_lib.errors import ArtefactError, VsearchError

_CAUSE_CHARACTERS = 200  # of what Java says: it may repeat a whole file

_MAKE_ROOM = "make room on its disk, and run the same again: what was committed stays"
_ACCESS = "let this user read and write there, or choose another place, and run the same again"
_TO_DO = {
    errno.ENOSPC: f"the disk is full: {_MAKE_ROOM}",
    errno.EDQUOT: _MAKE_ROOM,
    errno.EFBIG: "files may not be so large there (ulimit -f): raise the limit, and run the same again",
    errno.EROFS: "choose a place that can be written",
    errno.EACCES: _ACCESS,
    errno.EPERM: _ACCESS,
    errno.ENAMETOOLONG: "choose a shorter one",
    errno.ENOTDIR: "a file is where a folder must be: choose another place",
    errno.EISDIR: "a folder is where a file must be: choose another place",
    errno.ENOTEMPTY: "choose another place, or take away what lies there",
    errno.EEXIST: "a file is where a folder must be: choose another place",
    errno.ELOOP: "a link leads back to itself there: mend it",
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.ENFILE: "allow more open files",
    errno.EIO: "look after this disk, and run the same again",
    errno.ESTALE: "the disk behind it was taken away: mount it, and run the same again",
    errno.ENOENT: "it went away, or its folder was never there: put it back, and run the same again",
}
# Of what Java, Spark and others say: only what nothing else than the system says in these words.
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
    # In a trace the last cause comes last, and says most.
    r"(?:FileNotFoundException|FileSystemException|AccessDeniedException): (/.+?)(?: \(|: |$)",
    r"\[Errno \d+\] [\w -]+: '(.+?)'",
    r"(?:rows to|reading file|of file) (?:file:)?(/.+?)(?:\. SQLSTATE|\.?$)",
    r"(/\S+): (?:No space|Permission|Read-only|Disk quota)",
)
_ACCESS_DENIED = re.compile(r"(?:java\.nio\.file\.)?AccessDeniedException: (/.+)$", re.MULTILINE)
# Of a folder that cannot be made Hadoop and Delta do not say why.
_CANNOT_CREATE = re.compile(
    r"(?:Mkdirs failed to create|mkdir of|CREATE_LOG_PATH\] Cannot create|Parent path is not a directory:) (?:file:)?"
    r"(/.+?)(?: failed| \(|\.? SQLSTATE|$)",
    re.MULTILINE,
)


def explain(error: BaseException) -> VsearchError | None:
    """Return what `error` means to a person, None where it is a fault of ours."""
    # Some of what Spark raises has Java's trace beside its text.
    text = f"{error}\n{getattr(error, '_stackTrace', '')}"
    found = _by_a_worker(text) or _by_the_system(error) or _by_a_trace(text) or _unreadable_file(text)
    return found or (explain(error.__cause__) if error.__cause__ else None)


def _by_a_worker(text: str) -> VsearchError | None:
    """Return the error for people that a Spark task raised: what reaches the driver is the text of its trace."""
    found = re.search(rf"^{errors.__name__}\.(\w+): (.+)$", text, re.MULTILINE)
    kind = getattr(errors, found[1], None) if found else None
    return kind(found[2]) if found and isinstance(kind, type) and issubclass(kind, VsearchError) else None


def _by_the_system(error: BaseException) -> VsearchError | None:
    if not isinstance(error, OSError) or error.errno not in _TO_DO:
        return None
    place = error.filename2 or error.filename or _path_in_use(error)
    return _line(error.errno, os.fsdecode(place) if isinstance(place, str | bytes | os.PathLike) else None)


def _by_a_trace(text: str) -> VsearchError | None:
    """Return the error that the system gave to Java or to a library, which has only its words."""
    said = _SYSTEM_WORDS_PATTERN.findall(text)
    place = next((found[-1] for pattern in _PATH_PATTERNS if (found := re.findall(pattern, text, re.MULTILINE))), None)
    if said:
        return _line(_WORDS[said[-1]], place)
    if refused := _ACCESS_DENIED.findall(text):
        return _line(errno.EACCES, refused[-1])
    if unmade := _CANNOT_CREATE.findall(text):
        return VsearchError(f"{unmade[-1]}: this folder cannot be made: see whether it may be written and has room")
    return None


def _line(number: int, place: str | None) -> VsearchError:
    what = os.strerror(number)
    what = what[0].lower() + what[1:]
    return VsearchError(f"{place or 'a file'}: {what}; {_TO_DO[number]}")


def _path_in_use(error: BaseException) -> str | None:
    """Return the file that was being written: Python names it where a file is opened, and not where it is written."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    for frame in reversed(frames):
        for value in reversed(list(frame.f_locals.values())):
            name = getattr(value, "name", None) if isinstance(value, io.IOBase) else value
            if isinstance(name, Path) or (isinstance(name, str) and name is not value):
                # A temporary name says nothing any more.
                return str(Path(name).parent if Path(name).name.startswith(".") else name)
    return None


def _unreadable_file(text: str) -> VsearchError | None:
    """Return the error for people where Spark could not read a table's file: it says which in the text of a trace."""
    found = re.search(r"\[FAILED_READ_FILE\.\w+\] .* reading file (.+?)\.\s", text)
    if found is None:
        return None
    causes = re.findall(r"^Caused by: (?:[\w$]+\.)*([\w$]+: .+)$", text, re.MULTILINE)
    why = f" ({causes[-1].replace(found[1], 'it').strip()[:_CAUSE_CHARACTERS]})" if causes else ""
    return ArtefactError(
        f"{found[1]} cannot be read{why}; if it is damaged or gone, put its backup back, or mend the table as "
        'docs/runbook.md says under "A corrupted partition"'
    )
