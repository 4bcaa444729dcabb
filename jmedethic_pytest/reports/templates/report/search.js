// Search in texts: everything of the conversations that this page holds, unpacked once, at the first search.

const searched = { index: null, loading: null };

/** Returns a text as it is compared: NFKC makes full-width and half-width signs one, and case does not matter. */
function folded(text) {
  return text.normalize("NFKC").toLowerCase();
}

/** Returns the words that must all occur. */
function wanted(value) {
  return folded(value).split(/\s+/).filter((term) => term);
}

function finds(row, value) {
  const found = `${row.key}\n${searched.index?.get(row.key) ?? ""}`;
  return wanted(value).every((term) => found.includes(term));
}

function textsOf(value) {
  if (typeof value === "string") return [value];
  return value && typeof value === "object" ? Object.values(value).flatMap(textsOf) : [];
}

/** Unpacks all texts; afterwards searches look into them. */
function buildIndex(rows) {
  searched.loading ??= (async () => {
    const index = new Map();
    for (const [block, inside] of byBlock(rows)) {
      const conversations = await unpack(`block-${block}`);
      for (const row of inside) index.set(row.key, folded(textsOf(conversations[row.place[1]]).join("\n")));
    }
    searched.index = index;
  })();
  return searched.loading;
}

function byBlock(rows) {
  const found = new Map();
  for (const row of rows) {
    if (row.place === null) continue;
    if (!found.has(row.place[0])) found.set(row.place[0], []);
    found.get(row.place[0]).push(row);
  }
  return found;
}
