// Language of the interface, and how figures are written. Texts come from words.json.

const DATA = JSON.parse(document.getElementById("data").textContent);
const LANGUAGES = ["en", "ja"];
const STORAGE_KEY = "jmedethic-language";

let language = preferredLanguage();

function preferredLanguage() {
  const browser = (navigator.language || "").slice(0, 2);
  const candidates = [remembered(), browser, document.documentElement.lang];
  return candidates.find((name) => LANGUAGES.includes(name)) || "en";
}

function remembered() {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null; // storage is closed to pages of some origins
  }
}

function remember(name) {
  try {
    localStorage.setItem(STORAGE_KEY, name);
  } catch {
    // the choice then lasts as long as the page
  }
}

/** Returns a pair [English, Japanese] in the present language. */
function pick(pair) {
  return pair[LANGUAGES.indexOf(language)];
}

/** Returns a text of the interface, with its values put in. */
function word(name, values = {}) {
  return pick(DATA.words[name]).replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
}

/** Writes a score as the reports in Python do: the exact value, halves to even, a dash where there is none. */
function number(value, digits = 1) {
  if (value === null || value === undefined) return "-";
  const text = (isHalf(value, digits) ? roundHalf(value, digits) : value).toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : text; // never -0.00
}

/** Returns whether a value lies exactly between two figures: only odd multiples of 1 / 2^(digits + 1) do. */
function isHalf(value, digits) {
  return Math.abs(value * 2 ** (digits + 1)) % 2 === 1;
}

function roundHalf(value, digits) {
  const below = Math.floor(value * 10 ** digits);
  return (below % 2 === 0 ? below : below + 1) / 10 ** digits;
}

function count(value) {
  return value.toLocaleString("en-US");
}

/** Creates an element; children may be nodes or texts, which stay texts. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Rewrites every text of the page that exists in two languages. */
function showLanguage() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-en][data-ja]")) {
    element.textContent = element.dataset[language];
  }
  document.querySelector("header nav").setAttribute("aria-label", word("nav"));
}
