"""MIMIC Studio: ``streamlit run app.py``.

The app itself is ``ui/shell.py``. Streamlit would take a ``pages/`` folder beside its main script
for a different, older kind of app until someone opens ``/``; a launcher keeps the two apart, so a
direct link to any page shows the same app on a fresh server too. Every request passes
``ui/visitors.py`` first.
"""

import sys
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from ui.visitors import Visitors  # noqa: E402 - found only once its folder is on the path

app = st.App(ROOT / "ui" / "shell.py", middleware=[Middleware(Visitors)])
