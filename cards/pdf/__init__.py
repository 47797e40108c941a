"""Sheets to print: the permit in the form of the standard's annex A.

Drawn with reportlab: tables that break over pages, subsets of an embedded font, one pure wheel that brings nothing we
do not have already (fpdf2 would bring fontTools and draws tables cell by cell).
"""

from cards.pdf.permit import forms, permit_pdf
from cards.pdf.sheet import PermitSheet, SheetGas, SheetMeasure, SheetOpinion, SheetPerson

__all__ = ["PermitSheet", "SheetGas", "SheetMeasure", "SheetOpinion", "SheetPerson", "forms", "permit_pdf"]
