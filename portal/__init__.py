"""Keydesk: staff find an order, see its licenses, send one again, and see that it went out."""

import gc

# What is imported stays: to look through it again and again took a sixth of the start of a command.
gc.disable()

from collections.abc import Mapping
from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import (
    config,
    emails,
    errors,
    formats,
    headers,
    hosts,
    jobs,
    models,
    rate_limits,
    sessions,
    static_files,
    vault,
)
from portal.access import sign_in
from portal.application import Portal
from portal.database import connections
from portal.extensions import babel, csrf, db, limiter, mail, migrate, security
from portal.views import (
    api,
    attempts,
    checkout_pages,
    entered_licenses,
    hooks,
    items,
    licenses,
    mailbox,
    messages,
    needs,
    orders,
    page_secrets,
    page_texts,
    pool_uploads,
    pools,
    product_secrets,
    product_texts,
    products,
    progress,
    publications,
    repeats,
    replacements,
    replays,
    resends,
    restarts,
    retirements,
    searches,
    stops,
    trials,
    withdrawals,
)

gc.freeze()
gc.enable()

ROOT = Path(__file__).parent.parent

# What staff work with, what operators set up, and what programs ask.
VIEWS = (
    *(orders, searches, items, licenses, resends, repeats, stops, replacements),
    *(attempts, entered_licenses, needs, progress),
    *(checkout_pages, page_secrets, retirements, messages, replays),
    *(page_texts, product_texts),
    *(products, product_secrets, trials, restarts),
    *(pools, pool_uploads, publications, withdrawals),
    *(api, hooks),
)


def create_app(settings: Mapping[str, object] | None = None) -> Flask:
    """The portal. `settings` outweigh the environment and the instance file.

    Raises SettingsError, with one line that says which setting cannot be used.
    """
    app = Portal(
        __name__,
        root_path=str(ROOT),
        instance_path=str(config.instance_folder()),
        instance_relative_config=True,
    )
    config.configure(app, settings)
    hosts.init_app(app)  # before all others: who asks for another host gets nothing of this one

    vault.init_app(app)
    connections.init_app(app, db)
    migrate.init_app(app, db)
    mail.init_app(app)
    csrf.init_app(app)
    babel.init_app(app, locale_selector=formats.reader_locale)
    limiter.init_app(app)
    rate_limits.init_app(app)
    security.init_app(app, **sessions.security_parts())

    formats.init_app(app)
    emails.init_app(app)
    headers.init_app(app)
    sessions.init_app(app)
    static_files.init_app(app)
    sign_in.init_app(app)
    errors.init_app(app)
    jobs.init_app(app)

    for view in VIEWS:
        app.register_blueprint(view.bp)
    if app.config["DEMO"]:
        app.register_blueprint(mailbox.bp)

    if app.config["TRUSTED_PROXIES"]:
        hops = app.config["TRUSTED_PROXIES"]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    return app


__all__ = ["create_app", "models"]
