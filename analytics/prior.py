"""Fits the strength of the prior to what was reported."""

from __future__ import annotations

import numpy as np
from django.db import connection
from django.db.models import Sum

from analytics.facts import dialect
from analytics.fitting import fit_strength
from analytics.models import EffectivenessRollup, FittedPrior
from analytics.subjects import Kind
from diagnoses.models import Diagnosis, Recommendation


def fit_prior() -> FittedPrior:
    """Fits the strength of the prior to all that was ever reported and uses it from then on.

    Remedies are compared with everything, a remedy for one condition with the remedy, a recommendation with its remedy
    for its condition. Raises ValueError while there is nothing to compare.
    """
    with connection.cursor() as cursor:
        cursor.execute(_alike())
        table = np.array(cursor.fetchall(), dtype=float).reshape(-1, 5)
    reports = EffectivenessRollup.objects.filter(kind=Kind.EVERYTHING).aggregate(all=Sum("n"))["all"] or 0
    return FittedPrior.objects.create(strength=fit_strength(*table.T), subjects=int(table[:, 4].sum()), reports=reports)


def _alike() -> str:
    """Reports and successes of a subject and of its parent, and how many subjects have just these.

    Of millions of recommendations there are few kinds: what Python holds does not grow with them.
    """
    own_key = dialect().hex.format("r.id")
    return f"""
        WITH known AS (
            SELECT kind, key, SUM(n) AS n, SUM(successes) AS k
            FROM {EffectivenessRollup._meta.db_table} WHERE kind NOT IN ({Kind.REMEDY_MIZAJ}, {Kind.CONDITION})
            GROUP BY kind, key HAVING SUM(n) > 0
        ), child AS (
            SELECT n, k, {Kind.EVERYTHING} AS above, '' AS parent FROM known WHERE kind = {Kind.REMEDY}
            UNION ALL
            SELECT c.n, c.k, {Kind.REMEDY}, p.key FROM known AS c
            JOIN known AS p ON p.kind = {Kind.REMEDY} AND c.key LIKE p.key || ':%'
            WHERE c.kind = {Kind.REMEDY_CONDITION}
            UNION ALL
            SELECT c.n, c.k, {Kind.REMEDY_CONDITION}, r.remedy_id || ':' || d.condition_id FROM known AS c
            JOIN {Recommendation._meta.db_table} AS r ON {own_key} = c.key
            JOIN {Diagnosis._meta.db_table} AS d ON d.id = r.diagnosis_id
            WHERE c.kind = {Kind.RECOMMENDATION}
        )
        SELECT child.n, child.k, p.n, p.k, COUNT(*) FROM child
        JOIN known AS p ON p.kind = child.above AND p.key = child.parent
        GROUP BY child.n, child.k, p.n, p.k ORDER BY 1, 2, 3, 4
    """
