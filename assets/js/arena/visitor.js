/* The visitor of the vote widget: greeted, asked for consent, sound check, own votes downloaded or withdrawn. */
(() => {
  "use strict";
  const state = window.mvArena;
  const { keep, participant, call, root, part, say, show, failed, audioContext, pause } = window.mvArenaParts;

  /* how many of one's votes stand and what became of them: the same words after every answer that says so */
  const counted = (answer) => {
    if (answer.mine === undefined) return;
    part("mine").textContent = answer.mine;
    part("became").textContent = answer.became;
    if (answer.kept) part("saved").textContent = answer.kept;
  };

  const consent = async (given) => {
    try {
      await call("consent", { session: state.session, given });
      if (!given) { show("declined"); return say(mvTexts.declined); }
      show("sound");
      say(mvTexts.set_volume);
    } catch (error) { failed(error); }
  };

  const check = async () => {
    const context = audioContext();
    await context.resume();
    const gain = context.createGain();
    gain.gain.setValueAtTime(0, context.currentTime);
    gain.connect(context.destination);
    [262, 330, 392, 523].forEach((hz, n) => {
      const tone = context.createOscillator();
      tone.type = "triangle";
      tone.frequency.value = hz;
      tone.connect(gain);
      tone.start(context.currentTime + n * 0.4);
      tone.stop(context.currentTime + n * 0.4 + 0.38);
    });
    gain.gain.linearRampToValueAtTime(0.22, context.currentTime + 0.05);
    gain.gain.setValueAtTime(0.22, context.currentTime + 1.5);
    gain.gain.linearRampToValueAtTime(0, context.currentTime + 1.6);
    part("go").focus();
  };

  const download = async () => {
    const data = await call("mine", { session: state.session });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: "application/json" }));
    link.download = "my-votes.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  const forget = async () => {
    if (!confirm(mvTexts.withdraw)) return;
    const answer = await call("forget", { session: state.session });
    if (state.cookie && !state.study) state.cookie = answer.voter;
    else if (!state.study) keep("voter", answer.voter);
    counted({ mine: 0, became: "" });
    pause();
    show("start");
    say(mvTexts.withdrawn, "ok");
    begin(true);
  };

  const begin = async (quiet = false) => {
    try {
      state.cookie = "";  /* asked as the browser that it is, whoever it stood for before */
      const hello = await call("hello", participant ? { pid: participant } : {});
      if (hello.study) {
        Object.assign(state, { study: hello.study_direction, cookie: hello.voter });  /* not kept: the address says who, */
        keep("voter", hello.browser);  /* and to this browser alone */
        root().dataset.study = "1";
      } else if (hello.signed_in) {
        state.cookie = hello.voter;
        keep("voter", "");  /* the session says who; whoever comes after signing out is another */
      } else keep("voter", hello.voter);
      state.session = hello.session;
      counted(hello);
      part("saved").textContent = hello.saved;
      part("consent-text").replaceChildren(...hello.consent_text.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
      for (const side of [0, 1]) {
        part(`grade-${side}`).replaceChildren(...Object.entries(hello.grades).map(([value, words]) => {
          const label = document.createElement("label");
          const input = Object.assign(document.createElement("input"), { type: "radio", name: `mv-grade-${side}`, value });
          label.append(input, ` ${value} ${words}`);
          return label;
        }));
      }
      part("reasons").replaceChildren(...hello.reasons.map((value) => {
        const label = document.createElement("label");
        const input = Object.assign(document.createElement("input"), { type: "checkbox", name: "mv-reason", value });
        label.append(input, ` ${value}`);
        return label;
      }));
      part("grade-choices").replaceChildren(...Object.entries(hello.grades).sort().map(([value, words]) => {
        const button = Object.assign(document.createElement("button"), { type: "button", disabled: true });
        button.dataset.grade = value;
        button.append(Object.assign(document.createElement("b"), { textContent: value }), ` ${words}`);
        return button;
      }));
      if (hello.closed) { show("start"); return say(hello.closed); }
      const note = hello.note ? `${hello.note} ` : "";
      if (!hello.consent) { show("consent"); if (!quiet) say(note + mvTexts.read_first); } else { show("sound"); say(note + mvTexts.welcome_back); }
    } catch (error) { failed(error); }
  };

  Object.assign(window.mvArenaParts, { begin, counted, consent, check, download, forget });
})();
