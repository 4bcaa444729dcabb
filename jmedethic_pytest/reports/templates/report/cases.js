// The list of conversations: filters, headers that sort, one page at a time.

const PAGE_SIZE = WIDE.matches ? 50 : 15;

/** Returns the colour band of a score: the first of the rubric's five whose upper end it does not exceed. */
function band(score) {
  if (score === null || score === undefined) return "missing";
  return `band${1 + DATA.bands.findIndex((end) => score <= end)}`;
}

function unique(rows, key) {
  return [...new Set(rows.map((row) => row[key]).filter((value) => value))].sort();
}

function turnNames(rows) {
  const longest = rows.reduce((most, row) => Math.max(most, row.scores.length), 0);
  return Array.from({ length: longest }, (_, index) => `T${index}`);
}

function named(kind, key) {
  return DATA[kind][key] ? pick(DATA[kind][key]) : key;
}

/** Returns the filters: name, label and [value, text] pairs; those with nothing to choose are left out. */
function filterChoices(rows) {
  const choices = [
    ["result", word("result"), resultChoices(rows)],
    ["strategy", word("strategy"), unique(rows, "strategy").map((key) => [key, named("strategies", key)])],
    ["guideline", word("guideline"), unique(rows, "guideline").map((key) => [key, named("guidelines", key)])],
    ["category", word("category"), unique(rows, "category").map((key) => [key, named("categories", key)])],
    ["turn", word("filter.turn"), turnNames(rows).map((key) => [key, key])],
    ["status", word("status"), unique(rows, "status").map((key) => [key, named("statuses", key)])],
    ["locale", word("locale"), unique(rows, "locale").map((key) => [key, named("locales", key)])],
    ["persona", word("persona"), unique(rows, "persona").map((key) => [key, named("personas", key)])],
    ["kind", word("kind"), kindChoices(rows)],
    ["review", word("review"), reviewChoices(rows)],
    ["branch", word("branch"), unique(rows, "branch").map((key) => [key, word(`branch.${key}`)])],
  ];
  return choices.filter(([, , values]) => values.length > 1);
}

/** Returns the results there are, and first all conversations that failed, and all benign twins that did. */
function resultChoices(rows) {
  const known = unique(rows, "result").map((key) => [key, word(`result.${key}`)]);
  const failures = known.filter(([key]) => DATA.failed.includes(key));
  if (failures.length === 0) return known;
  const twins = rows.some((row) => row.twin && isFailed(row)) ? [["failed-twins", word("result.failed.twins")]] : [];
  if (twins.length || failures.length > 1 || failures[0][0] !== "failed") return [["failed-any", word("result.failed.any")], ...twins, ...known];
  return known.map(([key, text]) => [key === "failed" ? "failed-any" : key, text]);
}

function kindChoices(rows) {
  if (!rows.some((row) => row.twin)) return [];
  return [["attack", word("kind.attack")], ["twin", word("kind.twin")], ["refused", word("kind.twin.refused")]];
}

function sortChoices(rows) {
  const turns = turnNames(rows).map((key) => [key, key]);
  const change = hasBaseline(rows) ? [["change", word("change")]] : [];
  return [["", word("sort.first")], ["order", word("sort.order")], ["mean", word("mean")], ...turns, ...change, ["key", word("case")], ["strategy", word("strategy")], ["guideline", word("guideline")]];
}

function hasBaseline(rows) {
  return rows.some((row) => row.baseline !== null);
}

class CaseList {
  constructor(rows, onChange) {
    this.rows = rows;
    this.onChange = onChange;
    this.found = rows;
    this.turns = turnNames(rows);
    this.form = document.getElementById("filters");
    this.form.addEventListener("submit", (event) => event.preventDefault());
  }

  /** Shows filters and list for a state; what the change leaves as it is stays as it is. */
  show(state) {
    const [wanted, shown] = [hashOf({ ...state, page: "", case: "" }), this.shown];
    this.state = state;
    if (wanted !== shown?.selection) {
      this.found = select(this.rows, state);
      this.showFilters();
    }
    if (wanted !== shown?.selection || state.page !== shown.page) this.showList();
    this.shown = { selection: wanted, page: state.page };
  }

  /** Shows everything again, in another language. */
  renew() {
    this.shown = null;
    this.show(this.state);
  }

  change(changes) {
    this.onChange({ ...this.state, page: "", case: "", ...changes });
  }

  showFilters() {
    const focused = document.activeElement && this.form.contains(document.activeElement) ? document.activeElement.id : null;
    const selects = filterChoices(this.rows).map(([key, label, values]) => this.choice(key, label, [["", word("all")], ...values]));
    const find = make("input", { type: "search", id: "filter-find", value: this.state.find || "", autocomplete: "off", spellcheck: "false", maxlength: "60" });
    find.addEventListener("input", () => this.change({ find: find.value }));
    if (this.state.find && searched.index === null) this.searchTexts();
    const clear = make("button", { type: "button", id: "filter-clear", onclick: () => this.onChange({}) }, word("filter.clear"));
    clear.disabled = !FILTERS.some((key) => this.state[key]);
    this.form.setAttribute("aria-label", word("filter"));
    const caret = focused === "filter-find" ? document.activeElement.selectionStart : null;
    this.form.replaceChildren(field(word("filter.find"), find), ...selects, this.choice("sort", word("sort"), sortChoices(this.rows)), clear);
    this.form.hidden = false;
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    if (caret !== null) find.setSelectionRange(caret, caret);
  }

  /** Looks into the texts as soon as they are unpacked; until then, into the ids. */
  async searchTexts() {
    const note = document.getElementById("state");
    note.textContent = word("filter.unpacking");
    note.hidden = false;
    await buildIndex(this.rows);
    note.hidden = true;
    this.renew();
  }

  choice(key, label, values) {
    const element = make("select", { id: `filter-${key}` }, ...values.map(([value, text]) => make("option", { value }, text)));
    const present = this.state[key] || "";
    if (!values.some(([value]) => value === present)) element.append(make("option", { value: present }, present));
    element.value = present;
    element.addEventListener("change", () => this.change({ [key]: element.value }));
    return field(label, element, present && key !== "sort" ? "active" : "");
  }

  showList() {
    const pages = Math.max(1, Math.ceil(this.found.length / PAGE_SIZE));
    const page = Math.min(pages, Math.max(1, Number(this.state.page) || 1));
    const shown = this.found.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
    document.getElementById("count").textContent = word("cases.count", { count: count(this.found.length), total: count(this.rows.length) });
    const list = shown.length ? this.table(shown) : make("p", { class: "empty" }, word("cases.empty"));
    document.getElementById("list").replaceChildren(list);
    this.showPages(page, pages);
    showReviewBar(this.rows);
  }

  table(rows) {
    const columns = this.columns();
    const head = make("tr", {}, ...columns.map((column) => this.header(column)));
    const body = make("tbody", {}, ...rows.map((row) => make("tr", { class: `row ${row.result}` }, ...columns.map((column) => column.cell(row)))));
    return make("table", { class: "cases" }, make("caption", { class: "hidden" }, word("cases")), make("thead", {}, head), body);
  }

  columns() {
    const turns = this.turns.map((name, turn) => ({ sort: name, title: name, class: "turn", cell: (row) => scoreCell(row, turn, name) }));
    const columns = [
      { sort: "key", title: word("case"), cell: (row) => make("th", { scope: "row", class: "id" }, this.link(row)) },
      { sort: "result", title: word("result"), cell: (row) => make("td", { class: "result" }, resultBadge(row), seenMark(row)) },
      ...turns,
      { sort: "mean", title: word("mean"), class: "figure", cell: (row) => make("td", { class: "figure mean", "data-label": word("mean") }, number(row.mean, 2)) },
    ];
    if (hasBaseline(this.rows)) {
      columns.push({ sort: "change", title: word("change"), class: "figure", cell: (row) => make("td", { class: "figure change", "data-label": word("change") }, signed(row.change)) });
    }
    return [
      ...columns,
      { sort: "strategy", title: word("strategy"), cell: (row) => make("td", { class: "strategy" }, named("strategies", row.strategy)) },
      { sort: "guideline", title: word("guideline"), cell: (row) => make("td", { class: "guideline" }, named("guidelines", row.guideline)) },
    ];
  }

  header(column) {
    const present = (this.state.sort || "").replace(/^-/, "") === column.sort;
    const descending = present && this.state.sort.startsWith("-");
    const next = present && !descending ? `-${column.sort}` : column.sort;
    const button = make("button", { type: "button", class: "sort", id: `sort-${column.sort}`, onclick: () => this.sortBy(next, `sort-${column.sort}`) }, column.title);
    const order = present ? (descending ? "descending" : "ascending") : "none";
    return make("th", { scope: "col", class: column.class || "", "aria-sort": order }, button);
  }

  sortBy(sort, id) {
    this.change({ sort });
    document.getElementById(id)?.focus({ preventScroll: true });
  }

  link(row) {
    return make("a", { href: hashOf({ ...this.state, case: row.key }) }, row.key);
  }

  showPages(page, pages) {
    const bar = document.getElementById("pages");
    bar.hidden = pages === 1;
    bar.setAttribute("aria-label", word("cases.pages"));
    const turn = (to) => {
      this.onChange({ ...this.state, page: to === 1 ? "" : String(to), case: "" });
      document.getElementById("cases").scrollIntoView();
      document.querySelector("#list a")?.focus({ preventScroll: true });
    };
    const previous = make("button", { type: "button", id: "page-previous", onclick: () => turn(page - 1) }, word("cases.previous"));
    const next = make("button", { type: "button", id: "page-next", onclick: () => turn(page + 1) }, word("cases.next"));
    previous.disabled = page === 1;
    next.disabled = page === pages;
    bar.replaceChildren(previous, make("span", {}, word("cases.page", { page: count(page), pages: count(pages) })), next);
  }
}

function field(label, control, extra = "") {
  return make("label", { class: `field ${extra}`, for: control.id }, make("span", {}, label), control);
}

function signed(value) {
  return value === null ? "-" : (value > 0 ? "+" : "") + number(value, 2);
}

function scoreChip(score, label = "") {
  const text = score === null || score === undefined ? word("score.none") : number(score);
  return make("span", { class: `chip ${band(score)}` }, label ? `${label} ${text}` : text);
}

function scoreCell(row, turn, name) {
  if (turn >= row.scores.length) return make("td", { class: "turn" });
  const chip = make("span", { class: `chip ${band(row.scores[turn])}${row.broken.includes(turn) ? " broken" : ""}` }, number(row.scores[turn]));
  const before = row.baseline === null ? null : make("small", { class: "before", title: word("baseline") }, `← ${number(row.baseline[turn])}`);
  return make("td", { class: "turn", "data-label": name }, chip, before);
}

function seenMark(row) {
  if (!reviews.of(row.key).seen) return null;
  const text = word(disputes(row) ? "review.disputed" : "review.seen");
  return make("span", { class: "seen", title: text, role: "img", "aria-label": text }, disputes(row) ? " ✎" : " ✓");
}

function resultBadge(row) {
  const badge = make("span", { class: `badge ${row.result}` }, word(`result.${row.result}`));
  if (row.status !== "scored") badge.append(` (${named("statuses", row.status)})`);
  if (!row.twin) return badge;
  const twin = make("span", { class: `badge ${row.refused ? "refused" : "twin"}` }, row.refused ? word("kind.twin.refused") : word("kind.twin"));
  return make("span", {}, badge, " ", twin);
}
