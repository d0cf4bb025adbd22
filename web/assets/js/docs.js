// Sends a request from the page that lists the APIs and shows what came back.
(function () {
  "use strict";
  var doc = document;

  doc.querySelectorAll("form[data-try]").forEach(function (form) {
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      send(form);
    });
  });

  function send(form) {
    var method = form.getAttribute("data-method");
    var path = form.getAttribute("data-try");
    var query = new URLSearchParams();
    var headers = { accept: "application/json" };
    form.querySelectorAll("[data-in]").forEach(function (input) {
      var name = input.getAttribute("data-name");
      var value = input.value;
      if (value === "") return;
      var place = input.getAttribute("data-in");
      if (place === "path") path = path.split("{" + name + "}").join(encodeURIComponent(value));
      if (place === "query") query.append(name, value);
      if (place === "header") headers[name] = value;
    });
    var token = doc.getElementById("lt-token").value.trim();
    if (token !== "") headers.authorization = "Bearer " + token;
    var body = form.querySelector("[data-body]");
    var options = { method: method, headers: headers, credentials: "same-origin", redirect: "manual" };
    if (body && body.value.trim() !== "") {
      headers["content-type"] = body.getAttribute("data-body");
      options.body = body.value;
    }
    var search = query.toString();
    var output = form.parentNode.querySelector("[data-answer]");
    var started = performance.now();
    fetch(path + (search ? "?" + search : ""), options).then(function (answer) {
      return answer.text().then(function (text) {
        show(output, answer.status + " " + answer.statusText + " · " + Math.round(performance.now() - started) + " ms", pretty(text));
      });
    }).catch(function (error) {
      show(output, String(error), "");
    });
  }

  function pretty(text) {
    try { return JSON.stringify(JSON.parse(text), null, 2); } catch (_) { return text; }
  }

  function show(output, line, text) {
    output.hidden = false;
    output.querySelector("b").textContent = line;
    output.querySelector("pre").textContent = text;
  }
})();
