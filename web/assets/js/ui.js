// Small comforts on every page. All of it works without: copying by hand, menus by their own element.
(function () {
  "use strict";
  var doc = document;

  doc.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (button) copy(button);
    doc.querySelectorAll("details.lt-menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  doc.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    doc.querySelectorAll("details.lt-menu[open]").forEach(function (menu) {
      menu.open = false;
      if (menu.contains(doc.activeElement)) menu.querySelector("summary").focus();
    });
  });

  function copy(button) {
    var source = doc.getElementById(button.getAttribute("data-copy"));
    if (!source || !navigator.clipboard) return;
    navigator.clipboard.writeText(source.textContent).then(function () {
      var words = button.querySelector("span");
      var before = words.textContent;
      words.textContent = button.getAttribute("data-copied");
      setTimeout(function () { words.textContent = before; }, 2000);
    });
  }

  // One press, one request: a second press on the same form is ignored until the page comes back.
  doc.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.method !== "post") return;
    if (form.hasAttribute("data-sent")) { event.preventDefault(); return; }
    form.setAttribute("data-sent", "");
  });
  window.addEventListener("pageshow", function () {
    doc.querySelectorAll("form[data-sent]").forEach(function (form) { form.removeAttribute("data-sent"); });
  });

  var summary = doc.querySelector("[data-focus]");
  if (summary) summary.focus();
})();
