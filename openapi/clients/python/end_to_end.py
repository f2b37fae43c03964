"""Uses the generated client with a running server, as a program does."""

import contextlib
import io
import os
import pathlib
import re
import unittest
from unittest import mock

from portico_client import AuthenticatedClient, Client, models
from portico_client.api.api_tokens import create_own_token
from portico_client.api.clients import create_client, list_clients
from portico_client.api.invitations import invite_portal_user, list_client_invitations
from portico_client.api.link_tokens import activate_account
from portico_client.api.portal_sessions import sign_in
from portico_client.api.staff_sessions import send_code, verify_code

from server import Server

STAFF = "owner@demo.test"
GUEST = "wanda.walker@guest.test"
PASSWORD = "quartz-lantern-41"


class EndToEnd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        cls.anonymous = Client(base_url=cls.server.url)
        sent = send_code.sync(client=cls.anonymous, body=models.SendCode(email=STAFF))
        code = cls.server.mailed(STAFF, lambda mail: mail["code"])
        session = verify_code.sync(client=cls.anonymous, body=models.VerifyCode(flow=sent.flow, code=code))
        cls.staff = cls.with_token(session.access_token)
        scopes = [models.TokenScope.CLIENTSREAD, models.TokenScope.CLIENTSEDIT]
        token = create_own_token.sync(client=cls.staff, body=models.CreateApiToken(name="import", scopes=scopes))
        cls.token = token.token
        cls.program = cls.with_token(token.token)
        cls.acme = create_client.sync(client=cls.program, body=models.CreateClient(name="Walker & Daughters"))

    @classmethod
    def with_token(cls, token):
        return AuthenticatedClient(base_url=cls.server.url, token=token)

    def invite(self, email):
        body = models.InvitePortalUser(email=email, role=models.MemberRole.ADMIN)
        return invite_portal_user.sync(self.acme.id, client=self.program, body=body)

    def test_program_lists_clients(self):
        page = list_clients.sync(client=self.program)
        self.assertIsNone(page.next_cursor)
        self.assertEqual([client.name for client in page.data], ["Acme Ltd", "Walker & Daughters"])

    def test_program_invites_and_the_person_signs_in(self):
        invited = self.invite(GUEST)
        self.assertEqual(invited.invite_mode, models.InviteMode.SETUP)
        link = self.server.mailed(GUEST, lambda mail: next(iter(mail["links"]), None))
        body = models.Activate(token=link.split("#token=")[1], password=PASSWORD)
        self.assertEqual(activate_account.sync(client=self.anonymous, body=body).user.email, GUEST)
        session = sign_in.sync(client=self.anonymous, body=models.SignIn(email=GUEST, password=PASSWORD))
        self.assertEqual(session.client.role, models.MemberRole.ADMIN)
        (listed,) = list_client_invitations.sync(self.acme.id, client=self.program).data
        self.assertEqual((listed.email, listed.status), (GUEST, models.InvitationStatus.ACCEPTED))

    def test_refused_calls_are_problems_with_a_code(self):
        self.invite("ann@guest.test")
        again = self.invite("ann@guest.test")
        self.assertEqual(again.code, "portal_user_exists")
        wrong = invite_portal_user.sync(
            self.acme.id, client=self.program, body=models.InvitePortalUser(email="ann at guest")
        )
        self.assertEqual([field.pointer for field in wrong.errors], ["/email"])
        refused = list_clients.sync(client=self.with_token("pat_unknown"))
        self.assertEqual(refused.code, models.CredentialProblemCode.UNAUTHENTICATED)
        refused = sign_in.sync(client=self.anonymous, body=models.SignIn(email=GUEST, password="wrong"))
        self.assertEqual(refused.code, models.InvalidCredentialsProblemCode.INVALID_CREDENTIALS)

    def test_sample_of_the_readme_works_as_written(self):
        readme = pathlib.Path(__file__).parents[3].joinpath("README.md").read_text()
        (sample,) = re.findall(r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
        environment = {"PORTICO_REMOTE_URL": self.server.url, "PORTICO_REMOTE_TOKEN": self.token}
        printed = io.StringIO()
        with mock.patch.dict(os.environ, environment), contextlib.redirect_stdout(printed):
            exec(sample, {})
            exec(sample, {})
        self.assertEqual(printed.getvalue().split(), ["invited", "portal_user_exists"])
        self.server.mailed("dora@example.com", lambda mail: mail["links"])


if __name__ == "__main__":
    unittest.main()
