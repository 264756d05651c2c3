"""The same as an HL7 FHIR R4 Bundle, for another clinic or an app of the patient's choice (https://hl7.org/fhir/R4/).

Names of the catalogue are codes of this clinic (`urn:avicenna:…`): Persian medicine has no terminology there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from django.utils import timezone

import avicenna
from accounts.export.record import CHUNK, Record, dumped, joined
from accounts.models import User
from diagnoses.models import Consent, Contraindication, Diagnosis, Patient, Recommendation, Remedy
from feedback.models import SEVERE, Feedback

Resource = dict[str, Any]

HL7 = "http://terminology.hl7.org/CodeSystem"
# What is taken is a request for medication; what is done, a request for a service.
TAKEN = {Remedy.Kind.HERBAL, Remedy.Kind.COMPOUND, Remedy.Kind.DRUG}
MEDICATION_STATUS = {"active": "active", "completed": "completed", "stopped": "stopped", "replaced": "stopped"}
SERVICE_STATUS = {"active": "active", "completed": "completed", "stopped": "revoked", "replaced": "revoked"}
CONSENT_SCOPE = {"treatment": "treatment", "statistics": "patient-privacy", "training": "research"}
ALLERGIES = {Contraindication.Cause.ALLERGY: "allergy", Contraindication.Cause.INTOLERANCE: "intolerance"}


def as_fhir(user: User) -> Iterator[str]:
    """A Bundle of type collection, in pieces."""
    head = {"resourceType": "Bundle", "type": "collection", "timestamp": _moment(timezone.now())}
    yield dumped(head)[:-1] + ',"entry":['
    yield from joined({"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in _resources(Record(user)))
    yield "]}"


def _resources(record: Record) -> Iterator[Resource]:
    if record.patient is None:
        yield _practitioner(record.user)
        return
    yield _patient(record.patient)
    yield from _told(record.patient)
    yield from _practitioners(record)
    yield from map(_condition, record.diagnoses().iterator(CHUNK))
    yield from map(_request, record.recommendations().iterator(CHUNK))
    yield from map(_contraindication, record.contraindications().iterator(CHUNK))
    for feedback in record.feedback().iterator(CHUNK):
        yield _report(feedback)
        yield from _adverse_events(feedback)
    yield from map(_consent, record.consents().iterator(CHUNK))
    yield _provenance(record.patient)


def _patient(patient: Patient) -> Resource:
    return _filled(
        resourceType="Patient",
        id=str(patient.pk),
        name=[{"text": patient.full_name}],
        gender=patient.sex or "unknown",
        birthDate=patient.birth_date and patient.birth_date.isoformat(),
    )


def _told(patient: Patient) -> Iterator[Resource]:
    """What the record says in words, and the temperament."""
    told = {
        "mizaj": patient.mizaj_type,
        "medical-history": patient.medical_history,
        "current-medications": patient.current_medications,
    }
    for name, text in told.items():
        if text:
            yield _filled(
                resourceType="Observation",
                id=_id(patient.pk, name),
                status="final",
                code=_coded("record", name, name.replace("-", " ")),
                subject=_to(patient.pk),
                effectiveDateTime=_moment(patient.updated_at),
                valueString=text,
            )


def _practitioners(record: Record) -> Iterator[Resource]:
    signed = {"diagnoses_made__patient": record.patient}, {"contraindications_stated__patient": record.patient}
    people = {user.pk: user for of in signed for user in User.objects.filter(**of)}
    yield from map(_practitioner, people.values())


def _practitioner(user: User) -> Resource:
    return _filled(resourceType="Practitioner", id=_person(user.pk), name=[{"text": str(user)}])


def _condition(diagnosis: Diagnosis) -> Resource:
    is_error = diagnosis.status == Diagnosis.Status.ENTERED_IN_ERROR
    severity = {"text": f"{diagnosis.severity}/5"}
    return _filled(
        resourceType="Condition",
        id=str(diagnosis.pk),
        clinicalStatus=None if is_error else _of_hl7("condition-clinical", diagnosis.status),
        verificationStatus=_of_hl7("condition-ver-status", "entered-in-error" if is_error else "confirmed"),
        code=_coded("condition", diagnosis.condition.slug, diagnosis.condition.name),
        severity=severity,
        subject=_to(diagnosis.patient_id),
        recordedDate=_moment(diagnosis.created_at),
        recorder=diagnosis.practitioner_id and {"reference": f"urn:uuid:{_person(diagnosis.practitioner_id)}"},
        evidence=[{"code": [{"text": symptom}]} for symptom in diagnosis.symptoms if symptom],
        note=[{"text": text} for text in (diagnosis.imbalance, diagnosis.notes) if text],
    )


def _request(recommendation: Recommendation) -> Resource:
    """MedicationRequest or ServiceRequest."""
    remedy, instructions = recommendation.remedy, _instructions(recommendation)
    made = recommendation.diagnosis.practitioner_id
    common = {
        "id": str(recommendation.pk),
        "intent": "order",
        "subject": _to(recommendation.diagnosis.patient_id),
        "authoredOn": _moment(recommendation.created_at),
        "requester": made and {"reference": f"urn:uuid:{_person(made)}"},
        "reasonReference": [_to(recommendation.diagnosis_id)],
    }
    if remedy.kind in TAKEN:
        return _filled(
            resourceType="MedicationRequest",
            status=MEDICATION_STATUS[recommendation.status],
            medicationCodeableConcept=_coded("remedy", remedy.slug, remedy.name),
            dosageInstruction=[{"text": instructions}] if instructions else None,
            priorPrescription=recommendation.replaces_id and _to(recommendation.replaces_id),
            **common,
        )
    return _filled(
        resourceType="ServiceRequest",
        status=SERVICE_STATUS[recommendation.status],
        code=_coded("remedy", remedy.slug, remedy.name),
        patientInstruction=instructions,
        **common,
    )


def _instructions(recommendation: Recommendation) -> str:
    days = f"{recommendation.duration_days} d" if recommendation.duration_days else ""
    said = (recommendation.dosage, recommendation.frequency, days, recommendation.instructions)
    return " · ".join(filter(None, said))


def _contraindication(one: Contraindication) -> Resource:
    """AllergyIntolerance, or a DetectedIssue for any other cause."""
    remedy = _coded("remedy", one.remedy.slug, one.remedy.name)
    if kind := ALLERGIES.get(Contraindication.Cause(one.cause)):
        return _filled(
            resourceType="AllergyIntolerance",
            id=str(one.pk),
            clinicalStatus=_of_hl7("allergyintolerance-clinical", "active" if one.is_standing else "inactive"),
            type=kind,
            code=remedy,
            patient=_to(one.patient_id),
            recordedDate=_moment(one.stated_at),
            note=[{"text": one.reason}] if one.reason else None,
        )
    return _filled(
        resourceType="DetectedIssue",
        id=str(one.pk),
        status="final" if one.is_standing else "cancelled",
        code=remedy,
        patient=_to(one.patient_id),
        identifiedDateTime=_moment(one.stated_at),
        detail=": ".join(filter(None, [str(one.get_cause_display()), one.reason])),
    )


def _report(feedback: Feedback) -> Resource:
    marks = {
        "rating": feedback.rating,
        "symptom-improvement": feedback.symptom_improvement,
        "compliance": feedback.compliance,
    }
    return _filled(
        resourceType="Observation",
        id=str(feedback.pk),
        status="entered-in-error" if feedback.is_withdrawn else "final",
        code=_coded("report", "feedback", "report of the patient"),
        subject=_to(feedback.patient_id),
        focus=[_to(feedback.recommendation_id)],
        effectiveDateTime=_moment(feedback.created_at),
        component=[
            {"code": _coded("report", name, f"{name.replace('-', ' ')}, 1 to 5"), "valueInteger": mark}
            for name, mark in marks.items()
            if mark is not None
        ],
        note=[{"text": feedback.comment}] if feedback.comment else None,
    )


def _adverse_events(feedback: Feedback) -> Iterator[Resource]:
    for told in feedback.effects:
        yield _filled(
            resourceType="AdverseEvent",
            id=_id(feedback.pk, told.effect.slug),
            actuality="actual",
            event=_coded("side-effect", told.effect.slug, told.effect.name),
            subject=_to(feedback.patient_id),
            date=_moment(feedback.created_at),
            severity=_of_hl7("adverse-event-severity", _severity(told.severity)),
            subjectMedicalHistory=[_to(feedback.pk)],
        )


def _severity(grade: int) -> str:
    return "severe" if grade >= SEVERE else "moderate" if grade == SEVERE - 1 else "mild"


def _consent(consent: Consent) -> Resource:
    return _filled(
        resourceType="Consent",
        id=_id(consent.patient_id, f"consent:{consent.pk}"),
        status="active" if consent.is_given else "rejected",
        scope=_of_hl7("consentscope", CONSENT_SCOPE[consent.purpose]),
        category=[{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        patient=_to(consent.patient_id),
        dateTime=_moment(consent.at),
        policyRule=_coded("consent", f"{consent.purpose}-{consent.text_version}", str(consent.get_purpose_display())),
        provision={"type": "permit" if consent.is_given else "deny"},
    )


def _provenance(patient: Patient) -> Resource:
    return _filled(
        resourceType="Provenance",
        id=_id(patient.pk, "provenance"),
        target=[_to(patient.pk)],
        recorded=_moment(timezone.now()),
        agent=[{"who": {"display": f"Avicenna {avicenna.__version__}"}}],
    )


def _filled(**fields: Any) -> Resource:
    """FHIR knows no empty values."""
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def _coded(system: str, code: str, text: str) -> Resource:
    return {"coding": [{"system": f"urn:avicenna:{system}", "code": code}], "text": text}


def _of_hl7(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"{HL7}/{system}", "code": code}]}


def _to(pk: object) -> Resource:
    return {"reference": f"urn:uuid:{pk}"}


def _person(pk: int) -> str:
    return _id("user", str(pk))


def _id(of: object, name: str) -> str:
    """Of what has none of its own: the same in every export."""
    return str(uuid5(NAMESPACE_OID, f"avicenna:{of}:{name}"))


def _moment(at: datetime) -> str:
    return timezone.localtime(at).isoformat(timespec="milliseconds")
