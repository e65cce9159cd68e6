"""Parts of the Streamlit app: they read run directories and start jobs, and never compute."""
