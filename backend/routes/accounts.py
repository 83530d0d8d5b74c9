"""`/register`, `/login`, `/refresh`."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import Field, StrictStr

from backend.routes import authentication
from backend.routes.credential_limits import count_refusal, limit_attempts
from backend.routes.errors import ERRORS, ErrorAnswer
from backend.routes.json_bodies import Answer, Body, respond
from backend.routes.request_services import services
from backend.services.accounts import LONGEST_PASSWORD, SHORTEST_PASSWORD, USERNAME_FORM

_TAG = Tag(name="Accounts")

credentials = APIBlueprint("credentials", __name__, abp_tags=[_TAG], abp_responses=dict(ERRORS))
"""The calls that take a password; they are rate-limited."""

credentials.before_request(limit_attempts)
credentials.after_request(count_refusal)

tokens = APIBlueprint("tokens", __name__, abp_tags=[_TAG], abp_responses={**ERRORS, 401: ErrorAnswer})
"""The call that takes a refresh token."""

tokens.before_request(authentication.require_refresh_token)


class Registration(Body):
    """A new account."""

    username: StrictStr = Field(
        pattern=f"^{USERNAME_FORM}$", description="3 to 64 letters, digits and . _ -, unique ignoring case."
    )
    password: StrictStr = Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)


class RegistrationAnswer(Answer):
    """The new account."""

    user_id: str = Field(alias="user_id")
    message: str


class Login(Body):
    """A username and its password."""

    username: StrictStr
    password: StrictStr


class LoginAnswer(Answer):
    """The tokens of a session, and the stable id of the user."""

    access_token: str = Field(alias="access_token")
    refresh_token: str = Field(alias="refresh_token")
    user_id: str = Field(alias="user_id")


class RefreshAnswer(Answer):
    """A fresh access token."""

    access_token: str = Field(alias="access_token")


@credentials.post("/register", responses={201: RegistrationAnswer, 409: ErrorAnswer})
def register(body: Registration) -> Response:
    """Make an account."""
    user_id = services().accounts.register(body.username, body.password)
    return respond(RegistrationAnswer(user_id=user_id, message="Registered. Log in at /login."), 201)


@credentials.post("/login", responses={200: LoginAnswer, 401: ErrorAnswer})
def login(body: Login) -> Response:
    """Get an access token (15 minutes) and a refresh token (7 days)."""
    user_id = services().accounts.log_in(body.username, body.password)
    return respond(
        LoginAnswer(
            access_token=authentication.access_token(user_id),
            refresh_token=authentication.refresh_token(user_id),
            user_id=user_id,
        )
    )


@tokens.post("/refresh", responses={200: RefreshAnswer}, security=[{"refreshToken": []}])
def refresh() -> Response:
    """Get another access token, with the refresh token as bearer."""
    return respond(RefreshAnswer(access_token=authentication.access_token(authentication.current_user_id())))
