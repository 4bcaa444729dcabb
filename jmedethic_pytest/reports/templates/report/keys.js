// The keyboard: through the list and the conversations, and what a reader thinks of them, without a mouse.

const KEYS_SHOWN = [["j k ↓ ↑", "list"], ["Enter", "open"], ["j k → ←", "move"], ["t", "turn"], ["1 … 9, 0", "score"], ["a s l", "rate"], ["Delete", "clear"], ["o", "fold"], ["c", "comment"], ["Enter", "seen"], ["Esc", "close"], ["?", "help"]];
const RATING_KEYS = { a: "agree", s: "too_strict", l: "too_lenient" };

function showKeys() {
  const dialog = document.getElementById("keys");
  const lines = KEYS_SHOWN.flatMap(([key, name]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, word(`keys.${name}`))]);
  const close = make("button", { type: "button", onclick: () => dialog.close() }, word("case.close"));
  dialog.replaceChildren(make("h2", { id: "keys-title" }, word("keys")), make("dl", { class: "about" }, ...lines), close);
  dialog.showModal();
}

function isTyping(element) {
  return element.matches("textarea, select, input:not([type=checkbox])");
}

/** Moves the focus along the links of the list. */
function moveInList(step) {
  const links = [...document.querySelectorAll("#list tr.row .id a")];
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? 0 : Math.min(Math.max(at + step, 0), links.length - 1)];
  next?.focus();
}

function pressInList(event) {
  const inList = event.target.closest("#list") !== null;
  if (event.key === "j" || (event.key === "ArrowDown" && inList)) moveInList(1);
  else if (event.key === "k" || (event.key === "ArrowUp" && inList)) moveInList(-1);
  else return;
  event.preventDefault();
}

function pressInConversation(event, conversation) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  const { key } = event;
  if (key === "Enter" && event.target.closest("button, summary, a, input")) return;
  if (digit && !event.shiftKey) conversation.rate(Number(digit[1]) || BEST);
  else if (key in RATING_KEYS) conversation.rate(RATING_KEYS[key]);
  else if (key === "Delete" || key === "Backspace") conversation.rate(null);
  else if (key === "j" || key === "ArrowRight") conversation.move(1);
  else if (key === "k" || key === "ArrowLeft") conversation.move(-1);
  else if (key === "t") conversation.nextTurn();
  else if (key === "o") document.getElementById("fold")?.click();
  else if (key === "c") document.getElementById("review-comment")?.focus();
  else if (key === "Enter") conversation.done();
  else return;
  event.preventDefault();
}

function listenToKeys(conversation) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const help = document.getElementById("keys");
    if (event.key === "Escape" && event.target.id === "review-comment") {
      event.preventDefault(); // leaves the comment, not the conversation
      document.getElementById("conversation-title").focus({ preventScroll: true });
      return;
    }
    if (help.open || isTyping(event.target)) return;
    if (event.key === "?") showKeys();
    else if (conversation.open) pressInConversation(event, conversation);
    else pressInList(event);
  });
}
