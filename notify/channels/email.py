"""E-mail through Django's backend: SMTP in production, files or the console where nothing is set up."""

from __future__ import annotations

from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException

from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from notify.channel import Channel, DeliveryError, Message, channels

TIMEOUT = 20  # seconds; well below the lease of a claim
NOWHERE = (".invalid", ".example")  # RFC 2606: these domains have no mail


class Email(Channel):
    key = "email"
    label = _("E-mail")

    def reaches(self, user: User) -> bool:
        return user.is_person and not user.email.endswith(NOWHERE)

    def send(self, message: Message) -> None:
        mail = EmailMessage(
            subject=f"[Tollgate] {' '.join(message.title.split())}",
            body=render_to_string("notify/email.txt", {"message": message}),
            to=[message.recipient.email],
            headers={"Auto-Submitted": "auto-generated"},
            connection=get_connection(timeout=TIMEOUT),
        )
        try:
            mail.send()
        except SMTPRecipientsRefused as error:
            raise DeliveryError(str(error), permanent=True) from error
        except SMTPResponseException as error:
            raise DeliveryError(str(error), permanent=500 <= error.smtp_code < 600) from error
        except (SMTPException, OSError) as error:
            raise DeliveryError(f"{type(error).__name__}: {error}") from error


channels.register(Email())
