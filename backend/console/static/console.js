"use strict";

// A file that is dropped is the file that was chosen.
for (const drop of document.querySelectorAll(".drop")) {
  const input = drop.querySelector("input[type=file]");
  const form = drop.closest("form");
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) {
    drop.addEventListener(name, () => drop.classList.remove("over"));
  }
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length > 0) {
      input.files = event.dataTransfer.files;
      form.requestSubmit();
    }
  });
}

// A job that is followed: said to who does not see it when it comes to another stage, and shown anew when it ends.
const live = document.getElementById("live");
const announcement = document.getElementById("announcement");
if (live && announcement) {
  live.addEventListener("htmx:afterSwap", () => {
    const words = live.querySelector(".status").textContent;
    if (announcement.textContent !== words) {
      announcement.textContent = words;
    }
  });
  document.body.addEventListener("htmx:sseClose", (event) => {
    if (event.detail.type === "message") {
      location.reload();
    }
  });
}

const upload = document.getElementById("upload");
if (upload) {
  const bar = document.getElementById("upload-progress");
  upload.addEventListener("htmx:xhr:progress", (event) => {
    bar.hidden = false;
    bar.value = event.detail.total ? (100 * event.detail.loaded) / event.detail.total : 0;
  });
  upload.addEventListener("htmx:afterRequest", () => {
    bar.hidden = true;
  });
}
