"""What every widget of a setting needs: its help text, and paths as they are typed."""

from __future__ import annotations

import dataclasses

import streamlit as st

from mimic.config import Config


def help_of(config: type[Config], name: str) -> str:
    """A setting's help text, as the command line shows it."""
    field = next(f for f in dataclasses.fields(config) if f.name == name)
    return str(field.metadata["help"])


def typed(label: str, key: str, placeholder: str) -> str:
    """A path typed by the user."""
    value = st.text_input(label, key=key, placeholder=placeholder, persist_state="session")
    return (value or "").strip()
