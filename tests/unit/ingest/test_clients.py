"""A User-Agent tells which client library, tool, browser, notebook, agent or bot made a call."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.ingest.clients import recognise_client

_CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/131.0.0.0 Safari/537.36"
)
_OPENAI = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible;"

VECTORS: dict[str, list[tuple[str, str, str]]] = {
    "": [("", "", "")],
    "sdk": [
        ("stripe-python/5.0.1", "stripe-python", "5.0.1"),
        ("Stripe/v1 PythonBindings/11.1.0", "PythonBindings", "11.1.0"),
        ("acme-node/v2.1 (linux)", "acme-node", "2.1"),
        ("OpenAI/Python 1.55.0", "OpenAI/Python", "1.55.0"),
        ("AsyncOpenAI/Python 1.55.0", "OpenAI/Python", "1.55.0"),
        ("Anthropic/JS 0.39.0", "Anthropic/JS", "0.39.0"),
        ("Boto3/1.35.0 md/Botocore#1.35.0 ua/2.0 os/linux lang/python#3.12", "Boto3", "1.35.0"),
        ("google-api-python-client/2.150 (gzip)", "google-api-python-client", "2.150"),
        ("azure-monitor-exporter/1.0", "azure-monitor-exporter", "1.0"),
        ("moesifapi-python/1.5.5", "moesifapi-python", "1.5.5"),
    ],
    "http": [
        ("python-requests/2.32.3", "python-requests", "2.32.3"),
        ("python-httpx/0.28.1", "python-httpx", "0.28.1"),
        ("Python/3.11 aiohttp/3.9.1", "aiohttp", "3.9.1"),
        ("Python-urllib/3.12", "Python-urllib", "3.12"),
        ("okhttp/4.12.0", "okhttp", "4.12.0"),
        ("axios/1.7.2", "axios", "1.7.2"),
        ("Go-http-client/2.0", "Go-http-client", "2.0"),
        ("Java/17.0.2", "Java", "17.0.2"),
        ("node", "node", ""),
        ("undici", "undici", ""),
        ("reqwest/0.12", "reqwest", "0.12"),
        ("Dalvik/2.1.0 (Linux; U; Android 14)", "Dalvik", "2.1.0"),
    ],
    "cli": [
        ("curl/8.5.0", "curl", "8.5.0"),
        ("Wget/1.21.4", "Wget", "1.21.4"),
        ("HTTPie/3.2.4", "HTTPie", "3.2.4"),
        ("GitHub CLI 2.62.0", "GitHub CLI", "2.62.0"),
        ("aws-cli/2.22.0 md/awscrt#0.22.0 md/Botocore#2.0", "aws-cli", "2.22.0"),
        ("kubectl/v1.31.0 (linux/amd64) kubernetes/9edcffc", "kubectl", "1.31.0"),
    ],
    "tool": [
        ("PostmanRuntime/7.43.0", "PostmanRuntime", "7.43.0"),
        ("insomnia/10.1.1", "insomnia", "10.1.1"),
        ("Thunder Client (https://www.thunderclient.com)", "Thunder Client", ""),
        ("k6/0.54.0 (https://k6.io/)", "k6", "0.54.0"),
        ("APN/1.0 HashiCorp/1.0 Terraform/1.9.8", "Terraform", "1.9.8"),
        ("n8n", "n8n", ""),
    ],
    "browser": [
        (_CHROME, "Chrome", "131"),
        (_CHROME + " Edg/131.0.0.0", "Edge", "131"),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1 (KHTML, like Gecko) Version/17.4 Safari/605",
         "Safari", "17"),
        ("Mozilla/5.0 (X11; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox", "132"),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT_X18) Chrome/99.0 Mobile Safari/537", "Chrome", "99"),
        ("Mozilla/4.0", "Browser", ""),
    ],
    "notebook": [
        ("acme-sdk/1.2 (jupyter; python 3.12)", "acme-sdk", "1.2"),
        ("JupyterLab/4.3.1", "JupyterLab", "4.3.1"),
        ("ipython-8.29 bigquery-magic/3", "ipython-8.29 bigquery-magic", "3"),
        ("hf-client/0.26; python/3.11; colab", "hf-client", "0.26"),
        ("marimo/0.9.20", "marimo", "0.9.20"),
    ],
    "ci": [
        ("GitHubActionsRunner-linux-x64/2.320.0 RunnerId/1 (Linux 6.5)",
         "GitHubActionsRunner-linux-x64", "2.320.0"),
        ("gitlab-runner 17.5.3 (17-5-stable; go1.22; linux/amd64)", "gitlab-runner", "17.5.3"),
        ("npm/10.9.0 node/v22.11.0 linux x64 workspaces/false ci/github-actions", "npm", "10.9.0"),
        ('pip/24.3.1 {"ci":true,"cpu":"x86_64"}', "pip", "24.3.1"),
        ("buildkite-agent/3.85.0.9111 (linux; amd64)", "buildkite-agent", "3.85.0.9111"),
        ("acme-python/2.0 (github-actions)", "acme-python", "2.0"),
    ],
    "agent": [
        (f"{_OPENAI} ChatGPT-User/1.0; +https://openai.com/bot", "ChatGPT-User", "1.0"),
        ("Claude-User (claude-code/2.1.119; +https://support.anthropic.com/)",
         "claude-code", "2.1.119"),
        ("Claude-User/1.0; +Claude-User@anthropic.com", "Claude-User", "1.0"),
        ("Claude-User", "Claude-User", ""),
        ("claude-code/2.1.204 (cli)", "claude-code", "2.1.204"),
        ("openai-mcp/1.0.0 (Responses API)", "openai-mcp", "1.0.0"),
        ("codex-mcp-client/0.151.0", "codex-mcp-client", "0.151.0"),
        ("codex_cli_rs/0.105.0 (Mac OS 15.1; arm64)", "codex_cli_rs", "0.105.0"),
        ("Cursor/1.7.4 (darwin arm64)", "Cursor", "1.7.4"),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/537.36 Cursor/1.7.4 Chrome/132.0 Electron/34.5",
         "Cursor", "1.7.4"),
        ("GeminiCLI/0.8.1/gemini-2.5-pro (linux; x64)", "GeminiCLI", "0.8.1"),
        ("Agents/Python 0.2.9", "Agents/Python", "0.2.9"),
        ("Mozilla/5.0 (compatible; Perplexity-User/1.0; +https://perplexity.ai/perplexity-user)",
         "Perplexity-User", "1.0"),
        ("Mozilla/5.0 (compatible; MistralAI-User/1.0; +https://docs.mistral.ai/robots)",
         "MistralAI-User", "1.0"),
        ("GitHubCopilotChat/0.22.4", "GitHubCopilotChat", "0.22.4"),
    ],
    "bot": [
        ("Mozilla/5.0 (compatible; Examplebot/2.1)", "Examplebot", "2.1"),
        (f"{_OPENAI} GPTBot/1.2; +https://openai.com/gptbot", "GPTBot", "1.2"),
        ("Mozilla/5.0 AppleWebKit/537.36 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
         "ClaudeBot", "1.0"),
        (f"{_OPENAI} OAI-SearchBot/1.0; +https://openai.com/searchbot", "OAI-SearchBot", "1.0"),
        ("Mozilla/5.0 (compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)",
         "PerplexityBot", "1.0"),
        ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "AhrefsBot", "7.0"),
        ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
         "facebookexternalhit", "1.1"),
        ("kube-probe/1.31", "kube-probe", "1.31"),
        ("Prometheus/2.55.0", "Prometheus", "2.55.0"),
        ("UptimeRobot/2.0", "UptimeRobot", "2.0"),
        ("RenovateBot/39.1 (https://github.com/renovatebot/renovate)", "RenovateBot", "39.1"),
    ],
    "other": [("something odd", "something odd", ""), ("Acme Widget 3.2", "Acme Widget", "3.2")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "agent", "name", "version"),
    [(kind, *vector) for kind, vectors in VECTORS.items() for vector in vectors],
)
def test_clients_are_recognised(kind: str, agent: str, name: str, version: str) -> None:
    """Name, version and kind, as the programs themselves give them away."""
    assert tuple(recognise_client(agent)) == (name, version, kind)


@pytest.mark.parametrize(
    ("agent", "kind"),
    [("node", "agent"), ("python-httpx/0.28", "agent"), ("", "agent"), ("acme-py/1", "agent"),
     (_CHROME, "browser"), ("curl/8.5.0", "cli"), ("GPTBot/1.2", "bot")],
)  # fmt: skip
def test_whoever_speaks_mcp_through_a_library_is_an_agent(agent: str, kind: str) -> None:
    """Most agents leave the User-Agent to their HTTP library; people try the protocol with curl."""
    assert recognise_client(agent, speaks_mcp=True).kind == kind


@given(st.text(max_size=500))
def test_any_user_agent_gives_short_names(agent: str) -> None:
    """Hostile agents neither raise nor make long names."""
    client = recognise_client(agent)
    assert len(client.name) <= 50
    assert len(client.version) <= 50


@pytest.mark.parametrize("part", ["a", "a-", "bot", "mcp-", "a/", "Chrome/1.", "(", " v1", "1."])
def test_no_user_agent_takes_long(part: str) -> None:
    """A hundred kilobytes of anything are read as quickly as its beginning."""
    began = time.perf_counter()
    recognise_client("Mozilla/5.0 " + part * 50_000)
    recognise_client(part * 50_000)
    assert time.perf_counter() - began < 0.5
