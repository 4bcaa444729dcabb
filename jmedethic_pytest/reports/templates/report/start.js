// Ties the parts together: language switch, sortable tables, and the address as the one source of what is shown.

for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
showLanguage();

const languageButton = document.getElementById("language");
languageButton.hidden = false;
openParts();
languageButton.addEventListener("click", () => {
  language = language === "en" ? "ja" : "en";
  remember(language);
  showLanguage();
  app?.list.renew();
});

class App {
  constructor(rows) {
    this.rows = rows;
    this.byKey = new Map(rows.map((row) => [row.key, row]));
    this.list = new CaseList(rows, (state) => this.go(state));
    this.conversation = new Conversation(
      (row) => this.go({ ...readState(), case: row.key }),
      () => this.closed(),
    );
  }

  go(state) {
    replaceState(state);
    this.show();
  }

  show() {
    const state = readState();
    this.list.show(state);
    if (!state.case) {
      if (this.conversation.open) this.conversation.close();
      return;
    }
    const row = this.byKey.get(state.case);
    if (row) this.conversation.show(row, this.list.found);
    else this.unknown(state.case);
  }

  /** The reader closed the conversation: back to where it stands in the list. */
  closed() {
    const id = readState().case;
    this.list.shown = null; // reviews may have changed
    this.go({ ...readState(), case: "" });
    const link = [...document.querySelectorAll("#list a")].find((element) => element.textContent === id);
    link?.focus();
  }

  unknown(id) {
    const note = document.getElementById("state");
    note.textContent = word("case.unknown", { id });
    note.hidden = false;
    document.getElementById("cases").scrollIntoView();
  }

  /** Follows a link inside the page: a filter leads to the list, a conversation opens where the reader is. */
  follow() {
    if (!hasState()) return openPart(location.hash);
    document.getElementById("state").hidden = true;
    this.show();
    if (!readState().case) document.getElementById("cases").scrollIntoView();
    return undefined;
  }
}

let app = null;

async function start() {
  const note = document.getElementById("state");
  note.hidden = false;
  if (!canUnpack()) {
    note.textContent = word("unsupported");
    return;
  }
  app = new App(await loadRows());
  listenToKeys(app.conversation);
  note.hidden = true;
  window.addEventListener("hashchange", () => app.follow());
  if (hasState()) app.follow();
  else app.show();
  document.documentElement.dataset.ready = "true";
}

start();
