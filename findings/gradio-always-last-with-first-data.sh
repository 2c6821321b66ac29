#!/bin/sh
# gradio 6.31.0: an event with `trigger_mode="always_last"` that was triggered again while it ran is run once more with what the first trigger said.
#
# Guess of a good engineer: "always_last" is for the latest wish: of three choices made while the first one is worked on, the second run is told
# of the third.
# Behaviour: the second run gets the same `gr.SelectData` as the first, so the page ends with the first choice worked out twice, beside
# a control that shows the third. Values of components that are inputs are read anew and are right.
# What to do: make the component an input and read its value; use no event data together with "always_last".
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
from playwright.sync_api import sync_playwright

runs = []


def chosen(value, event: gr.SelectData):
    runs.append((event.value, value))
    time.sleep(2)
    return event.value


with gr.Blocks() as page:
    which, told = gr.Radio(["one", "two", "three"], label="Which"), gr.Textbox(label="Told")
    which.select(chosen, which, told, trigger_mode="always_last")
_, url, _ = page.launch(prevent_thread_lock=True, quiet=True)

with sync_playwright() as tools:
    browser = tools.chromium.launch(
        executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
    )
    tab = browser.new_page()
    tab.goto(url)
    for choice in ("one", "two", "three"):
        tab.get_by_label(choice, exact=True).click()
        time.sleep(0.4)
    time.sleep(6)  # both runs have ended
    shown = tab.get_by_label("Told").input_value()
    browser.close()
print(f"event data and value of each run: {runs}; the box says {shown!r}")
sys.exit(0 if runs == [("one", "one"), ("one", "three")] and shown == "one" else 1)
PY
export GRADIO_ANALYTICS_ENABLED=False
venv/bin/python try.py
# Seen on 2026-11-30 (Python 3.11, Linux, Chromium of Debian 12):
# event data and value of each run: [('one', 'one'), ('one', 'three')]; the box says 'one'
