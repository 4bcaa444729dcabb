// Review: what a reader thinks of the judges' scores, kept in this browser and saved to a file. It is not blind.

const RATINGS = ["agree", "too_strict", "too_lenient"];
const REVIEW_PLACE = `jmedethic-review/${DATA.run_digest}`;
const NAME_PLACE = "jmedethic-reviewer";
const BEST = 10;
const MOST_COMMENT = 10000;

class Reviews {
  constructor() {
    this.kept = true;
    this.all = this.recalled();
    this.changed = false;
  }

  recalled() {
    try {
      const found = JSON.parse(localStorage.getItem(REVIEW_PLACE)) || {};
      return Object.fromEntries(Object.entries(found).filter(([, review]) => isReview(review)));
    } catch {
      return {};
    }
  }

  /** Returns the review of a conversation; an empty one where nothing was given. */
  of(key) {
    return this.all[key] || { check: "", seen: false, ratings: {}, comment: "" };
  }

  /** Changes one review; what another tab gave to other conversations stays. */
  change(key, check, changes) {
    const review = { ...this.of(key), check, ...changes };
    this.all = { ...this.all, ...this.recalled(), [key]: review };
    this.changed = true;
    try {
      localStorage.setItem(REVIEW_PLACE, JSON.stringify(this.all));
      this.kept = true;
    } catch {
      this.kept = false; // storage is closed to this page, or full
    }
  }

  rate(key, check, turn, rating) {
    const ratings = { ...this.of(key).ratings };
    if (rating === null) delete ratings[turn];
    else ratings[turn] = rating;
    this.change(key, check, { ratings, seen: true });
  }

  /** Returns those that hold something, in the order of the rows. */
  given(rows) {
    const isGiven = (review) => review.seen || review.comment || Object.keys(review.ratings).length;
    return rows.map((row) => [row, this.of(row.key)]).filter(([, review]) => isGiven(review));
  }

  get name() {
    try {
      return localStorage.getItem(NAME_PLACE) || "";
    } catch {
      return "";
    }
  }

  set name(name) {
    try {
      localStorage.setItem(NAME_PLACE, name);
    } catch {
      // the name then stands in its field only
    }
  }
}

/** Tells whether something is a review: other files in this browser can write to the same place. */
function isReview(found) {
  if (!found || typeof found.seen !== "boolean" || typeof found.comment !== "string" || typeof found.check !== "string") return false;
  const isRating = (rating) => RATINGS.includes(rating) || (Number.isInteger(rating) && rating >= 1 && rating <= BEST);
  return Boolean(found.ratings) && Object.values(found.ratings).every(isRating);
}

const reviews = new Reviews();

/** Tells which way a rating goes: agree, too_strict or too_lenient; a score of one's own agrees within a point. */
function direction(rating, panel) {
  if (rating === undefined || RATINGS.includes(rating)) return rating;
  if (panel === null || panel === undefined) return undefined;
  return Math.abs(rating - panel) <= 1 ? "agree" : rating > panel ? "too_strict" : "too_lenient";
}

function disputes(row) {
  return Object.entries(reviews.of(row.key).ratings).some(([turn, rating]) => {
    const way = direction(rating, row.scores[turn]);
    return way === "too_strict" || way === "too_lenient";
  });
}

function reviewChoices(rows) {
  const found = reviews.given(rows);
  return found.length ? ["open", "seen", "disputed"].map((key) => [key, word(`review.${key}`)]) : [];
}

// ------------------------------------------------------------------ in the conversation

/** Returns the controls for one reply. */
function ratingPart(row, check, turn, value, onChange) {
  const given = reviews.of(row.key).ratings[turn];
  const set = (rating) => {
    reviews.rate(row.key, check, turn, rating);
    onChange();
  };
  const button = (rating) => {
    const pressed = given === rating;
    const name = make("button", { type: "button", id: `rate-${turn}-${rating}`, "aria-pressed": String(pressed), onclick: () => set(pressed ? null : rating) }, word(`review.${rating}`));
    name.disabled = value === null;
    return name;
  };
  const options = [["", word("review.own")], ...Array.from({ length: BEST }, (_, index) => [String(index + 1), String(index + 1)])];
  const own = make("select", { id: `rate-${turn}-own`, "aria-label": word("review.own") }, ...options.map(([key, text]) => make("option", { value: key }, text)));
  own.value = typeof given === "number" ? String(given) : "";
  own.addEventListener("change", () => set(own.value ? Number(own.value) : null));
  return make("fieldset", { class: "rating" }, make("legend", {}, word("review.question", { turn })), ...RATINGS.map(button), own);
}

/** Returns the controls for the whole conversation. */
function remarkPart(row, check, onChange) {
  const given = reviews.of(row.key);
  const seen = make("input", { type: "checkbox", id: "review-seen" });
  seen.checked = given.seen;
  seen.addEventListener("change", () => {
    reviews.change(row.key, check, { seen: seen.checked });
    onChange();
  });
  const comment = make("textarea", { id: "review-comment", rows: "3", maxlength: String(MOST_COMMENT) });
  comment.value = given.comment;
  comment.addEventListener("input", () => reviews.change(row.key, check, { comment: comment.value, seen: true }));
  return make(
    "section",
    { class: "remark", "aria-label": word("review") },
    make("h3", {}, word("review")),
    make("label", { class: "check", for: "review-seen" }, seen, " ", word("review.seen.mark")),
    make("label", { class: "field", for: "review-comment" }, make("span", {}, word("review.comment")), comment),
    make("p", { class: "hint" }, word("review.kept")),
  );
}

// ------------------------------------------------------------------ above the list

function showReviewBar(rows) {
  const bar = document.getElementById("review");
  const found = reviews.given(rows);
  const ratings = found.flatMap(([, review]) => Object.keys(review.ratings)).length;
  const name = make("input", { id: "review-name", maxlength: "40", size: "10", value: reviews.name, autocomplete: "off", spellcheck: "false" });
  name.addEventListener("input", () => (reviews.name = name.value.trim()));
  const save = make("button", { type: "button", id: "review-save", onclick: () => saveReviews(rows) }, word("review.save"));
  const table = make("button", { type: "button", id: "review-csv", onclick: () => saveTable(rows) }, word("review.csv"));
  const keys = make("button", { type: "button", id: "review-keys", onclick: showKeys }, word("keys.show"));
  save.disabled = table.disabled = found.length === 0;
  const seen = found.filter(([, review]) => review.seen).length;
  const told = found.length ? word("review.count", { seen: count(seen), total: count(rows.length), ratings: count(ratings) }) : word("review.none");
  const state = !reviews.kept ? word("review.closed") : reviews.changed ? word("review.unsaved") : "";
  bar.replaceChildren(
    make("span", { class: "told" }, told, state ? make("strong", {}, ` ${state}`) : ""),
    make("label", { for: "review-name" }, word("review.name"), " ", name), save, table, keys,
  );
  bar.hidden = false;
}

function reviewer() {
  const field = document.getElementById("review-name");
  if (/^[\p{L}\p{N}_-]{1,40}$/u.test(reviews.name || field.value.trim())) return reviews.name || field.value.trim();
  field.focus();
  document.querySelector("#review .told").textContent = word("review.name.needed");
  return null;
}

function saveReviews(rows) {
  const name = reviewer();
  if (name === null) return;
  const given = reviews.given(rows).map(([row, { check, seen, ratings, comment }]) => ({ case: row.key, check, seen, ratings, comment }));
  const content = { format: "jmedethic-review", schema_version: 1, run: DATA.run, run_digest: DATA.run_digest, reviewer: name, blind: false, saved: new Date().toISOString(), reviews: given };
  download(`review-${name}-${DATA.run}.json`, "application/json", JSON.stringify(content, null, 1));
  reviews.changed = false;
  showReviewBar(rows);
}

function saveTable(rows) {
  const name = reviewer();
  if (name === null) return;
  const head = ["reviewer", "case", "strategy", "guideline", "seen", "turn", "panel", "rating", "own score", "comment"];
  const lines = reviews.given(rows).flatMap(([row, review]) => {
    const about = [name, row.key, row.strategy, row.guideline, review.seen ? "yes" : "no"];
    const ratings = Object.entries(review.ratings);
    const told = ratings.map(([turn, rating]) => [`T${turn}`, row.scores[turn] ?? "", direction(rating, row.scores[turn]) ?? "", typeof rating === "number" ? rating : ""]);
    return (told.length ? told : [["", "", "", ""]]).map((cells) => [...about, ...cells, review.comment]);
  });
  download(`review-${name}-${DATA.run}.csv`, "text/csv", `\ufeff${[head, ...lines].map((cells) => cells.map(quoted).join(",")).join("\r\n")}\r\n`);
}

/** Returns a cell; a spreadsheet must not take a text for a formula. */
function quoted(value) {
  const text = String(value);
  return `"${(/^[=+\-@\t\r]/.test(text) && typeof value === "string" ? `'${text}` : text).replaceAll('"', '""')}"`;
}

function download(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}
