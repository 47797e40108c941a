"""Bearer tokens of the API (RFC 6750): made by `flask token create NAME`, stored as SHA-256 only."""

from __future__ import annotations

import structlog
from flask import Blueprint, g, request

from web.context import WebContext
from web.errors import Problem

log = structlog.get_logger()
REALM = 'Bearer realm="anshao"'
MAX_TOKEN = 200


def bearer() -> str:
    """The token sent, "" when it is none of ours by its form. Raises Problem 401 when none was sent."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if not token:
        raise Problem(401, "Send a bearer token in the Authorization header.", headers={"WWW-Authenticate": REALM})
    return token.strip() if kind.lower() == "bearer" and len(token) <= MAX_TOKEN else ""


def protect(routes: Blueprint, ctx: WebContext) -> None:
    """Every address of the blueprint needs a live token."""

    @routes.before_request
    def check() -> None:
        token, known = bearer(), None
        if token:
            with ctx.new_work(read_only=True) as work:
                known = work.people.token(token)
        if known is None:
            log.warning("api.token_refused", endpoint=request.endpoint)
            refused = f'{REALM}, error="invalid_token"'
            raise Problem(401, "The token is unknown or revoked.", headers={"WWW-Authenticate": refused})
        g.api_token, g.api_scopes = known.id, known.scopes.split()
