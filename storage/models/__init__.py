"""All tables. Importing this package registers every model with `Base.metadata`."""

from __future__ import annotations

from storage.models.audit import AuditFinding, AuditRun
from storage.models.budgets import ApiUse, AppNote
from storage.models.edge import EdgeDevice, EdgeEvent
from storage.models.hazard import Counter, Hazard, HazardExtension, HazardPhoto, HazardTreatment, Joiner
from storage.models.knowledge import (
    KnowledgeCard,
    KnowledgeLink,
    KnowledgePoint,
    KnowledgeQuestion,
    KnowledgeUse,
)
from storage.models.ladder import LadderStep, Policy
from storage.models.media import Media
from storage.models.messages import CardCopy, CardPost, CaseCard, Conversation, Delivery, Inbox
from storage.models.people import Account, ApiToken, GroupChat, Person, RoleGrant
from storage.models.permit import GasTest, Permit, PermitApproval, PermitParty, PermitVerdict, PlaceAnswer
from storage.models.plant import Area, Equipment
from storage.models.readings import Certificate, Detector, Reading, SourceState, Zone
from storage.models.risk import Risk
from storage.models.roll_call import RollCall, RollCallMember
from storage.models.roster import Duty, Leave
from storage.models.trail import TrailLine

__all__ = [
    "Account",
    "ApiToken",
    "ApiUse",
    "AppNote",
    "Area",
    "AuditFinding",
    "AuditRun",
    "CardCopy",
    "CardPost",
    "CaseCard",
    "Certificate",
    "Conversation",
    "Counter",
    "Delivery",
    "Detector",
    "Duty",
    "EdgeDevice",
    "EdgeEvent",
    "Equipment",
    "GasTest",
    "GroupChat",
    "Hazard",
    "HazardExtension",
    "HazardPhoto",
    "HazardTreatment",
    "Inbox",
    "Joiner",
    "KnowledgeCard",
    "KnowledgeLink",
    "KnowledgePoint",
    "KnowledgeQuestion",
    "KnowledgeUse",
    "LadderStep",
    "Leave",
    "Media",
    "Permit",
    "PermitApproval",
    "PermitParty",
    "PermitVerdict",
    "Person",
    "PlaceAnswer",
    "Policy",
    "Reading",
    "Risk",
    "RoleGrant",
    "RollCall",
    "RollCallMember",
    "SourceState",
    "TrailLine",
    "Zone",
]
