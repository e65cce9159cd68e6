"""What stands in the address, and who wrote it there."""

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from ui import address

    state = st.session_state
    address.arrive(state.get("where", "distil"))
    if state.get("where", "distil") == "distil":
        address.adopt("run", ["old", "new"])
        shown = state.get("run") or state.get("newest", "old")
        address.keep("run", shown)
        st.write(shown)


def test_a_link_to_what_was_the_newest_once_is_followed() -> None:
    app = AppTest.from_function(page).run()
    assert app.query_params["run"] in ("old", ["old"])
    app.session_state["where"] = "runs"
    app.query_params.clear()
    app.run()
    app.session_state["newest"], app.session_state["where"] = "new", "distil"
    app.query_params["run"] = "old"
    app.run()
    assert app.markdown[0].value == "old"


def test_on_one_page_the_newest_follows_while_none_was_picked() -> None:
    app = AppTest.from_function(page).run()
    app.session_state["newest"] = "new"
    app.run()
    assert app.markdown[0].value == "new"
    assert app.query_params["run"] in ("new", ["new"])
