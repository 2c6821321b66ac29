"""Clicks inside a `gr.HTML` as Gradio events."""

from __future__ import annotations


def on_load_events(*names: str) -> str:
    """JavaScript for `gr.HTML(js_on_load=...)`: a click on `<button data-event="NAME" data-id="7">` becomes the
    event NAME, which Python listens to with `html.NAME(handler)`; the handler's `gr.EventData` carries the
    button's data attributes (`event.id`), and the boxes of the `[data-fields]` around it by their names. Enter in one
    of these boxes is a click on the button beside it.

    Gradio may run this again when it renders anew, hence the guard.
    """
    known = ", ".join(f'"{name}"' for name in names)
    return f"""
    const names = [{known}];
    if (!element.dataset.listening) {{
      element.dataset.listening = "1";
      element.addEventListener("click", (click) => {{
        const button = click.target.closest("[data-event]");
        if (!button || button.disabled || !names.includes(button.dataset.event)) return;
        const fields = button.closest("[data-fields]")?.querySelectorAll("[name]") ?? [];
        const typed = Object.fromEntries([...fields].map((box) => [box.name, box.value]));
        trigger(button.dataset.event, {{...button.dataset, ...typed}});
      }});
      element.addEventListener("keydown", (press) => {{
        if (press.key !== "Enter" || press.isComposing || !press.target.matches("[data-fields] input")) return;
        press.target.closest("[data-fields]").querySelector("[data-event]:not(:disabled)")?.click();
      }});
    }}
    """
