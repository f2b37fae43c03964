const { brand } = JSON.parse(document.querySelector("meta[name=portico]").content);
const heading = document.createElement("h1");
heading.textContent = brand.name;
document.getElementById("app").append(heading);
