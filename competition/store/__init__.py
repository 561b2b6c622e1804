"""The database: the only package that knows SQLAlchemy. One module per noun; each returns frozen dataclasses."""
