/* The vote widget: one picture, two musics (or two pictures, one music), switched while the video runs on.
   Here: what it knows (`mvArena`), what it keeps in the browser, how it asks the server. The files after this one
   add their parts to `mvArenaParts`; each finds #mv-arena whenever its tab is mounted. */
(() => {
  "use strict";
  const state = { step: "start", side: 0, heard: [0, 0], switches: 0, videoMs: 0, playing: false, review: null, turn: 0 };
  window.mvArena = state;

  const kept = (key, fallback) => localStorage.getItem("mv_" + key) ?? fallback;
  const keep = (key, value) => localStorage.setItem("mv_" + key, value);
  const base = new URL(".", document.baseURI);
  const participant = (new URLSearchParams(location.search).get("pid") || "").slice(0, 200);

  const call = async (name, payload = {}) => {
    const response = await fetch(new URL("arena/" + name, base), {
      method: "POST",
      headers: { "content-type": "application/json", "x-mvr-voter": state.cookie || kept("voter", "") },
      body: JSON.stringify(payload),
    });
    let answer;
    try { answer = await response.json(); } catch { answer = {}; }
    if (!response.ok) {
      const { keep: stays = false, reload = false } = answer;
      throw Object.assign(new Error(answer.error || mvTexts.no_answer), { status: response.status, keep: stays, reload });
    }
    return answer;
  };

  window.mvArenaParts = { kept, keep, base, participant, call };
})();
