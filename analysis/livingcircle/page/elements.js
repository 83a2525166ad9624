"use strict";

// Elements of the page and small marks in it. All text is set as text, never as markup.

const byId = (id) => document.getElementById(id);

/** An element; attributes that begin with "on" are listeners, children that are null are left out. */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const option = (value, text) => el("option", { value }, text);
function fillSelect(select, options, value) {
  select.replaceChildren(...options);
  select.value = value;
}

/** A swatch is coloured through the style object, which the page's security policy allows. */
function swatch(kind, colour = null) {
  const box = el("i", { class: `swatch ${kind}`, "aria-hidden": "true" });
  if (colour) box.style.backgroundColor = colour;
  return box;
}

/** A bar from 0 to 1: filled as far as people walk, marked where the straight line would be. */
function bar(value, { mark = null, colour = null, least = false } = {}) {
  const fill = el("i", { class: least ? "fill least" : "fill" });
  fill.style.width = `${100 * Math.max(0, Math.min(1, value ?? 0))}%`;
  if (colour) fill.style.backgroundColor = colour;
  const track = el("span", { class: value === null ? "bar unknown" : "bar", "aria-hidden": "true" }, fill);
  if (mark !== null) {
    const tick = el("i", { class: "tick" });
    tick.style.left = `${100 * Math.min(1, mark)}%`;
    track.append(tick);
  }
  return track;
}

/** In a list of buttons only one is reached by Tab; the arrow keys go on from there. */
function arrowKeys(list) {
  list.addEventListener("keydown", (event) => {
    const buttons = [...list.querySelectorAll("button")], at = buttons.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined || at < 0 || !buttons[to]) return;
    event.preventDefault();
    buttons[at].tabIndex = -1;
    buttons[to].tabIndex = 0;
    buttons[to].focus();
  });
}

// -- words about a rule -------------------------------------------------------------------------------

const unitWord = (unit) => sayOr("", unit);
/** Whether a rule counts people, or the land that stands for them where there are none. */
const countsPeople = (rule) => !rule.denominator || rule.denominator === (ofLand ? "residential_land" : "people");
/** The key of a phrase about people that a rule about residential land needs in square metres. */
const ofItsOwn = (rule, key) => (!ofLand && rule.denominator === "residential_land" ? `${key}_of_land` : key);
/** Whether those whom a rule covers are drawn: people or ground, not whole communities. */
const drawsPeople = (state) => state.layer !== "score" && state.measure !== "supply" && (countsPeople(entryByKey.get(state.layer).rule) || entryByKey.get(state.layer).rule.denominator === "residential_land");
const piesShown = (state) => state.people && drawsPeople(state);

const thresholdText = (rule) => (rule.unit === "share" ? percent(rule.threshold) : `${decimal(rule.threshold, 2)} ${unitWord(rule.unit)}`);
const confidenceText = (rule) => say(`mark_${rule.mark}`);
const boundText = (rule) => (rule.bound ? ` · ${say(rule.bound)}` : "");
const groupText = (entry, series) => ofLand && countsPeople(entry.rule) ? say("all") : (series.stand_in ? say("stand_in", sayOr("", entry.rule.group)) : sayOr("", entry.group));
const walkerText = (walker) => sayOr("", walker);

const supplyText = (part, state) => {
  const rule = entryByKey.get(state.layer).rule;
  return `${decimal(part * rule.threshold, 2)} ${unitWord(rule.unit)}`;
};

/** A value as people read it: points for the score, per cent for shares, percentage points for the gap. */
function valueText(value, sign, state) {
  if (sign === "s") return say("no_score");
  if (sign === "n") return say("no_data");
  if (sign === "a") return say("not_applicable");
  if (sign === "d") return say("no_demand");
  if (sign === "w") return say("withheld");
  if (value === null) return "–";
  const text = state.layer === "score" ? decimal(100 * value) : state.measure === "supply" ? supplyText(value, state) : percent(value);
  if (sign !== "i") return text;
  return state.measure === "gap" ? say("about_value", text) : `${say("least")} ${text}`; // a difference of two lower bounds is none
}

