"""Forms of the gates. They shape input; services decide."""

from gates.forms.deciding import DecideForm
from gates.forms.missing import AssignForm
from gates.forms.reviews import CommentForm, EndForm, ReviewFilter, SubmitForm, WithdrawForm
from gates.forms.signing import SignForm

__all__ = [
    "AssignForm",
    "CommentForm",
    "DecideForm",
    "EndForm",
    "ReviewFilter",
    "SignForm",
    "SubmitForm",
    "WithdrawForm",
]
