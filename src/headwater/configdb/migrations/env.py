"""Alembic's entry: run the migrations on the connection that `configdb.migrate` hands over."""

from alembic import context

from headwater.configdb.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    user_module_prefix="headwater.configdb.tables.",
)
with context.begin_transaction():
    context.run_migrations()
