"""A web application by Flask and Authlib, as its documentation has it: "Flask OAuth Client"."""
import os

from authlib.integrations.flask_client import OAuth
from flask import Flask, url_for
from werkzeug.middleware.proxy_fix import ProxyFix

app = Flask(__name__)
app.secret_key = os.urandom(32)
app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1, x_host=1)

oauth = OAuth(app)
oauth.register(
    "clientele",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email groups", "code_challenge_method": "S256"},
)


@app.get("/healthz")
def healthz():
    return "ok"


@app.get("/login")
def login():
    return oauth.clientele.authorize_redirect(url_for("callback", _external=True))


@app.get("/callback")
def callback():
    token = oauth.clientele.authorize_access_token()
    return "Hello, " + token["userinfo"]["preferred_username"]


@app.errorhandler(Exception)
def refused(error):
    return f"{type(error).__name__}: {error}", 403


if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ["PORT"]))
