"""The report of a run: one HTML file that opens offline, made for looking."""

from pipelines.report.page import write_report

__all__ = ["write_report"]
