/* The pictures of found videos in "Music to video", one seen at a time; player.js puts the music under them.

     const pictures = mvPictures.create(() => HTMLElement)
     pictures.fetch(address)   ahead of time; ready(address) is the promise that it can be shown
     pictures.show(address)    the others are hidden and stand still
     pictures.clear() */
(() => {
  "use strict";
  const MOST = 3;

  const create = (screen) => {
    const videos = new Map();  /* address -> video, in the order of their last use */
    const fetch = (address) => {
      let video = videos.get(address);
      if (!video || !video.isConnected) {
        video = document.createElement("video");
        Object.assign(video, { src: address, controls: true, playsInline: true, preload: "auto" });
        screen().append(video);
      }
      videos.delete(address);
      videos.set(address, video);
      for (const [other, old] of videos) {
        if (videos.size <= MOST) break;
        if (old.classList.contains("is-on")) continue;
        old.remove();
        videos.delete(other);
      }
      return video;
    };
    const ready = (address) => {
      const video = fetch(address);
      return video.readyState >= 2 ? Promise.resolve() : new Promise((done, fail) => {
        video.addEventListener("loadeddata", () => done(), { once: true });
        video.addEventListener("error", () => fail(new Error(mvTexts.clip_lost)), { once: true });
      });
    };
    const show = (address, name) => {
      const shown = fetch(address);
      shown.setAttribute("aria-label", name);
      videos.forEach((video) => {
        video.classList.toggle("is-on", video === shown);
        if (video !== shown) video.pause();
      });
    };
    const clear = () => {
      videos.forEach((video) => video.remove());
      videos.clear();
    };
    return { fetch, ready, show, clear };
  };

  window.mvPictures = { create };
})();
