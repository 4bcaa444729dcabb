// One conversation in a dialog: scores, texts and judges' reasons, the baseline beside the candidate.

const TEXT_SHOWN = 20000; // characters in one piece: laying out a line of a million at once freezes a phone

class Conversation {
  constructor(onMove, onClose) {
    this.dialog = document.getElementById("conversation");
    this.onMove = onMove;
    this.dialog.addEventListener("close", () => {
      if (!this.silent) onClose();
    });
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
    this.unfolded = false;
  }

  get open() {
    return this.dialog.open;
  }

  close() {
    this.silent = true;
    this.dialog.close();
    this.silent = false;
  }

  /** Shows a row; neighbours are those of the list as it is filtered and sorted. */
  async show(row, found) {
    this.row = row;
    this.found = found;
    const content = await loadConversation(row);
    if (this.row !== row) return; // another one was asked for meanwhile
    this.content = content;
    this.turn = null;
    const focused = document.activeElement && this.dialog.contains(document.activeElement) ? document.activeElement.id : null;
    this.dialog.replaceChildren(this.top(row, found), make("div", { class: "body" }, ...this.body(row, content)));
    this.markTurn(this.first());
    if (!this.open) {
      this.opener = document.activeElement;
      this.dialog.showModal();
    }
    this.dialog.scrollTop = 0;
    const again = focused && document.getElementById(focused);
    (again && !again.disabled ? again : document.getElementById("conversation-title")).focus({ preventScroll: true });
  }

  /** Goes to a neighbour in the list. */
  move(step) {
    const next = this.found[this.found.indexOf(this.row) + step];
    if (next) this.onMove(next);
  }

  /** Returns the reply that a rating by keyboard goes to at first: the lowest score. */
  first() {
    const turns = (this.content?.turns ?? []).filter((turn) => turn.value !== null);
    return turns.length ? turns.reduce((lowest, turn) => (turn.value < lowest.value ? turn : lowest)).index : (this.content?.turns[0]?.index ?? null);
  }

  markTurn(turn) {
    this.turn = turn;
    for (const part of this.dialog.querySelectorAll(".turn-part")) part.classList.toggle("current", part.dataset.turn === String(turn));
  }

  nextTurn() {
    const turns = (this.content?.turns ?? []).map((turn) => turn.index);
    if (!turns.length) return;
    this.markTurn(turns[(turns.indexOf(this.turn) + 1) % turns.length]);
    this.dialog.querySelector(".turn-part.current").scrollIntoView({ block: "center" });
  }

  /** Keeps a rating of the marked reply; words need a score of the judges to speak of. */
  rate(rating) {
    const turn = this.content?.turns.find((item) => item.index === this.turn);
    if (!turn || (turn.value === null && RATINGS.includes(rating))) return;
    reviews.rate(this.row.key, this.content.check, this.turn, rating);
    this.showReview();
  }

  /** Marks the conversation as seen and goes on. */
  done() {
    if (this.content) reviews.change(this.row.key, this.content.check, { seen: true });
    this.showReview();
    this.move(1);
  }

  /** Shows again what was given, where it was given. */
  showReview() {
    if (!this.content) return;
    const focused = document.activeElement?.id;
    const again = () => this.showReview();
    const { check, turns } = this.content;
    for (const turn of turns) this.dialog.querySelector(`[data-turn="${turn.index}"] .rating`).replaceWith(ratingPart(this.row, check, turn.index, turn.value, again));
    this.dialog.querySelector(".remark").replaceWith(remarkPart(this.row, check, again));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  top(row, found) {
    const at = found.indexOf(row);
    const move = (step) => this.move(step);
    const previous = make("button", { type: "button", id: "case-previous", onclick: () => move(-1) }, word("case.previous"));
    const next = make("button", { type: "button", id: "case-next", onclick: () => move(1) }, word("case.next"));
    previous.disabled = at <= 0;
    next.disabled = at < 0 || at === found.length - 1;
    const position = at < 0 ? "" : word("case.position", { number: count(at + 1), total: count(found.length) });
    const link = make("button", { type: "button", id: "case-link", onclick: (event) => copyLink(event.target, row) }, word("case.link"));
    const close = make("button", { type: "button", id: "case-close", onclick: () => this.dialog.close() }, word("case.close"));
    return make(
      "div",
      { class: "top" },
      make("h2", { id: "conversation-title", tabindex: "-1" }, row.key),
      make("div", { class: "buttons" }, previous, make("span", { class: "position" }, position), next, link),
      close,
    );
  }

  body(row, texts) {
    const parts = DATA.simulated ? [make("p", { class: "banner simulation" }, word("simulation"))] : [];
    if (texts !== null) parts.push(notesPart(texts, row));
    parts.push(this.about(row), this.scoreTable(row));
    if (texts === null) return [...parts, notEmbedded(row)];
    if (row.baseline !== null && !DATA.baseline_texts) parts.push(make("p", { class: "hint" }, word("case.no_baseline")));
    if (texts.detail) parts.push(make("p", { class: "banner" }, texts.detail));
    if (texts.turns.length) parts.push(this.foldButton());
    parts.push(...texts.turns.map((turn) => this.turnPart(turn, row, texts)));
    parts.push(remarkPart(row, texts.check, () => this.showReview()));
    if (texts.attempts.length) parts.push(attemptsPart(texts.attempts, row, this.unfolded));
    parts.push(...(texts.attacks || []).map((attack) => attackPart(attack, row, this.unfolded)));
    return parts;
  }

  turnPart(turn, row, texts) {
    const part = turnPart(turn, row, texts.baseline, this.unfolded);
    part.append(ratingPart(row, texts.check, turn.index, turn.value, () => this.showReview()));
    for (const name of ["focusin", "click"]) part.addEventListener(name, () => this.markTurn(turn.index));
    return part;
  }

  about(row) {
    const facts = [
      [word("result"), resultBadge(row)],
      [word("strategy"), named("strategies", row.strategy)],
      [word("guideline"), named("guidelines", row.guideline)],
      [word("locale"), named("locales", row.locale)],
      [word("persona"), row.persona ? named("personas", row.persona) : "-"],
      [word("status"), named("statuses", row.status)],
      ...(row.branch ? [[word("branch"), word(`branch.${row.branch}`)]] : []),
    ];
    return make("dl", { class: "facts" }, ...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
  }

  scoreTable(row) {
    const head = make("tr", {}, make("td", {}), ...row.scores.map((_, turn) => make("th", { scope: "col" }, `T${turn}`)), make("th", { scope: "col" }, word("mean")));
    const line = (name, scores, mean) =>
      make("tr", {}, make("th", { scope: "row" }, name), ...scores.map((score) => make("td", {}, scoreChip(score))), make("td", { class: "figure" }, mean));
    const lines = [line(word("candidate"), row.scores, number(row.mean, 2))];
    if (row.baseline !== null) {
      const scores = row.scores.map((_, turn) => row.baseline[turn] ?? null);
      const known = scores.every((score) => score !== null);
      lines.unshift(line(word("baseline"), scores, known ? number(scores.reduce((sum, score) => sum + score, 0) / scores.length, 2) : "-"));
    }
    return make("table", { class: "summary-scores" }, make("caption", { class: "hidden" }, word("scores")), make("thead", {}, head), make("tbody", {}, ...lines));
  }

  foldButton() {
    const button = make("button", { type: "button", id: "fold" }, word(this.unfolded ? "replies.hide" : "replies.show"));
    button.addEventListener("click", () => {
      this.unfolded = !this.unfolded;
      for (const part of this.dialog.querySelectorAll("details.reply")) part.open = this.unfolded;
      button.textContent = word(this.unfolded ? "replies.hide" : "replies.show");
    });
    return make("p", { class: "fold" }, button, make("span", { class: "hint" }, word("replies.warning")));
  }
}

async function copyLink(button, row) {
  const address = location.href.split("#")[0] + hashOf({ case: row.key });
  try {
    await navigator.clipboard.writeText(address);
    button.textContent = word("case.linked");
  } catch {
    window.prompt(word("case.link"), address); // no clipboard for this page: let the reader copy it
  }
}

function notEmbedded(row) {
  if (row.status === "not_evaluated") return make("p", { class: "banner" }, word("case.not_evaluated"));
  const command = `jmedethic show ${DATA.run} ${row.key}`;
  return make("div", { class: "banner" }, word("case.command"), make("pre", {}, command));
}

function turnPart(turn, row, baseline, unfolded) {
  const before = baseline.find((item) => item.index === turn.index);
  const replies = [replyPart(turn, row, unfolded, before ? word("candidate") : "")];
  if (before) replies.unshift(replyPart(before, row, unfolded, word("baseline")));
  return make(
    "section",
    { class: "turn-part", "data-turn": turn.index, "aria-label": `T${turn.index}` },
    make("h3", { class: "who" }, word("user", { turn: turn.index })),
    bubble("user", turn.user, row.locale),
    make("div", { class: before ? "pair" : "" }, ...replies),
  );
}

function replyPart(turn, row, unfolded, whose) {
  const floor = turn.floor === null ? null : make("span", { class: "broken-floor" }, word("floor", { floor: turn.floor }));
  const title = word("reply", { turn: turn.index }) + (whose ? ` · ${whose}` : "");
  const size = make("span", { class: "size" }, word("reply.characters", { count: count([...turn.reply].length) }));
  const summary = make("summary", {}, make("span", { class: "title" }, title), scoreChip(turn.value), floor, size);
  const details = make("details", { class: "reply", open: unfolded }, summary);
  const text = turn.reply || word("reply.none", { status: named("statuses", turn.status) });
  details.append(bubble(turn.reply ? "answer" : "answer none", text, row.locale));
  if (turn.status !== "ok") details.append(make("p", { class: "hint" }, `${named("statuses", turn.status)}: ${turn.detail}`));
  if (turn.reasoning) details.append(make("p", { class: "hint" }, word("case.reasoning", { count: count(turn.reasoning) })));
  if (turn.scores.length) details.append(judgesTable(turn.scores));
  return details;
}

function judgesTable(scores) {
  const head = make("tr", {}, ...["judge", "score", "reason"].map((name) => make("th", { scope: "col" }, word(name))));
  const lines = scores.map((score) => {
    const value = score.value === null ? make("span", { class: "chip missing" }, named("statuses", score.status)) : scoreChip(score.value);
    const reason = make("td", { class: "reason" });
    reason.append(longText(score.reason), ...(score.refusal ? [" ", make("span", { class: "badge refused" }, word("kind.twin.refused"))] : []));
    return make("tr", {}, make("th", { scope: "row", class: "name" }, score.judge), make("td", {}, value), reason);
  });
  return make("table", { class: "judges" }, make("thead", {}, head), make("tbody", {}, ...lines));
}

function attemptsPart(attempts, row, unfolded) {
  const parts = attempts.flatMap((attempt, index) => {
    const chips = attempt.turns.map((turn) => scoreChip(turn.value, `T${turn.index}`));
    const title = make("h4", {}, word("attempt", { number: index + 2 }), " ", ...chips.flatMap((chip) => [chip, " "]));
    return [title, ...attempt.turns.map((turn) => replyPart(turn, row, unfolded, ""))];
  });
  return make("section", { class: "attempts" }, make("h3", {}, word("attempts")), ...parts);
}

function attackPart(attack, row, unfolded) {
  const chips = attack.turns.flatMap((turn) => [" ", scoreChip(turn.value, `T${turn.index}`)]);
  const title = make("h3", {}, word("attack.title", { seed: attack.seed, end: word(`attack.end.${attack.end}`) }), ...chips);
  const detail = attack.detail ? [make("p", { class: "hint", lang: "en" }, attack.detail)] : [];
  const turns = attack.turns.flatMap((turn) => [
    make("h4", { class: "who" }, word("user.generated", { turn: turn.index })),
    bubble("user generated", turn.user, row.locale),
    replyPart(turn, row, unfolded, ""),
  ]);
  return make("section", { class: "attempts" }, title, ...detail, ...turns);
}

function notesPart(texts, row) {
  const notes = [];
  if (texts.question) notes.push(make("dt", {}, word("case.question")), make("dd", { lang: row.locale }, texts.question));
  if (texts.expected.length) {
    const items = texts.expected.map((text, turn) => make("li", {}, `T${turn}: ${text}`));
    notes.push(make("dt", {}, word("case.expected")), make("dd", { lang: row.locale }, make("ul", {}, ...items)));
  }
  if (texts.fail_if) notes.push(make("dt", {}, word("case.fail_if")), make("dd", { lang: row.locale }, texts.fail_if));
  return make("dl", { class: "about notes", "aria-label": word("case.notes") }, ...notes);
}

function bubble(kind, text, locale) {
  const element = make("div", { class: `bubble ${kind}`, lang: locale });
  element.append(longText(text));
  return element;
}

/** Cuts a text between its characters, never inside one of two code units. */
function pieces(text) {
  const found = [];
  for (let begin = 0; begin < text.length; ) {
    let end = begin + TEXT_SHOWN;
    if (/[\ud800-\udbff]/.test(text.charAt(end - 1))) end += 1;
    found.push(text.slice(begin, end));
    begin = end;
  }
  return found;
}

/** Returns a text; of a very long one only the beginning, with a button for the rest. */
function longText(text) {
  if (text.length <= TEXT_SHOWN) return document.createTextNode(text);
  const part = document.createDocumentFragment();
  const [beginning, ...rest] = pieces(text).map((piece) => make("div", { class: "piece" }, piece));
  const more = make("button", { type: "button", class: "more" }, word("reply.rest", { count: count(text.length - TEXT_SHOWN) }));
  more.addEventListener("click", () => more.replaceWith(...rest));
  part.append(beginning, more);
  return part;
}
