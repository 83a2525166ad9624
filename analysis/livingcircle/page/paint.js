"use strict";

// The order in which the map is painted: on the screen, and once more for paper.

function paintMap(pen, view) {
  paintBackground(pen, view, state, true);
  paintCommunities(pen, view, state);
  paintBackground(pen, view, state, false);
  paintBand(pen, view, state);
  paintGrounds(pen, view, state);
  paintSelection(pen, view, state);
  paintCircles(pen, view, state);
  paintCircleTo(pen, view, state);
  paintRadius(pen, view, state);
  paintPeople(pen, view, state);
  paintPlaces(pen, view, state);
  paintNames(pen, view, state);
  paintMinutes(pen, view, state);
}

const painter = new Painter(paintMap);
let asked = 0;

/** Paints once before the next frame, however often it is asked for. */
function repaint() {
  asked ||= requestAnimationFrame(() => { asked = 0; painter.repaint(); });
}
