"""The app's frame: page settings, the subject all pages speak of, and the pages by section."""

from pathlib import Path

import streamlit as st

from mimic.run import default_root
from ui import frame, glossary, mode, subject, uploads

ROOT = Path(__file__).resolve().parent.parent
CONTRAST = ROOT / "assets" / "contrast.css"

st.set_page_config(
    page_title="MIMIC Studio", page_icon=str(ROOT / "assets" / "icon.svg"), layout="wide"
)
st.html(CONTRAST)
st.logo(ROOT / "assets" / "icon.svg", size="large")
page = st.navigation(
    [
        st.Page(ROOT / "pages" / f"{name}.py", title=title, icon=icon, default=name == "overview")
        for name, (title, icon) in frame.PAGES.items()
    ]
)
uploads.tidy_once(str(default_root().resolve()))
subject.choose()
mode.choose()
glossary.popover()
with (
    st.container(horizontal_alignment="center"),
    st.container(width=frame.WIDTH, key="page"),
):
    page.run()
