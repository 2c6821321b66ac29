/* Grading a list in the vote widget: one music after the other, and where judges disagree. */
(() => {
  "use strict";
  const state = window.mvArena;
  const { call, part, say, show, gate, failed, play, pause, open, next } = window.mvArenaParts;

  /* state.review is the place in the queue of disagreements, or null while new items are graded */
  const nextGrade = async (playOn = false) => {
    const turn = ++state.turn;
    say(mvTexts.preparing_grade);
    try {
      const review = state.review !== null;
      const item = await (review
        ? call("judge-disputed", { session: state.session, place: state.review })
        : call("judge-next", { session: state.session }));
      if (turn !== state.turn) return;
      if (review && !item.token) { state.review = null; return nextGrade(playOn); }
      graded(item);
      if (!item.token) { show("all-graded"); return say(mvTexts.all_graded, "ok"); }
      await open(item, turn);
      if (turn !== state.turn) return;
      part("play").focus();
      if (playOn) await play();
    } catch (error) {
      if (turn !== state.turn) return;
      show("start");
      failed(error);
    }
  };

  const graded = ({ progress, place, grades, own }) => {
    const review = state.review !== null;
    state.disputed = progress.disputed;
    part("place").textContent = review ? mvWords("disagreement", { at: place + 1, all: progress.disputed }) : mvWords("graded", { own: progress.own, all: progress.items });
    part("review").hidden = !review && !progress.disputed;
    part("review").textContent = review ? mvTexts.back_to_list : mvWords("disagree", { count: progress.disputed });
    part("disputed").hidden = part("review-guide").hidden = !review;
    part("guide").hidden = review;
    part("disputed").textContent = review ? mvWords("grades_so_far", { grades: grades.join(", "), own }) : "";
    part("no-grade").textContent = review ? mvTexts.keep_mine : mvTexts.cannot_say;
  };

  const review = () => {
    if (!["grading", "all-graded"].includes(state.step) || part("review").hidden) return;
    pause();
    state.review = state.review === null ? 0 : null;
    show("waiting");
    return nextGrade();
  };

  const giveGrade = async (grade) => {
    if (state.busy || state.step !== "grading" || (grade !== null && state.heard[0] < state.battle.needed_ms)) return;
    state.busy = true;
    gate();
    const playOn = state.playing, keeps = state.review !== null && grade === null;
    try {
      if (keeps) state.review += 1;
      else {
        say(mvTexts.saving);
        const answer = await call("judge", { session: state.session, token: state.battle.token, grade, listen_ms: Math.round(state.heard[0]) });
        if (state.review !== null && answer.progress.disputed === state.disputed) state.review += 1;  /* settled ones leave the queue */
      }
      pause();
      show("waiting");
      await nextGrade(playOn);
    } catch (error) {
      state.busy = false;
      if (error.keep) { say(mvWords("not_saved_yet", { why: error.message }), "error"); return gate(); }  /* the item stays */
      if (error.status === 409) { say(error.message, "error"); setTimeout(next, 1200); return; }
      failed(new Error(mvWords("not_saved", { why: error.message })));
    }
  };

  Object.assign(window.mvArenaParts, { nextGrade, review, giveGrade });
})();
