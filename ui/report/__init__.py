"""The report: one HTML file about a distillation, which needs no network and no server."""
