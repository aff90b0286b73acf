"""A web application by Flask and requests-oauthlib, as its documentation has it for web applications."""
import os

from flask import Flask, redirect, request, session
from requests_oauthlib import OAuth2Session

app = Flask(__name__)
app.secret_key = os.urandom(32)
CALLBACK = "https://requests.example.com/callback"


def client(**more):
    return OAuth2Session(os.environ["CLIENT_ID"], redirect_uri=CALLBACK, scope=["openid", "profile"], pkce="S256", **more)


@app.get("/healthz")
def healthz():
    return "ok"


@app.get("/login")
def login():
    oauth = client()
    url, session["state"] = oauth.authorization_url(os.environ["AUTHORIZATION_ENDPOINT"])
    session["verifier"] = oauth._code_verifier
    return redirect(url)


@app.get("/callback")
def callback():
    oauth = client(state=session["state"])
    oauth._code_verifier = session["verifier"]
    answer = CALLBACK + "?" + request.query_string.decode()
    oauth.fetch_token(
        os.environ["TOKEN_ENDPOINT"],
        authorization_response=answer,
        client_secret=os.environ["CLIENT_SECRET"],
    )
    person = oauth.get(os.environ["USERINFO_ENDPOINT"]).json()
    return f"Hello, {person['preferred_username']}"


@app.errorhandler(Exception)
def refused(error):
    return f"{type(error).__name__}: {error}", 403


if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ["PORT"]))
