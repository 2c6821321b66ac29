/* The page's own behaviour: works by delegation, so re-rendered parts need no set-up. */
(() => {
  "use strict";
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

  /* ---- players: one sound at a time ---- */
  const pauseOthers = (keep) => (keep && keep.muted) || all("audio, video").forEach((m) => m !== keep && !m.paused && !m.muted && m.pause());
  const rowOf = (media) => media.closest(".mv-row");

  const paint = (media) => {
    const row = rowOf(media);
    if (!row) return;
    const playing = !media.paused && !media.ended;
    const button = row.querySelector(".mv-play");
    const seek = row.querySelector(".mv-seek");
    const length = media.duration || Number(row.dataset.duration) || 0;
    row.classList.toggle("is-playing", playing);
    if (playing || media.currentTime > 0) row.classList.add("is-open");
    if (button) {
      button.setAttribute("aria-pressed", String(playing));
      button.setAttribute("aria-label", `${playing ? mvTexts.pause : mvTexts.play} ${row.dataset.name}`);
    }
    if (seek && length) {
      const at = media.readyState ? media.currentTime : Number(row.dataset.start) || 0;
      seek.max = length;
      seek.value = at;
      seek.setAttribute("aria-valuetext", `${clock(at)} of ${clock(length)}`);
      row.style.setProperty("--at", `${(100 * at) / length}%`);
      const time = row.querySelector(".mv-time");
      if (time && media.readyState) time.textContent = clock(at);
    }
  };

  document.addEventListener("play", (event) => { pauseOthers(event.target); paint(event.target); }, true);
  for (const name of ["pause", "ended", "timeupdate", "loadedmetadata", "seeked"])
    document.addEventListener(name, (event) => event.target instanceof HTMLMediaElement && paint(event.target), true);
  document.addEventListener("error", (event) => {
    const row = event.target instanceof HTMLMediaElement && event.target.getAttribute("src") && rowOf(event.target);
    if (row) row.classList.add("is-broken");
  }, true);

  const start = (media, row) => {
    if (!media.dataset.begun) {
      media.dataset.begun = "1";
      const from = Number(row.dataset.start) || 0;
      const seekOnce = () => { if (from > 0) media.currentTime = from; };
      if (media.readyState) seekOnce(); else media.addEventListener("loadedmetadata", seekOnce, { once: true });
    }
    media.play().catch(() => row.classList.remove("is-playing"));
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest(".mv-play");
    if (!button) return;
    const row = button.closest(".mv-row");
    const media = row.querySelector("audio, video");
    if (media.paused) start(media, row); else media.pause();
  });

  document.addEventListener("input", (event) => {
    const seek = event.target.closest && event.target.closest(".mv-seek");
    if (!seek) return;
    const row = seek.closest(".mv-row");
    const media = row.querySelector("audio, video");
    const to = Number(seek.value);
    media.dataset.begun = "1";
    if (media.readyState) media.currentTime = to;
    else {
      media.addEventListener("loadedmetadata", () => { media.currentTime = to; }, { once: true });
      media.preload = "metadata";
      media.load();
    }
    row.classList.add("is-open");
    row.style.setProperty("--at", `${(100 * to) / (Number(seek.max) || 1)}%`);
  });

  /* ---- a word that a system said: only what has it, until it is pressed again ---- */
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest(".mv-word");
    if (!button) return;
    const on = button.getAttribute("aria-pressed") !== "true";
    const word = button.dataset.word;
    const box = button.closest(".mv-results, .prose, body");
    all(".mv-word", box).forEach((one) => {
      one.setAttribute("aria-pressed", String(on && one.dataset.word === word));
    });
    all(".mv-row[data-words]", box).forEach((row) => {
      row.hidden = on && !row.dataset.words.includes(`|${word}|`);
    });
  });

  /* ---- the address: which tab, which alpha ---- */
  const remember = (key, value, step) => {
    const url = new URL(location.href);
    if (url.searchParams.get(key) === value) return;
    url.searchParams.set(key, value);
    if (step) history.pushState(history.state, "", url); else history.replaceState(history.state, "", url);
  };
  const tabOf = (id) => document.getElementById(`mv-tab-${id}-button`);
  addEventListener("popstate", () => {
    const tab = tabOf(new URL(location.href).searchParams.get("tab") || "video-to-music");
    if (tab && tab.getAttribute("aria-selected") !== "true") { back = true; tab.click(); back = false; }
  });
  let back = false;
  document.addEventListener("click", (event) => {
    const tab = event.target.closest && event.target.closest("[role=tab]");
    if (!tab) return;
    pauseOthers(null);
    const id = tab.id || "";
    const match = id.match(/mv-tab-(.+)-button$/);
    if (match && !back) remember("tab", match[1], true);
    if (match) all(`#mv-tab-${match[1]} .mv-refresh`).forEach((button) => button.click());  /* what was counted may be old */
    if (match) all(`#mv-tab-${match[1]}:has([data-bare]) .mv-anew`).forEach((button) => button.click());
  }, true);
  document.addEventListener("input", (event) => {
    const box = event.target.closest && event.target.closest(".mv-alpha");
    if (box) remember("alpha", event.target.value);
  });
  document.addEventListener("change", (event) => {
    const box = event.target.closest && event.target.closest(".mv-which");
    if (box) remember("library", event.target.value);
  });
  /* from what was just added to a search of it; a tab that was never open is made only now */
  const arrive = (tab, library, tries = 600) => {
    const panel = document.getElementById(`mv-tab-${tab}`);
    const choice = panel && panel.offsetParent && panel.querySelector(`.mv-which input[value=${library}]`);
    if (!choice) { if (tries) setTimeout(arrive, 50, tab, library, tries - 1); return; }
    (choice.checked ? panel.querySelector(".mv-anew") : choice).click();
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-goto]");
    if (!button) return;
    remember("library", button.dataset.library);
    tabOf(button.dataset.goto).click();
    arrive(button.dataset.goto, button.dataset.library);
  });

  /* ---- the library's list: a new page begins at its top; the frame draws other items into the same elements ---- */
  let turned = null;
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("#mv-library-list [data-event=turn]");
    if (button) turned = document.querySelector("#mv-library-list .mv-list-head").dataset.page;
  });
  const toTop = () => {
    const head = turned !== null && document.querySelector("#mv-library-list .mv-list-head");
    if (!head || head.dataset.page === turned) return;
    turned = null;
    head.scrollIntoView();
    head.focus({ preventScroll: true });
  };
  /* what was typed for the item that stood here before goes: at the click, for `toggle` may come after the first letter */
  document.addEventListener("click", (event) => {
    const summary = event.target.closest && event.target.closest(".mv-edit:not([open]) > summary");
    if (summary) all("input", summary.parentElement).forEach((box) => { box.value = box.defaultValue; });
  }, true);

  /* ---- small repairs of Gradio's own parts, for keyboards and screen readers ---- */
  const tabKeys = { ArrowRight: 1, ArrowLeft: -1, Home: "first", End: "last" };
  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest && event.target.closest("[role=tab]");
    if (!tab || !(event.key in tabKeys)) return;
    const tabs = all("[role=tab]", tab.closest("[role=tablist]")).filter((t) => t.offsetParent && !t.disabled);
    const move = tabKeys[event.key];
    const index = move === "first" ? 0 : move === "last" ? tabs.length - 1
      : (tabs.indexOf(tab) + move + tabs.length) % tabs.length;
    event.preventDefault();
    tabs[index].focus();
    tabs[index].click();
  });

  const repair = () => {
    if (document.documentElement.lang !== "en") document.documentElement.lang = "en";  /* of the texts, not of the browser */
    all(".mv-alpha input[type=range]").forEach((input) => {
      input.setAttribute("aria-valuetext", `${Math.round(100 * input.value)} percent`);
    });
  };

  /* ---- what a server answer asks for ---- */
  const react = () => {
    repair();
    toTop();
    all("a[data-save-now]").forEach((link) => { link.removeAttribute("data-save-now"); link.click(); });
    if (window.mvAudition) window.mvAudition.react();
  };
  const watch = () => {
    let due = false;
    new MutationObserver(() => {
      if (due) return;
      due = true;
      requestAnimationFrame(() => { due = false; react(); });
    }).observe(document.body, { childList: true, subtree: true });
    react();
  };
  if (document.body) watch(); else document.addEventListener("DOMContentLoaded", watch);
})();
