"""An API's check of an access token, as the documentation of PyJWT has it: "Retrieve RSA signing keys from a JWKS endpoint"."""
import os
import sys

import jwt

keys = jwt.PyJWKClient(os.environ["JWKS_URI"])
token = sys.stdin.read().strip()
try:
    claims = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token),
        algorithms=["ES256"],
        audience="https://api.orders.example.com",
        issuer=os.environ["ISSUER"],
        options={"require": ["exp", "iss", "aud", "sub"]},
    )
    print(claims["client_id"], claims["scope"])
except jwt.PyJWTError as error:
    print(f"{type(error).__name__}: {error}")
