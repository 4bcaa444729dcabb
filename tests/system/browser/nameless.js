// Controls and regions that a screen reader could not name.
() => {
  const name = (element) =>
    element.getAttribute("aria-label") || element.textContent.trim() || [...(element.labels || [])].map((label) => label.innerText).join("").trim();
  const named = (element) => {
    const by = element.getAttribute("aria-labelledby");
    return by ? document.getElementById(by)?.textContent.trim() : name(element);
  };
  const all = document.querySelectorAll("button, a, input, select, summary, [role=region], nav, dialog[open], svg[role=img], form");
  return [...all].filter((element) => element.checkVisibility() && !named(element)).map((element) => element.outerHTML.slice(0, 120));
}
