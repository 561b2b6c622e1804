"""Alembic's entry point: runs the revisions on the connection that store/engine.py opened."""

from alembic import context

from competition.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
