// Tables whose headers sort; what is missing always comes last.

const collator = new Intl.Collator("en", { numeric: true });

function makeSortable(table) {
  table.querySelectorAll("thead th").forEach((header, column) => {
    const button = make("button", { type: "button", class: "sort", onclick: () => sortTable(table, column) });
    button.append(...header.childNodes);
    header.append(button);
    header.setAttribute("aria-sort", "none");
  });
}

function sortTable(table, column) {
  const headers = [...table.querySelectorAll("thead th")];
  const descending = headers[column].getAttribute("aria-sort") === "ascending";
  headers.forEach((header, index) => {
    header.setAttribute("aria-sort", index !== column ? "none" : descending ? "descending" : "ascending");
  });
  const body = table.tBodies[0];
  const lines = [...body.rows].map((row) => [cellValue(row.cells[column]), row]);
  lines.sort(([first], [second]) => compare(first, second, descending));
  body.append(...lines.map(([, row]) => row));
}

function cellValue(cell) {
  const raw = cell.dataset.value ?? cell.textContent.trim();
  if (raw === "" || raw === "-") return null;
  const value = Number(raw.replace(/^[<+]\s*|%$/g, ""));
  return Number.isNaN(value) ? raw : value;
}

/** Orders two values; null is last in both directions. */
function compare(first, second, descending) {
  if (first === null || second === null) return (first === null) - (second === null);
  const order = typeof first === "number" && typeof second === "number" ? first - second : collator.compare(String(first), String(second));
  return descending ? -order : order;
}
