"""Publishing a version that passed its gate: write its manifest, then move the pointer to it."""

import uuid
from datetime import UTC, datetime

from vsearch_lib.artefact.content import digest, json_bytes
from vsearch_lib.artefact.manifest import Manifest, encode
from vsearch_lib.artefact.pointer import POINTER, Pointer, manifest_key, read_pointer
from vsearch_lib.errors import ArtefactError, PublishConflict
from vsearch_lib.storage import Store, Versioned


def publish(store: Store, manifest: Manifest, *, now: datetime) -> Pointer:
    """Write the manifest of a version that passed its gate, then move the pointer to it.

    Raises:
        PublishConflict: a newer version is served, or another one than the manifest's parent, or another publisher
            moved the pointer meanwhile; the pointer stays.
    """
    version = manifest.version
    served = read_pointer(store)
    if served and served.version == version:
        return served
    if served and served.version > version:
        raise PublishConflict(f"{store.uri} serves {served.version}, which is newer than {version}; the pointer stays")
    if manifest.parent != (served.version if served else None):
        raise PublishConflict(
            f"{version} was built on {manifest.parent}, and {served.version if served else 'nothing'} is served "
            f"at {store.uri} now; build again"
        )
    content = encode(manifest)
    key = manifest_key(version)
    if not store.write_new(key, content) and store.read(key) != content:
        raise ArtefactError(f"{store.uri}/{key} is there already with other content: publish under another run id")
    return move_pointer(store, version, digest(content), expected=served.stored if served else None, now=now)


def move_pointer(
    store: Store, version: str, manifest_sha256: str, *, expected: Versioned | None, now: datetime
) -> Pointer:
    """Point CURRENT at a version whose manifest is written, if CURRENT is still `expected`.

    Raises:
        PublishConflict: another publisher was faster; its pointer stays.
    """
    publish_id = uuid.uuid4().hex
    fields = {
        "version": version,
        "manifest": manifest_key(version),
        "manifest_sha256": manifest_sha256,
        "published_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "publish_id": publish_id,
    }
    try:
        store.replace(POINTER, json_bytes(fields), expected)
    except Exception:
        # The write may have succeeded although its reply was lost: read the pointer back to see.
        if (after := read_pointer(store)) and after.publish_id == publish_id:
            return after
        raise
    after = read_pointer(store)
    if after is None or after.publish_id != publish_id:
        raise PublishConflict(f"{store.uri}/{POINTER}: another publisher was faster; {version} is not served")
    return after
