"""Stands in for python-ldap, which the frontend imports and, without authentication, does not use."""
