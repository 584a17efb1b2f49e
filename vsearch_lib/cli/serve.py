"""`vsearch serve`: answers searches over HTTP, with a page for people."""

import argparse

from vsearch_lib.run.arguments import Commands, add_setting_arguments, named_by_option, port, settings_of

SERVICES = ("all", "embedding", "neighbours", "ranking")


def add(commands: Commands) -> None:
    """Register the command."""
    serve = commands.add_parser("serve", help="answer searches over HTTP, with a page")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen at (default: 127.0.0.1)")
    serve.add_argument("--port", type=port, default=8000, help="port to listen at; 0: any that is free (default: 8000)")
    serve.add_argument("--service", choices=SERVICES, default="all", help="the part to run (default: all, in one)")
    serve.add_argument("--open", action="store_true", help="open the page in a browser")
    add_setting_arguments(serve)
    serve.set_defaults(call=_serve)


def _serve(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    from vsearch_lib.serving.http.start import serve

    with named_by_option(host="--host", port="--port"):
        serve(
            settings,
            host=arguments.host,
            port=arguments.port,
            service=arguments.service,
            open_page=arguments.open,
        )
