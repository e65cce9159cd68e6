"""The app's frame: page settings, the subject all pages speak of, and the pages by section."""

from pathlib import Path

import streamlit as st

from mimic.run import default_root
from ui import address, frame, glossary, mode, picture_file, run_list, subject, uploads

ROOT = Path(__file__).resolve().parent.parent
LOOK = ROOT / "assets" / "look.css"

st.set_page_config(
    page_title="MIMIC Studio", page_icon=str(ROOT / "assets" / "icon.svg"), layout="wide"
)
st.html(LOOK)
st.logo(ROOT / "assets" / "icon.svg", size="large")
pages = {
    name: st.Page(ROOT / "pages" / f"{name}.py", title=title, icon=icon, default=name == "overview")
    for name, (title, icon) in frame.PAGES.items()
}
page = st.navigation(list(pages.values()))
shown = next((name for name, one in pages.items() if one is page), "overview")
address.arrive(shown)
uploads.tidy_once(str(default_root().resolve()))
subject.choose()
mode.choose()
picture_file.choose()
glossary.popover()
if shown != "overview":  # It tells that itself, where phones show it too.
    with st.sidebar:
        run_list.news(waits=True)
with (
    st.container(horizontal_alignment="center"),
    st.container(width=frame.width(), key="page"),
    frame.from_the_top("page", shown),
):
    page.run()
