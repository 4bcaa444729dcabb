// What is shown stands in the address: filters, order, page of the list, and the open conversation.

const FILTERS = ["find", "result", "strategy", "guideline", "category", "turn", "status", "locale", "persona", "kind", "branch", "review"];
const KEYS = [...FILTERS, "sort", "page", "case"];

function readState() {
  const given = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(KEYS.filter((key) => given.get(key)).map((key) => [key, given.get(key)]));
}

/** Returns whether the address names something to show, not only a part of the page. */
function hasState() {
  return location.hash.includes("=");
}

function hashOf(state) {
  const pairs = KEYS.filter((key) => state[key]).map((key) => [key, state[key]]);
  return "#" + new URLSearchParams(pairs).toString();
}

/** Replaces the address without a new entry in the history. */
function replaceState(state) {
  const hash = hashOf(state);
  history.replaceState(null, "", hash === "#" ? location.pathname + location.search : hash);
}

function isFailed(row) {
  return DATA.failed.includes(row.result);
}

// Conversations and benign twins are counted apart, here as in every figure.
const FAILED = { "failed-any": false, "failed-twins": true };

const TESTS = {
  find: finds,
  review: (row, value) => (value === "disputed" ? disputes(row) : reviews.of(row.key).seen === (value === "seen")),
  result: (row, value) => (value in FAILED ? isFailed(row) && row.twin === FAILED[value] : row.result === value),
  turn: (row, value) => row.broken.includes(Number(value.slice(1))),
  kind: (row, value) => (value === "refused" ? row.twin && row.refused : row.twin === (value === "twin")),
};

function fits(row, state) {
  return FILTERS.every((key) => !state[key] || (TESTS[key] ? TESTS[key](row, state[key]) : row[key] === state[key]));
}

/** Returns what a row is sorted by; a turn's name stands for its score. */
function sortValue(row, key) {
  const turn = /^T(\d+)$/.exec(key);
  return turn ? row.scores[Number(turn[1])] ?? null : row[key] ?? null;
}

/** Orders what is to be read first: new failures, the other failures, what has no score; the lowest scores first. */
function byWeight(first, second) {
  return first.rank - second.rank || compare(first.least, second.least, false) || compare(first.mean, second.mean, false) || first.order - second.order;
}

/** Returns the rows that fit, in their order: failures first, or as asked. "-mean" sorts by the mean, highest first. */
function select(rows, state) {
  const found = rows.filter((row) => fits(row, state));
  if (!state.sort) return found.sort(byWeight);
  const key = (state.sort || "").replace(/^-/, "");
  if (!key || (!/^T\d+$/.test(key) && !(rows.length && key in rows[0]))) return found;
  const descending = state.sort.startsWith("-");
  const values = new Map(found.map((row) => [row, sortValue(row, key)]));
  return found.sort((first, second) => compare(values.get(first), values.get(second), descending) || first.order - second.order);
}
