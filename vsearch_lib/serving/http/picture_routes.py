"""Routes of pictures, and of random images to start from."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from vsearch_lib.eligibility import FOR_EVERYBODY
from vsearch_lib.errors import UnknownImage
from vsearch_lib.serving.http.pictures import PictureReader, Size, Thumbnails, thumbnail
from vsearch_lib.serving.http.query import Text
from vsearch_lib.serving.http.search_routes import ImageId
from vsearch_lib.serving.http.service import Service
from vsearch_lib.serving.http.shown import image_json
from vsearch_lib.serving.pictures import Picture

_PUBLIC = "private, max-age=300"  # in browsers, not in shared caches; an image that is hidden is gone soon
_NEVER = "no-store"
_MAX_RANDOM = 100


def picture_routes(service: Service, reader: PictureReader, thumbnails: Thumbnails) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    def found(image_id: str, size: Size, viewer_id: str | None) -> tuple[Picture, str]:
        """Return a picture, and how browsers may keep it.

        The index decides whether the image is there for this viewer, and the lake whether it still is.
        """
        version = service.version
        facts = service.facts([image_id], viewer_id).get(image_id)
        if facts is None:
            raise UnknownImage("image_id", image_id)
        if FOR_EVERYBODY.holds(facts.visibility):

            def read() -> Picture | None:
                return reader.read(image_id, None)

            public = read() if size == "full" else thumbnails.get(version, image_id, read)
            if public is not None:
                return public, _PUBLIC
        own = reader.read(image_id, viewer_id) if viewer_id is not None else None
        if own is None:
            raise UnknownImage("image_id", image_id)
        return own if size == "full" else thumbnail(own), _NEVER

    @routes.get("/images/{image_id:image_id}", response_class=Response)
    async def image(
        request: Request,
        image_id: ImageId,
        size: Annotated[Size, Query(description="shrunk to 240 pixels, or as it is stored")] = "full",
        user_id: Annotated[Text | None, Query(description="who asks")] = None,
    ) -> Response:
        """Return the picture of an image as a JPEG; 404 if there is none that the asker may see."""
        picture, keeping = await to_thread.run_sync(found, image_id, size, user_id)
        tag = f'"{picture.sha256[:32]}-{size}"'
        headers = {"Cache-Control": keeping, "ETag": tag}
        if keeping == _PUBLIC and tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(picture.jpeg, media_type="image/jpeg", headers=headers)

    @routes.get("/random")
    async def random(
        k: Annotated[int, Query(ge=1, le=_MAX_RANDOM, description="how many images are wanted")] = 24,
    ) -> dict[str, Any]:
        """Return random public images, for a start without a picture."""

        def chosen() -> dict[str, Any]:
            images = service.facts(service.random_ids(k), None)
            return {"version": service.version, "answers": [image_json(facts) for facts in images.values()]}

        return await to_thread.run_sync(chosen)

    return routes
