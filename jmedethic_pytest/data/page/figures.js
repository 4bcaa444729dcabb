// A page of figures alone: nothing but the language switch.

showLanguage();
const button = document.getElementById("language");
button.hidden = false;
button.addEventListener("click", () => {
  language = language === "en" ? "ja" : "en";
  remember(language);
  showLanguage();
});
document.documentElement.dataset.ready = "true";
