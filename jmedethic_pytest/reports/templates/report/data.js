// Rows and texts travel as base64 of raw deflate, each in an element of its own, unpacked when needed.

const BLOCKS_KEPT = 8;
const RANKS = [...DATA.failed, "unscored", "passed"];
const blocks = new Map();

function canUnpack() {
  return typeof DecompressionStream === "function";
}

async function unpack(id) {
  const packed = atob(document.getElementById(id).textContent);
  const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return JSON.parse(await new Response(stream).text());
}

/** Returns all rows, each with its fields by name. */
async function loadRows() {
  const categories = Object.fromEntries(Object.entries(DATA.guidelines).map(([key, names]) => [key, names[2]]));
  const lines = await unpack("rows");
  return lines.map((line, order) => {
    const row = { order, place: line[line.length - 1] };
    DATA.fields.forEach((name, index) => (row[name] = line[index]));
    row.category = categories[row.guideline] || "";
    row.lowest = row.scores.includes(null) ? null : Math.min(...row.scores);
    row.change = change(row);
    row.rank = RANKS.indexOf(row.result);
    const known = row.scores.filter((score) => score !== null);
    row.least = known.length ? Math.min(...known) : null;
    return row;
  });
}

/** Returns the mean change against the baseline over the turns that both have, null if there is none. */
function change(row) {
  if (row.baseline === null) return null;
  const pairs = row.scores.map((score, turn) => [score, row.baseline[turn] ?? null]);
  const known = pairs.filter(([now, before]) => now !== null && before !== null);
  if (known.length < pairs.length || known.length === 0) return null;
  return known.reduce((sum, [now, before]) => sum + now - before, 0) / known.length;
}

/** Returns the texts of a row's conversation, null if they are not in this page. */
async function loadConversation(row) {
  if (row.place === null) return null;
  const [block, position] = row.place;
  if (!blocks.has(block)) {
    if (blocks.size >= BLOCKS_KEPT) blocks.delete(blocks.keys().next().value);
    blocks.set(block, unpack(`block-${block}`));
  }
  return (await blocks.get(block))[position];
}
