/* Sound and picture of the vote widget: the page's player with all sounds of a battle started at one time. */
(() => {
  "use strict";
  const state = window.mvArena;
  const { base, root, part, paint, gate, failed } = window.mvArenaParts;
  const videos = () => (root() ? Array.from(part("stage").querySelectorAll("video")) : []);
  const player = mvPlayer.create({ pictures: videos, failed: (error) => failed(error) });
  const audioOf = (side) => (state.battle.sounds.length === 1 ? 0 : side);
  state.position = player.position;

  player.onState(() => { state.playing = player.playing(); paint(); });
  player.onTime((position, passed) => {
    if (!root() || root().offsetParent === null) return pause();
    if (state.step === "battle" || state.step === "grading") {
      state.heard[state.side] += passed;
      state.videoMs += passed;
      gate();
    }
    part("time").style.setProperty("--at", `${Math.min(100, (100 * position) / state.battle.duration_s)}%`);
    return undefined;
  });

  const pause = () => player.pause();
  const play = async () => {
    if (player.current() === null) await player.audition({ key: audioOf(state.side) });
    else await player.play();
  };
  const choose = (side) => {
    if (state.side !== side) state.switches += 1;
    state.side = side;
    videos().forEach((video, n) => video.classList.toggle("is-on", videos().length === 1 || n === side));
    player.audition({ key: audioOf(side) }).catch(failed);
  };

  /* Fetch what a battle plays. `turn` is of the call that asked: false if a later one came meanwhile, so that two never mix */
  const load = async (battle, turn) => {
    const stage = part("stage");
    player.load({ duration_s: battle.duration_s, together: true });
    stage.replaceChildren(...battle.videos.map((address, n) => {
      const video = document.createElement("video");
      Object.assign(video, { src: new URL(address, base).href, muted: true, playsInline: true, preload: "auto" });
      video.setAttribute("aria-hidden", "true");
      video.classList.toggle("is-on", n === 0);
      return video;
    }));
    const buffers = await Promise.all(battle.sounds.map((address) => mvSounds.load(new URL(address, base).href)));
    if (turn !== state.turn) return false;
    buffers.forEach((buffer, n) => player.add(n, buffer));
    await Promise.all(videos().map((video) => video.readyState >= 3 || new Promise((done, fail) => {
      video.addEventListener("canplay", done, { once: true });
      video.addEventListener("error", () => fail(new Error(mvTexts.clip_lost)), { once: true });
    })));
    return turn === state.turn;
  };

  Object.assign(window.mvArenaParts, { audioContext: mvPlayer.audioContext, load, play, pause, choose });
})();
