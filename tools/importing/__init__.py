"""Bringing people, areas and equipment in from the plant's own tables (CSV or XLSX)."""

from __future__ import annotations

from tools.importing.areas import import_areas
from tools.importing.equipment import import_equipment
from tools.importing.people import import_people
from tools.importing.table import ImportReport, TableError, read_table

__all__ = ["ImportReport", "TableError", "import_areas", "import_equipment", "import_people", "read_table"]
