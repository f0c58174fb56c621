"""What alembic runs: the migrations, on the connection and in the transaction that `upgrade` opened."""

from alembic import context

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("run migrations with `callcenter db upgrade`")
context.configure(connection=connection, transactional_ddl=True)
context.run_migrations()
