"""The page, its files, and a page about the interface; nothing on them comes from another server."""

from html import escape
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from vsearch_lib.serving.http.problems import Problem

PAGE = Path(__file__).parents[1] / "page"
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
}


def page_routes(folder: Path = PAGE) -> APIRouter:
    """Return the routes of the page, whose files are those of `folder` when the service starts, and no others."""
    files = {
        file.name: (file.read_bytes(), _KINDS[file.suffix])
        for file in (folder.iterdir() if folder.is_dir() else ())
        if file.suffix in _KINDS
    }
    routes = APIRouter(include_in_schema=False)

    def shown(name: str) -> Response:
        if name not in files:
            raise Problem(404, "there is no such page")
        content, kind = files[name]
        return Response(content, media_type=kind, headers=_HEADERS)

    @routes.get("/")
    async def page() -> Response:
        return shown("index.html")

    @routes.get("/page/{name}")
    async def file(name: str) -> Response:
        return shown(name)

    return routes


def interface_routes(app: FastAPI) -> APIRouter:
    """Return the routes of `/docs` and of the OpenAPI description that it shows."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/openapi.json")
    async def description() -> JSONResponse:
        return JSONResponse(app.openapi())

    @routes.get("/docs")
    async def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(_interface_page(app.openapi()), headers=_HEADERS)

    return routes


def _interface_page(description: dict[str, Any]) -> str:
    parts = [f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(description['info']['title'])}</title>"]
    parts.append(f"<h1>{escape(description['info']['title'])}</h1><p><a href=openapi.json>OpenAPI description</a></p>")
    schemas = description.get("components", {}).get("schemas", {})
    for path, calls in description["paths"].items():
        for method, call in calls.items():
            parts.append(f"<h2><code>{method.upper()} {escape(path)}</code></h2>")
            parts.append(f"<p>{escape(call.get('description', ''))}</p>")
            rows = [(p["name"], p["schema"], p.get("description", "")) for p in call.get("parameters", ())]
            for kind, body in call.get("requestBody", {}).get("content", {}).items():
                named = body["schema"].get("$ref", "").rpartition("/")[2]
                fields = schemas.get(named, body["schema"]).get("properties", {})
                parts.append(f"<p>Body: {escape(kind)}</p>")
                rows += [(name, field, field.get("description", "")) for name, field in fields.items()]
            if rows:
                cells = "".join(
                    f"<tr><td><code>{escape(name)}</code><td>{escape(_type(schema))}<td>{escape(text)}"
                    for name, schema, text in dict.fromkeys((n, str(_type(s)), t) for n, s, t in rows)
                )
                parts.append(f"<table border=1><tr><th>field<th>type<th>meaning{cells}</table>")
    return "\n".join(parts)


def _type(schema: Any) -> str:
    if isinstance(schema, str):
        return schema
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    return " or ".join("|".join(kind["enum"]) if "enum" in kind else str(kind.get("type", "")) for kind in kinds)
