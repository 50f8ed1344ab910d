"""Uses the client that openapi-python-client generated from /openapi.json: signs in, joins, posts, reads
the message, and reads an error. Run by server/tests/generated_client.rs."""

import sys
from http import HTTPStatus

sys.path.insert(0, sys.argv[1])

from plenary_client import AuthenticatedClient, Client
from plenary_client.api.meetings import meetings_join, meetings_meetings, meetings_participants
from plenary_client.api.messages import messages_message, messages_messages
from plenary_client.api.session import session_login, session_me
from plenary_client.models import Code, Login, PostBody, Role

_, _, server, email, password = sys.argv

anonymous = Client(base_url=server)
refused = session_login.sync_detailed(client=anonymous, body=Login(email=email, password="a wrong one"))
assert refused.status_code == HTTPStatus.UNAUTHORIZED, refused
assert refused.parsed.code == Code.WRONG_PASSWORD, refused.parsed
assert refused.parsed.detail, refused.parsed

login = session_login.sync(client=anonymous, body=Login(email=email, password=password))
assert login.role == Role.MEMBER, login
ada = AuthenticatedClient(base_url=server, token=login.token)
me = session_me.sync(client=ada)
assert (me.user_id, me.email) == (login.user_id, email), me

(meeting,) = meetings_meetings.sync(client=ada).meetings
where = {"meeting_id": meeting.meeting_id, "order_id": meeting.order_id}
# The body may be missing.
joined = meetings_join.sync_detailed(client=ada, **where)
assert joined.status_code == HTTPStatus.OK, joined
again = meetings_join.sync_detailed(client=ada, **where)
assert again.status_code == HTTPStatus.CONFLICT, again
assert again.parsed.code == Code.ALREADY_PARTICIPANT, again.parsed

posted = messages_message.sync_detailed(client=ada, body=PostBody(body="generated"), **where)
assert posted.status_code == HTTPStatus.CREATED, posted
assert posted.parsed.seq == joined.parsed.seq + 1, posted.parsed
(message,) = messages_messages.sync(client=ada, **where).messages
assert (message.body, message.name) == ("generated", me.name), message
(participant,) = meetings_participants.sync(client=ada, **where).participants
assert participant.user_id == me.user_id, participant

empty = messages_message.sync_detailed(client=ada, body=PostBody(body=" "), **where)
assert empty.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, empty
assert empty.parsed.code == Code.BODY_EMPTY, empty.parsed
unknown = meetings_participants.sync_detailed(client=ada, meeting_id=99, order_id=1)
assert unknown.status_code == HTTPStatus.NOT_FOUND, unknown
assert unknown.parsed.code == Code.NOT_FOUND, unknown.parsed
print("the generated client works")
