"""An MCP client on the computer of a person, by the MCP SDK for Python, with a client ID that was registered for it. Prints the address
to open in a browser, and then what the tool of the server says."""
import asyncio
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

from mcp.client import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata

RESOURCE = os.environ["RESOURCE"]
arrived: dict[str, str] = {}


class Callback(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        self.send_response(200 if url.path == "/callback" else 404)
        self.end_headers()
        self.wfile.write(b"You may close this window.")
        if url.path == "/callback":
            arrived.update(parse_qsl(url.query))

    def log_message(self, *_):
        pass


listener = HTTPServer(("127.0.0.1", 0), Callback)
REDIRECT = f"http://localhost:{listener.server_port}/callback"
Thread(target=listener.serve_forever, daemon=True).start()


class Storage:
    tokens = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return OAuthClientInformationFull(
            client_id=os.environ["CLIENT_ID"], redirect_uris=[REDIRECT], token_endpoint_auth_method="none"
        )

    async def set_client_info(self, client_info):
        pass


async def redirect(url):
    print("open", url, flush=True)


async def callback():
    while "code" not in arrived:
        if "error" in arrived:
            raise RuntimeError(arrived.get("error_description"))
        await asyncio.sleep(0.05)
    return AuthorizationCodeResult(code=arrived["code"], state=arrived.get("state"), iss=arrived.get("iss"))


async def main():
    provider = OAuthClientProvider(
        server_url=RESOURCE,
        client_metadata=OAuthClientMetadata(client_name="Assistant", redirect_uris=[REDIRECT], token_endpoint_auth_method="none"),
        storage=Storage(),
        redirect_handler=redirect,
        callback_handler=callback,
    )
    async with Client(streamable_http_client(RESOURCE, http_client=create_mcp_http_client(auth=provider))) as client:
        result = await client.call_tool("whoami", {})
        print("told", result.content[0].text, flush=True)


asyncio.run(main())
