#!/bin/sh
# gradio 6.31.0: when a handler that yields ends, the page is sent the last yielded value once more, and what another event has written there
# in the meantime is overwritten.
#
# Guess of a good engineer: each `yield` is one update; when the generator returns, its event is over, and nothing changes on the page. A button
# that is pressed while it still works and writes into the same box has the last word.
# Behaviour: the end of the event carries the last value again, and the browser shows it. A result that was overtaken (a search that goes
# on working after its last update, while a newer one has shown its own) comes back seconds later, in place of the newer one.
# What to do: let such a handler yield updates that change nothing (`gr.skip()` for every output) as its last act, if it may have been overtaken.
# Needs a Chromium: CHROMIUM, else /usr/bin/chromium.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet gradio==6.31.0 playwright==1.65.2
cat > try.py <<'PY'
import os
import sys
import time

import gradio as gr
from playwright.sync_api import expect, sync_playwright

ENDS_WITH_NOTHING = len(sys.argv) > 1


def slow():
    yield "from the generator"
    time.sleep(3)
    if ENDS_WITH_NOTHING:
        yield gr.skip()


with gr.Blocks() as page:
    box, first, second = gr.Textbox(label="Box"), gr.Button("First"), gr.Button("Second")
    first.click(slow, None, box)
    second.click(lambda: "from the button", None, box)
_, url, _ = page.launch(prevent_thread_lock=True, quiet=True)

with sync_playwright() as tools:
    browser = tools.chromium.launch(
        executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
    )
    tab = browser.new_page()
    tab.goto(url)
    shown = tab.get_by_label("Box")
    tab.get_by_role("button", name="First").click()
    expect(shown).to_have_value("from the generator", timeout=30_000)
    tab.get_by_role("button", name="Second").click()
    expect(shown).to_have_value("from the button")
    time.sleep(5)  # the generator has ended
    value = shown.input_value()
    browser.close()
print(f"{'skips last' if ENDS_WITH_NOTHING else 'yields once'}: the box now says {value!r}")
sys.exit(0 if value == ("from the button" if ENDS_WITH_NOTHING else "from the generator") else 1)
PY
export GRADIO_ANALYTICS_ENABLED=False
venv/bin/python try.py
venv/bin/python try.py skip
# Seen on 2026-11-30 (Python 3.11, Linux, Chromium of Debian 12):
# yields once: the box now says 'from the generator'
# skips last: the box now says 'from the button'
