"""PostgreSQL: engine, a tenant's unit of work, migrations, and the embedded server."""
