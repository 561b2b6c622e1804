"""Roles, their rights and their next steps: values and rules, no database."""
