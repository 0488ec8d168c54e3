"""Reports on texts and embeddings in words: how well newer rows can be told from the reference, and what that means."""

from __future__ import annotations

from django.utils.translation import gettext as _

from monitoring.models import ContentComparison, ContentSetup


def result_words(row: ContentComparison) -> list[str]:
    """Sentences that say what came of a comparison that is done."""
    if row.auc is None or row.auc_low is None or row.auc_high is None:
        return [_mismatch_words(row)]
    told = {"pairs": f"{100 * row.auc:.0f}", "low": f"{100 * row.auc_low:.0f}", "high": f"{100 * row.auc_high:.0f}"}
    return [
        _(
            "A classifier tells the newer row from the reference row in %(pairs)s of 100 pairs; between %(low)s and"
            " %(high)s of 100 with 95 %% confidence. Guessing would be right in 50."
        )
        % told,
        _chance_words(row.auc_low, row.auc_high),
        _("From %(warn)s of 100 on it is to be watched, from %(act)s on it has drifted.")
        % {"warn": f"{100 * (row.warn or 0):g}", "act": f"{100 * (row.act or 0):g}"},
    ]


def method_words(row: ContentComparison) -> str:
    """How it was found."""
    if row.setup.kind == ContentSetup.Kind.TEXT:
        features = _(
            "Texts become counts of words, pairs of words and three-letter parts of words (hashed; the first %(most)s"
            " characters of each)."
        ) % {"most": row.measured["method"]["characters"]}
    else:
        features = _("Vectors are standardised, number by number.")
    said = _(
        "%(features)s A logistic regression learns on four fifths of both sides and scores the fifth it has not seen,"
        " five times. What is shown is the mean area under the ROC curve, which is the share of pairs that are told"
        " apart rightly. Below 50 of 100 means the same as 50. Of either side at most %(rows)s rows are drawn, the same"
        " ones each time; none is kept."
    )
    return said % {"features": features, "rows": f"{row.measured['method']['sampled_at_most']:,}"}


def changed_words(row: ContentComparison, first: ContentComparison | None) -> str:
    """That the reference holds other rows than it did at first; empty when it does not."""
    if first is None or first.measured["reference"]["sha256"] == row.measured["reference"]["sha256"]:
        return ""
    return _(
        "The place of the reference held other rows than at the first comparison. Figures of before and after are not"
        " of the same reference."
    )


def _chance_words(low: float, high: float) -> str:
    if high < 0.5:
        return _(
            "Less than 50 is chance too, or rows of a kind that the sample holds unevenly: there is no difference."
        )
    if low <= 0.5:
        return _("50 is within that range: the difference, if there is one, is too small to be seen in so many rows.")
    return _("50 is out of that range: the newer rows do differ.")


def _mismatch_words(row: ContentComparison) -> str:
    before, now = row.measured["reference"], row.measured["current"]
    if before["size"] != now["size"]:
        said = _(
            "The reference has vectors of %(before)s numbers, the newer rows of %(now)s: another model made them, and"
            " there is nothing that could be compared. Embed the reference with the new model and watch it anew."
        )
        return said % {"before": before["size"], "now": now["size"]}
    return _(
        "The columns of the vectors have other names than in the reference: name the same ones, and compare again."
    )
