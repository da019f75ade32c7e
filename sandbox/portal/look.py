"""Serves what our pages share (`chassis.look`), and gives templates the addresses of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, request, send_from_directory

from chassis import look
from sandbox.portal.listeners import PublicListener, require_listener

if TYPE_CHECKING:
    from flask import Flask


def install_look(app: Flask) -> None:
    """Serve the files under /look/, on both listeners."""
    files = Blueprint("look", __name__)
    files.before_request(require_listener(PublicListener.WELCOME, PublicListener.PORTAL))
    files.add_url_rule(f"{look.SERVED_UNDER}/<name>", view_func=_file)
    app.register_blueprint(files)
    app.jinja_env.globals.update(look=look.address, htmx_config=look.HTMX_CONFIG)


def _file(name: str) -> Response:
    if name not in look.FILES:
        abort(404)
    response = send_from_directory(look.FOLDER, name)
    response.headers["Cache-Control"] = look.cache_control(name, request.args.get("v"))
    return response
