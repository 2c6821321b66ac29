/* One music, many pictures: the music runs on in the stage's own player, the picture is changed at its place. The
   counterpart of player.js for "Music to video".

     const screen = mvPictures.create({ audio: () => HTMLAudioElement, screen: () => HTMLElement, failed })
     screen.see({ key, picture, from_s, duration_s })   from_s: the second of the music at which the picture begins */
(() => {
  "use strict";
  const FOLLOW_MS = 200, MOST = 3;

  const create = ({ audio, screen, failed }) => {
    const videos = new Map();  /* key -> video, in the order of their last use */
    let current = null, wanted = 0, timer = 0;
    const onState = new Set();
    const changed = () => onState.forEach((told) => told());
    const place = (track) => {
      const length = track.duration_s || 1;
      return (((audio().currentTime - track.from_s) % length) + length) % length;
    };

    const videoOf = (track) => {
      let video = videos.get(track.key);
      if (!video || !video.isConnected) {
        video = document.createElement("video");
        Object.assign(video, { src: track.picture, muted: true, playsInline: true, preload: "auto" });
        video.setAttribute("aria-hidden", "true");
        screen().append(video);
      }
      videos.delete(track.key);
      videos.set(track.key, video);
      for (const [key, old] of videos) {
        if (videos.size <= MOST) break;
        if (current && key === current.key) continue;
        old.remove();
        videos.delete(key);
      }
      return video;
    };
    const ready = (video) => video.readyState >= 2 ? Promise.resolve() : new Promise((done, fail) => {
      video.addEventListener("loadeddata", done, { once: true });
      video.addEventListener("error", () => fail(new Error(mvTexts.clip_lost)), { once: true });
    });
    const follow = () => {
      const video = current && videos.get(current.key);
      if (!audio() || !video) return;
      if (audio().paused) { if (!video.paused) video.pause(); return; }
      mvPlayer.chase(video, place(current), current.duration_s);
      if (video.paused) video.play().catch(failed);
    };
    const see = async (track) => {
      const mine = ++wanted;
      const video = videoOf(track);
      const sounding = audio();
      if (sounding.paused) {
        const inside = sounding.currentTime > track.from_s && sounding.currentTime < track.from_s + track.duration_s;
        if (!inside) sounding.currentTime = track.from_s;
        await sounding.play();
      }
      await ready(video);
      if (mine !== wanted) return false;
      current = track;
      video.currentTime = place(track);
      await video.play();
      if (mine !== wanted) return false;
      for (const [key, other] of videos) {
        other.classList.toggle("is-on", key === track.key);
        if (key !== track.key) other.pause();
      }
      clearInterval(timer);
      timer = setInterval(follow, FOLLOW_MS);
      changed();
      return true;
    };
    const clear = () => {
      wanted += 1;
      clearInterval(timer);
      videos.forEach((video) => video.remove());
      videos.clear();
      current = null;
    };
    const heard = (event) => { if (event.target === audio()) { follow(); changed(); } };
    for (const name of ["play", "pause", "seeked"]) document.addEventListener(name, heard, true);
    return {
      see, clear, prepare: videoOf, onState: (told) => onState.add(told),
      playing: () => Boolean(audio() && !audio().paused), current: () => current && current.key,
      toggle: () => (audio().paused ? audio().play() : audio().pause()),
    };
  };

  window.mvPictures = { create };
})();
