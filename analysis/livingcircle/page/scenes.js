"use strict";

// Scenes: what a planner prepared for her talk, one after the other.

const sceneTitle = (k) => data.scenes[k][language] || data.scenes[k].zh;

/** Shows a scene: what it says, and the usual for all it does not say; language and projector stay. */
function showScene(k) {
  const { next, view } = readAddress(data.scenes[k].hash);
  const { language: said, projector, picture, legend } = state;
  change({ ...DEFAULTS, language: said, projector, picture, legend, ...next, scene: k });
  goTo(view, next, true);
}

function stepScene(step) {
  const last = data.scenes.length - 1;
  showScene(state.scene < 0 ? 0 : Math.min(last, Math.max(0, state.scene + step)));
}

const leaveScenes = () => { change({ scene: -1 }); byId("scenes").focus(); };

function drawScenes(state) {
  const bar = byId("scene-bar"), k = state.scene;
  byId("scenes").hidden = data.scenes.length === 0;
  byId("scenes").setAttribute("aria-pressed", String(k >= 0));
  bar.hidden = k < 0;
  document.documentElement.classList.toggle("staged", k >= 0);
  if (k < 0) return;
  byId("scene-title").textContent = sceneTitle(k);
  byId("scene-number").textContent = `${k + 1} / ${data.scenes.length}`;
  byId("scene-back").disabled = k === 0;
  byId("scene-next").disabled = k === data.scenes.length - 1;
}

function listenToScenes() {
  byId("scenes").addEventListener("click", () => (state.scene < 0 ? stepScene(0) : leaveScenes()));
  byId("scene-back").addEventListener("click", () => stepScene(-1));
  byId("scene-next").addEventListener("click", () => stepScene(1));
  byId("scene-close").addEventListener("click", leaveScenes);
  document.addEventListener("keydown", (event) => {
    const step = { PageDown: 1, PageUp: -1 }[event.key]; // what a presenter's clicker sends
    if (state.scene < 0 || !step || event.target.closest("input, select")) return;
    event.preventDefault();
    stepScene(step);
  });
}
