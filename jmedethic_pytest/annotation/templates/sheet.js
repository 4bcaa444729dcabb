// A sheet in which a person scores replies. What is given is kept in this browser at once, and saved to a file.

const ROWS = DATA.rows;
const PLACE = `jmedethic-annotation/${DATA.study}/${DATA.annotator}`;
const LETTERS = { n: "next", p: "previous", u: "unscored", s: "save", l: "language" };
const BEST = 10;

const part = (id) => document.getElementById(id);
const state = { marks: {}, at: 0, file: "none", ...recalled() };
let current = 0;

/** Returns what this browser kept of the sheet. */
function recalled() {
  try {
    return JSON.parse(localStorage.getItem(PLACE)) || {};
  } catch {
    return {};
  }
}

function keep() {
  try {
    localStorage.setItem(PLACE, JSON.stringify(state));
    part("storage").hidden = localStorage.getItem(PLACE) !== null;
  } catch {
    part("storage").hidden = false;
  }
}

/** Returns the mark of a row; an empty one where nothing was given yet. */
function markOf(row) {
  return state.marks[row.id] || { scores: row.turns.map(() => null), note: "" };
}

function change(row, mark) {
  state.marks[row.id] = mark;
  state.file = state.file === "none" ? "none" : "changed";
  keep();
  showProgress();
}

function setScore(turn, value) {
  const row = ROWS[state.at];
  const mark = markOf(row);
  change(row, { ...mark, scores: mark.scores.map((old, index) => (index === turn ? value : old)) });
  for (const input of document.querySelectorAll(`input[name="score-${turn}"]`)) input.checked = Number(input.value) === value;
}

// ------------------------------------------------------------------ what is shown

function fillWords() {
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  document.title = word("title", { annotator: DATA.annotator });
  part("bands").replaceChildren(...DATA.rubric.bands.map(bandRow));
  part("checks").replaceChildren(...DATA.rubric.checks.map((check) => make("li", {}, pick(check))));
  const steps = ["read", "score", "note", "kept", "save"];
  part("steps").replaceChildren(...steps.map((name) => make("li", {}, word(`step.${name}`))));
  const keys = { "1 … 9, 0": "score", Delete: "clear", n: "next", p: "previous", u: "unscored", m: "note", s: "save", l: "language" };
  part("keys").replaceChildren(
    ...Object.entries(keys).flatMap(([key, name]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, word(`key.${name}`))]),
  );
}

function bandRow([range, label, text]) {
  return make("tr", {}, make("th", { scope: "row" }, range), make("td", {}, make("strong", {}, pick(label)), make("br"), pick(text)));
}

function showRow() {
  const row = ROWS[state.at];
  part("conversation-title").textContent = word("conversation.place", { number: state.at + 1, count: ROWS.length });
  part("guideline").replaceChildren(
    make("p", { class: "who" }, word("guideline")),
    make("strong", {}, pick(row.title)),
    make("p", {}, pick(row.summary)),
  );
  part("turns").replaceChildren(...row.turns.map((texts, turn) => turnOf(row, texts, turn)));
  part("note").value = markOf(row).note;
  part("previous").disabled = state.at === 0;
  part("next").disabled = state.at === ROWS.length - 1;
  showCurrent();
  showProgress();
}

function turnOf(row, [user, reply], turn) {
  const number = { turn: turn + 1 };
  const article = make(
    "article",
    { class: "turn", tabindex: "-1", id: `turn-${turn}`, "aria-label": word("reply", number) },
    make("p", { class: "who" }, word("user", number)),
    make("div", { class: "bubble user", lang: row.locale }, user),
    make("p", { class: "who" }, word("reply", number)),
    make("div", { class: "bubble answer", lang: row.locale }, reply),
    scaleOf(row, turn),
  );
  article.addEventListener("focusin", () => {
    current = turn;
    showCurrent();
  });
  return article;
}

function scaleOf(row, turn) {
  const given = markOf(row).scores[turn];
  const choice = (value) => {
    const input = make("input", { type: "radio", name: `score-${turn}`, value, "aria-label": String(value) });
    input.checked = value === given;
    input.addEventListener("change", () => setScore(turn, value));
    return make("label", {}, input, make("span", { "aria-hidden": "true" }, String(value)));
  };
  return make(
    "fieldset",
    {},
    make("legend", {}, word("score", { turn: turn + 1 })),
    make("div", { class: "scale" }, ...Array.from({ length: BEST }, (_, index) => choice(index + 1))),
    make("div", { class: "ends", "aria-hidden": "true" }, make("span", {}, word("low")), make("span", {}, word("high"))),
  );
}

function showCurrent() {
  document.querySelectorAll(".turn").forEach((article, turn) => article.classList.toggle("current", turn === current));
}

function counted() {
  const all = ROWS.reduce((sum, row) => sum + row.turns.length, 0);
  const done = ROWS.reduce((sum, row) => sum + markOf(row).scores.filter((score) => score !== null).length, 0);
  return { all, done };
}

function showProgress() {
  const { all, done } = counted();
  part("progress").max = all;
  part("progress").value = done;
  part("progress").setAttribute("aria-label", word("progress", { all, done }));
  part("progress-text").textContent = word("progress", { all, done });
  part("file-state").textContent = word(`file.${state.file}`);
}

function say(name, values = {}) {
  part("message").textContent = word(name, values);
}

// ------------------------------------------------------------------ where one is

function go(at, turn = null) {
  state.at = Math.min(Math.max(at, 0), ROWS.length - 1);
  const first = markOf(ROWS[state.at]).scores.indexOf(null);
  current = turn ?? Math.max(first, 0);
  keep();
  showRow();
  part("message").textContent = "";
  if (turn === null) {
    part("conversation").focus({ preventScroll: true });
    window.scrollTo(0, 0);
  } else focusTurn();
}

function focusTurn() {
  const article = part(`turn-${current}`);
  article.focus({ preventScroll: true });
  article.querySelector(".who").scrollIntoView({ block: "start" });
}

/** Leads to the next reply without a score, from here to the end and round again. */
function goUnscored() {
  for (let step = 0; step <= ROWS.length; step++) {
    const at = (state.at + step) % ROWS.length;
    const scores = markOf(ROWS[at]).scores;
    const turn = scores.findIndex((score, index) => score === null && (step > 0 || index > current));
    if (turn >= 0) return go(at, turn);
  }
  return say("complete");
}

/** Scores the marked reply and marks the next one of the conversation that has no score. */
function press(value) {
  setScore(current, value);
  const { all, done } = counted();
  if (all === done) return say("complete");
  const scores = markOf(ROWS[state.at]).scores;
  const next = scores.findIndex((score, turn) => score === null && turn > current);
  const open = next >= 0 ? next : scores.indexOf(null);
  if (open < 0) return say("conversation.done");
  current = open;
  showCurrent();
  return focusTurn();
}

// ------------------------------------------------------------------ files

function fileName() {
  return `${DATA.annotator}-${DATA.study}`;
}

function save() {
  const marks = ROWS.map((row) => ({ id: row.id, check: row.check, ...markOf(row) }));
  const content = { format: DATA.format, schema_version: 1, study: DATA.study, annotator: DATA.annotator, saved: new Date().toISOString(), marks };
  const address = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
  const name = `${fileName()}.json`;
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  state.file = "same";
  keep();
  showProgress();
  const { all, done } = counted();
  say(all === done ? "saved" : "saved.part", { name, left: all - done });
}

async function load(file) {
  let content = null;
  try {
    content = JSON.parse(await file.text());
  } catch {
    // no file of ours: said below
  }
  if (!content || content.study !== DATA.study || content.annotator !== DATA.annotator || !Array.isArray(content.marks)) {
    return say("load.other", { name: fileName() });
  }
  const count = { taken: 0, kept: 0 };
  for (const row of ROWS) merge(row, content.marks.find((mark) => mark.id === row.id), count);
  keep();
  showRow();
  return say("loaded", count);
}

function merge(row, given, count) {
  if (!given || !Array.isArray(given.scores)) return;
  const own = markOf(row);
  const scores = own.scores.map((score, turn) => {
    const other = given.scores[turn];
    if (!Number.isInteger(other) || other < 1 || other > BEST || other === score) return score;
    count[score === null ? "taken" : "kept"]++;
    return score ?? other;
  });
  state.marks[row.id] = { scores, note: own.note || String(given.note || "") };
}

// ------------------------------------------------------------------ keys and buttons

const ACTIONS = {
  next: () => go(state.at + 1),
  previous: () => go(state.at - 1),
  unscored: goUnscored,
  save,
  language: () => {
    language = language === "en" ? "ja" : "en";
    remember(language);
    showLanguage();
    fillWords();
    showRow();
  },
};
for (const [name, action] of Object.entries(ACTIONS)) part(name).addEventListener("click", action);
part("note").addEventListener("input", () => change(ROWS[state.at], { ...markOf(ROWS[state.at]), note: part("note").value }));
part("load").addEventListener("change", () => part("load").files.length && load(part("load").files[0]));

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target === part("note")) return focusTurn();
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.target.matches("textarea, input[type=file]")) return undefined;
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  if (digit && !event.shiftKey) return press(Number(digit[1]) || BEST);
  if (event.key === "Delete" || event.key === "Backspace") return setScore(current, null);
  const key = event.key.toLowerCase();
  if (key === "m") {
    event.preventDefault();
    return part("note").focus();
  }
  return key in LETTERS ? ACTIONS[LETTERS[key]]() : undefined;
});

showLanguage();
fillWords();
keep();
go(Math.min(state.at, ROWS.length - 1));
document.documentElement.dataset.ready = "true";
