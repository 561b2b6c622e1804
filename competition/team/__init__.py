"""Roles, what each may do, and what each should do next: values and rules, no database."""
