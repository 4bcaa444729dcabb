// Long parts of the page are folded on a phone; they open on a wide screen, on paper, and when a link leads to them.

const PARTS = "details.part";
const WIDE = window.matchMedia("(min-width: 60.01rem)");

function openParts() {
  if (WIDE.matches) unfoldAll();
  else openPart(location.hash);
  WIDE.addEventListener("change", () => WIDE.matches && unfoldAll());
  window.addEventListener("beforeprint", unfoldAll);
  for (const link of document.querySelectorAll('a[href^="#"]')) link.addEventListener("click", () => openPart(link.hash));
}

function unfoldAll() {
  for (const part of document.querySelectorAll(PARTS)) part.open = true;
}

/** Opens the part that an address within the page leads to. */
function openPart(hash) {
  const target = hash.length > 1 && !hash.includes("=") ? document.getElementById(hash.slice(1)) : null;
  const part = target?.querySelector(PARTS);
  if (part) part.open = true;
}
