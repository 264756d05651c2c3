"""What protects a secret holds for any text, and for every byte that somebody might change."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from accounts import tokens
from accounts.models import Session
from avicenna.encryption import DecryptionError, Sealed, key_of, seal, unseal
from diagnoses.actions import create_patient
from diagnoses.models import Diagnosis, Patient
from realtime.actions import issue_ticket, redeem_ticket

# The clinic is the same for every example, and nothing is told of how long one takes.
few = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
URL_SAFE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."


@pytest.mark.thorough
@few
@given(text=st.text(), identity=st.text(min_size=1))
def test_what_was_sealed_with_a_patients_key_is_opened(patient: Patient, text: str, identity: str) -> None:
    assert unseal(seal(text, identity, key_of(patient)), identity) == text


@pytest.mark.parametrize("is_personal", [True, False])
def test_no_bit_of_a_sealed_value_can_be_changed(patient: Patient, is_personal: bool) -> None:
    sealed = seal("متن", "row", key_of(patient) if is_personal else None)

    for place in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[place] ^= 1 << bit
            with pytest.raises(DecryptionError):
                unseal(Sealed(changed), "row")


@pytest.mark.parametrize("is_personal", [True, False])
def test_nothing_can_be_taken_from_it_or_added(patient: Patient, is_personal: bool) -> None:
    sealed = seal("text", "row", key_of(patient) if is_personal else None)

    for other in [*(sealed[:end] for end in range(len(sealed))), sealed[1:], sealed + b"\0", sealed + sealed]:
        with pytest.raises(DecryptionError):
            unseal(Sealed(other), "row")


@pytest.mark.thorough
@few
@given(text=st.text())
def test_another_patients_key_opens_nothing(patient: Patient, text: str) -> None:
    other = create_patient(actor=None, full_name="Another")
    sealed, theirs = seal(text, "row", key_of(patient)), seal(text, "row", key_of(other))
    exchanged = theirs[:17] + sealed[17:]  # the id of the other's key before what it did not seal

    with pytest.raises(DecryptionError):
        unseal(Sealed(exchanged), "row")


@pytest.mark.thorough
@few
@given(text=st.text(min_size=1), identity=st.text(), elsewhere=st.text())
def test_a_value_belongs_to_its_place(patient: Patient, text: str, identity: str, elsewhere: str) -> None:
    assume(identity != elsewhere)

    with pytest.raises(DecryptionError):
        unseal(seal(text, identity, key_of(patient)), elsewhere)


def meaning(token: str) -> list[bytes]:
    """What a token says, whatever the unused bits at the end of a part are."""
    return [urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]


def changed(secret: str, place: int, letter: str) -> str:
    place %= len(secret)
    return secret[:place] + letter + secret[place + 1 :]


@pytest.mark.thorough
@few
@given(place=st.integers(0, 2**16), letter=st.sampled_from(URL_SAFE))
@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_a_token_with_another_letter_is_none(api: Any, alice: Any, kind: str, place: int, letter: str) -> None:
    pair = tokens.issue(Session.objects.create(user=alice))
    token = changed(pair[kind], place, letter)
    with suppress(ValueError):  # not even base64
        if meaning(token) == meaning(pair[kind]):
            return

    if kind == "access":
        answer = api().get("/api/me", headers={"Authorization": f"Bearer {token}"})
    else:
        answer = api().post("/api/auth/token/refresh", {"refresh": token})

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authenticated")
    assert api().get("/api/me", headers={"Authorization": f"Bearer {pair['access']}"}).status_code == 200


@pytest.mark.thorough
@few
@given(text=st.text(alphabet=st.characters(codec="latin-1", exclude_categories=["Cc"])))
def test_what_is_no_token_opens_nothing_and_breaks_nothing(api: Any, db: None, text: str) -> None:
    answer = api().get("/api/me", headers={"Authorization": f"Bearer {text}"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authenticated")


def new_ticket(user: Any, diagnosis: Diagnosis) -> tuple[Session, str]:
    session = tokens.live_session(tokens.issue(Session.objects.create(user=user))["access"])
    assert session
    return session, issue_ticket(session=session, diagnosis=diagnosis)


@pytest.mark.thorough
@few
@given(place=st.integers(0, 2**16), letter=st.sampled_from(URL_SAFE), text=st.none() | st.text())
def test_a_ticket_with_another_letter_opens_nothing_and_leaves_the_true_one(
    alice: Any, diagnosis: Diagnosis, place: int, letter: str, text: str | None
) -> None:
    session, ticket = new_ticket(alice, diagnosis)
    other = changed(ticket, place, letter) if text is None else text

    if other != ticket:
        assert redeem_ticket(secret=other, diagnosis_id=diagnosis.pk) is None
    assert redeem_ticket(secret=ticket, diagnosis_id=diagnosis.pk) == session
    assert redeem_ticket(secret=ticket, diagnosis_id=diagnosis.pk) is None


def test_a_ticket_that_was_tried_elsewhere_is_used_up(alice: Any, diagnosis: Any, other_diagnosis: Any) -> None:
    _, ticket = new_ticket(alice, diagnosis)

    assert redeem_ticket(secret=ticket, diagnosis_id=other_diagnosis.pk) is None
    assert redeem_ticket(secret=ticket, diagnosis_id=diagnosis.pk) is None
