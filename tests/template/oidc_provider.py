"""An OpenID Connect provider on loopback, with one client and one signed-in user."""

import base64
import hashlib
import json
import secrets
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

REALM = "/realms/company"


class Provider(ThreadingHTTPServer):
    """The server of the OpenID Connect provider.

    Attributes:
        user: The claims about the user.
        replaced: Wrong values for claims and for the parameter `state`, by name.
        answered: The names of the endpoints that have accepted a request.
    """

    daemon_threads = True
    client_id, client_secret = "site-1", "a secret of the site"

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Endpoints)
        # To browsers, localhost and 127.0.0.1 are different sites.
        self.url = f"http://localhost:{self.server_port}{REALM}"
        self.key = RSAKey.generate_key(2048, {"kid": "1", "alg": "RS256"})
        self.user, self.replaced, self.answered = {}, {}, []
        self.codes, self.tokens = {}, set()

    def __enter__(self):
        Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.shutdown()
        self.server_close()


class Endpoints(BaseHTTPRequestHandler):
    """The provider's endpoints. They close the connection of an invalid request."""

    server: Provider

    def do_GET(self):
        self.respond(dict(parse_qsl(urlsplit(self.path).query)))

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.respond(dict(parse_qsl(self.rfile.read(length).decode())))

    def respond(self, values):
        path = urlsplit(self.path).path
        assert path.startswith(f"{REALM}/")
        name = path.rpartition("/")[2].replace("-", "_")
        content = getattr(self, name)(values)
        self.server.answered.append(name)
        if name == "authorize":
            self.send_response(302)
            self.send_header("Location", content)
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

    def openid_configuration(self, values):
        url = self.server.url
        return {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "userinfo_endpoint": f"{url}/userinfo",
            "jwks_uri": f"{url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def authorize(self, values):
        """Return the redirect URL of the site, as if the user were signed in."""
        assert values["response_type"] == "code"
        assert values["client_id"] == self.server.client_id
        assert "openid" in values["scope"].split()
        assert values["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        self.server.codes[code] = values
        state = self.server.replaced.get("state", values["state"])
        return f"{values['redirect_uri']}?{urlencode({'code': code, 'state': state})}"

    def token(self, values):
        asked = self.server.codes.pop(values["code"])
        assert values["grant_type"] == "authorization_code"
        assert values["redirect_uri"] == asked["redirect_uri"]
        assert values["client_id"] == self.server.client_id
        assert values["client_secret"] == self.server.client_secret
        digest = hashlib.sha256(values["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        assert challenge == asked["code_challenge"]
        now, token = int(time.time()), secrets.token_urlsafe()
        self.server.tokens.add(token)
        claims = {
            "iss": self.server.url,
            "aud": self.server.client_id,
            "iat": now,
            "exp": now + 60,
            **self.server.user,
            **self.server.replaced,
        }
        header = {"alg": "RS256", "kid": "1"}
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": 60,
            "id_token": jwt.encode(header, claims, self.server.key),
        }

    def jwks(self, values):
        return {"keys": [self.server.key.as_dict(private=False)]}

    def userinfo(self, values):
        scheme, token = self.headers["Authorization"].split()
        assert scheme == "Bearer" and token in self.server.tokens
        return self.server.user

    def log_message(self, format, *args):
        """Do not log requests."""
