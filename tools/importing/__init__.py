"""Bringing people, areas, equipment, detectors, zones and certificates in from the plant's own tables (CSV or XLSX)."""

from __future__ import annotations

from tools.importing.areas import import_areas
from tools.importing.cards import export_cards, import_cards
from tools.importing.certificates import import_certificates
from tools.importing.detectors import import_detectors
from tools.importing.directory import export_people
from tools.importing.equipment import import_equipment
from tools.importing.people import import_people
from tools.importing.risks import import_risks
from tools.importing.roster import import_roster
from tools.importing.table import ImportReport, TableError, read_table
from tools.importing.zones import import_zones

__all__ = [
    "ImportReport",
    "TableError",
    "export_cards",
    "export_people",
    "import_areas",
    "import_cards",
    "import_certificates",
    "import_detectors",
    "import_equipment",
    "import_people",
    "import_risks",
    "import_roster",
    "import_zones",
    "read_table",
]
