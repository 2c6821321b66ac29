"""One open page as a browser has it, without the browser: uploads and events through the page's own queue."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.browser.conftest import PATIENCE_S

ROW = re.compile(r'class=\\?"mv-row[^>]*data-id=\\?"([0-9a-f]+)')
MEDIA = re.compile(r"media/[\w-]{20,}/[^\"'\\ ]+\.mp4")


@dataclass
class OpenPage:
    """A session of its own at a server; `said` is everything that the last event answered."""

    url: str
    session: str = field(default_factory=lambda: secrets.token_hex(5))
    said: str = ""

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE_S)
        config = self.client.get("/config").json()
        self.parts = {part["id"]: part["props"] for part in config["components"]}
        self.events = config["dependencies"]
        self.values = {number: props.get("value") for number, props in self.parts.items()}
        (self.results,) = (n for n, props in self.parts.items() if props.get("elem_id") == "mv-results-v2m")

    def close(self) -> None:
        self.client.close()

    def upload(self, path: Path) -> dict[str, Any]:
        """What the box does with a file before any event: send it, and learn where it lies now."""
        files = {"files": (path.name, path.read_bytes(), "video/mp4")}
        answer = self.client.post(f"/gradio_api/upload?upload_id={secrets.token_hex(5)}", files=files)
        assert answer.status_code == 200, answer.text
        return {"path": answer.json()[0], "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}

    def search(self, file: dict[str, Any]) -> list[str]:
        """The event of the upload box; ids of the list."""
        box, event = self._event("upload", lambda props: props.get("elem_id") == "mv-upload-v2m")
        self.values[box] = file
        return self._send(event, box)

    def slide(self, alpha: float) -> list[str]:
        """The event of the slider; ids of the list."""
        slider, event = self._event("input", lambda props: "mv-alpha" in (props.get("elem_classes") or []))
        self.values[slider] = alpha
        return self._send(event, slider)

    def player(self) -> str:
        """The address of the clip in what the last search answered."""
        return MEDIA.findall(self.said)[-1]

    def _event(self, name: str, wanted: Any) -> tuple[int, dict[str, Any]]:
        for event in self.events:
            for part, happened in event["targets"]:
                if happened == name and self.results in event["outputs"] and wanted(self.parts[part]):
                    return part, event
        raise AssertionError(f"the page has no such event {name}")

    def _send(self, event: dict[str, Any], trigger: int) -> list[str]:
        body = {
            "data": [self.values[part] for part in event["inputs"]], "event_data": None, "fn_index": event["id"],
            "trigger_id": trigger, "session_hash": self.session,
        }  # fmt: skip
        joined = self.client.post("/gradio_api/queue/join", json=body)
        assert joined.status_code == 200, joined.text
        mine, self.said = joined.json()["event_id"], ""
        told = f"/gradio_api/queue/data?session_hash={self.session}"
        with self.client.stream("GET", told) as stream:
            for line in stream.iter_lines():
                message = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if message.get("event_id") != mine:
                    continue
                self.said += line
                if message["msg"] == "process_completed":
                    assert message["success"], line[:500]
                    return list(dict.fromkeys(ROW.findall(self.said)))
        raise AssertionError("the queue ended before the event did")
